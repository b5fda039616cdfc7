"""Cross-entropy with soft labels: imitate the supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weak2strong.methods.decorators import loss
from weak2strong.methods.method import EVERY_KIND
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "cross-entropy",
    "cross-entropy with the supervisor's soft labels",
    "Burns et al. 2023, section 3",
    method="naive",
    saliency="ft(weak)",
    kinds=EVERY_KIND,
)
@dataclass(frozen=True)
class CrossEntropy(RowLoss):
    """``CE(w, f) = - sum_c w_c log f_c``, with student probabilities f and targets w.

    The loss of naive finetuning in Burns et al. 2023 (section 4.2); the
    supervisor and the ceiling are trained with it on one-hot targets. Its minimum
    over f is ``f = w``: a student that fits it perfectly repeats every error of
    its supervisor. All other losses are compared with it.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``. No settings.
    """

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """``CE(w, f)`` of each example, ``(b,)`` in float32."""
        return cross_entropy(targets, log_probabilities(logits))


def log_probabilities(logits: Tensor) -> Tensor:
    """``log f``, ``(b, k)`` in float32 at least, of logits of any float type."""
    import torch

    # bf16 keeps 8 bits of a logarithm: too few to add up over an epoch.
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)


def cross_entropy(targets: Tensor, log_f: Tensor) -> Tensor:
    """``CE(w, f)`` of each row, ``(b,)``; no gradient flows through the targets."""
    return -(targets.detach().to(log_f.dtype) * log_f).sum(dim=-1)
