"""Entropy loss: imitate the supervisor, and be sure of whatever is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.config.fields import Share
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.warmup import risen
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "entropy",
    "cross-entropy plus the entropy of the student's answers",
    "EleutherAI 2024, modified loss functions",
)
@settings("the loss entropy")
class Entropy(RowLoss):
    """``(1 - a) CE(w, f) + a H(f)``, ``H(f) = - sum_c f_c log f_c``: a penalty on doubt.

    EleutherAI 2024, *Experiments in Weak-to-Strong Generalization*, modified loss
    functions. It is `Confidence` with the student's soft answer in place of its
    hardened one, ``H(f) = CE(f, f)``, and differentiates through both f: detached
    targets would leave no gradient (`EntropyEleutherCode`). The gradient of H
    vanishes at the uniform f and at certainty, so that it pushes on where the
    student leans already; no batch threshold keeps the classes balanced.

    The weight rises linearly, ``a = maximum * min(1, fraction / warmup)``; with
    ``maximum=0`` this is `CrossEntropy`.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1].
    """

    maximum: Share = 0.5
    """The final a, in [0, 1]."""
    warmup: Share = 0.2
    """The share of training over which a rises from 0, in [0, 1] (the post: 100 steps of 469)."""

    def weight(self, fraction: float) -> float:
        """The weight a of the entropy after that share of training."""
        return self.maximum * risen(fraction, self.warmup)

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32."""
        log_f = log_probabilities(logits)
        entropy = -(log_f.exp() * log_f).sum(dim=-1)
        a = self.weight(fraction)
        return (1 - a) * cross_entropy(targets, log_f) + a * entropy
