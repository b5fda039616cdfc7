"""The entropy loss as the public code of EleutherAI has it, where it does nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.loss import RowLoss
from weak2strong.losses.settings import check_shares
from weak2strong.losses.warmup import risen


@dataclass(frozen=True)
class EntropyEleutherCode(RowLoss):
    """``(1 - a) CE(w, f) + a CE(f', f)``, f' = f detached: cross-entropy in disguise.

    EleutherAI/w2s, loss ``entropy``. Its value is that of `Entropy`, but the
    gradient of ``CE(f', f)`` in the logits is ``f - f' = 0``: what is minimised is
    ``(1 - a) CE(w, f)``. Adam hardly notices the factor, so expect the numbers of
    `CrossEntropy`, and do not count this as evidence on entropy. It is here for
    people who reproduce that code.

    The weight rises linearly, ``a = maximum * min(1, fraction / warmup)``; at
    ``a = 1`` there is no gradient at all.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1].
    """

    maximum: float = 0.5
    """The final a, in [0, 1]: ``logconf_weight`` there."""
    warmup: float = 0.2
    """The share of training over which a rises from 0, in [0, 1] (there: 100 steps)."""

    def __post_init__(self) -> None:
        check_shares(self, "maximum", "warmup")

    def weight(self, fraction: float) -> float:
        """The weight a of the second term after that share of training."""
        return self.maximum * risen(fraction, self.warmup)

    def per_example(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        fraction: float,
        statistics: torch.Tensor | None,
    ) -> torch.Tensor:
        """The loss of each example, ``(b,)`` in float32; no gradient flows through f'."""
        log_f = log_probabilities(logits)
        a = self.weight(fraction)
        return (1 - a) * cross_entropy(targets, log_f) + a * cross_entropy(log_f.exp(), log_f)
