"""Confidence-window loss: learn from the supervisor only what the student is unsure of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.fields import Share
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "window",
    "cross-entropy where the student is unsure, 0 elsewhere",
    "EleutherAI 2024, modified loss functions",
)
@settings("the loss window")
class Window(RowLoss):
    """``1[max_c f_c <= t] CE(w, f)``: no gradient from examples the student is sure of.

    EleutherAI 2024, *Experiments in Weak-to-Strong Generalization*, modified loss
    functions. t is the median confidence ``max_c w_c`` of all weak labels of the training set,
    not of a batch (`from_labels`), or the threshold that is given (``window:threshold=0.7``).
    For two classes ``max_c f_c = 1/2 + |f - 1/2|``, so the rule is that of the post,
    ``|f - 1/2|`` at most the median of ``|w - 1/2|``; for more classes it is its plain
    generalisation, which the post does not treat.

    An example outside of the window has loss 0 and still counts in the mean over
    the batch: steps get smaller as the student becomes sure. With ``t = 1``, which
    is also the median of hard labels, this is `CrossEntropy`. The window itself
    (which examples are in) is not differentiated. In EleutherAI/w2s the bound is
    strict, the median is the lower one of two in the middle, and 0.65 is the default.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a threshold outside [0, 1].
    """

    threshold: Share = 0.65
    """The confidence t up to which an example counts, in [0, 1]; in the method ``window``, if it is
    not given, the median confidence of the weak labels."""

    @classmethod
    def from_labels(cls, weak_labels: np.ndarray) -> Window:
        """With the median confidence of weak labels ``(n, k)`` as its threshold."""
        return cls(threshold=float(np.median(weak_labels.max(axis=1))))

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; 0 outside of the window."""
        log_f = log_probabilities(logits)
        unsure = log_f.detach().exp().amax(dim=-1) <= self.threshold
        return cross_entropy(targets, log_f).where(unsure, 0.0)
