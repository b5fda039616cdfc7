"""Kullback-Leibler divergence from the weak label: cross-entropy with another zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import RowLoss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "kl",
    "KL divergence from the soft labels: the gradient of naive",
    "code of EleutherAI 2024 (EleutherAI/w2s)",
    same_gradient_as="naive",
)
@dataclass(frozen=True)
class Kl(RowLoss):
    """``KL(w || f) = sum_c w_c log(w_c / f_c) = CE(w, f) - H(w)``.

    The public code of EleutherAI (weak-to-strong and w2s, loss ``kl``). H(w) does
    not depend on the student, so the gradient is that of `CrossEntropy`: count the
    two once in comparisons. Only the value differs, which is 0 at ``f = w``.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``. No settings.
    """

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """``KL(w || f)`` of each example, ``(b,)`` in float32."""
        import torch

        doubt = torch.special.entr(targets.detach().float()).sum(dim=-1)
        return cross_entropy(targets, log_probabilities(logits)) - doubt
