"""The entropy loss as the public code of EleutherAI has it, where it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.entropy import Entropy
from weak2strong.methods.decorators import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "entropy-eleuther-code",
    "entropy as in public code: without its gradient, so naive",
    "code of EleutherAI 2024 (EleutherAI/w2s)",
    same_gradient_as="naive",
)
@settings("the loss entropy-eleuther-code")
class EntropyEleutherCode(Entropy):
    """``(1 - a) CE(w, f) + a CE(f', f)``, f' = f detached: cross-entropy in disguise.

    EleutherAI/w2s, loss ``entropy``. Its value is that of `Entropy`, but the
    gradient of ``CE(f', f)`` in the logits is ``f - f' = 0``: what is minimised is
    ``(1 - a) CE(w, f)``. Adam hardly notices the factor, so expect the numbers of
    `CrossEntropy`, and do not count this as evidence on entropy. It is here for
    people who reproduce that code.

    The weight and its settings are those of `Entropy` (there: ``logconf_weight``, and a
    warm-up of 100 steps); at ``a = 1`` there is no gradient at all.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1].
    """

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; no gradient flows through f'."""
        log_f = log_probabilities(logits)
        a = self.weight(fraction)
        return (1 - a) * cross_entropy(targets, log_f) + a * cross_entropy(log_f.exp(), log_f)
