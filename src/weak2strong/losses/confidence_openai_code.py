"""The auxiliary confidence loss as the public code of Burns et al. has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.config.fields import Share
from weak2strong.config.settings import settings
from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.hardened import Threshold
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import ByExample

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "confidence-openai-code",
    "confidence as in public code: its weight jumps (two classes)",
    "code of Burns et al. 2023 (openai/weak-to-strong)",
    classes=2,
)
@settings("the loss confidence-openai-code")
class ConfidenceOpenaiCode(Confidence):
    """``(1 - a) CE(w, f) + a CE(h, f)`` with the weight and threshold of openai/weak-to-strong.

    For people who reproduce that code; `Confidence` follows the paper (Burns et
    al. 2023, section 4.3). There are two differences. The weight jumps::

        a = maximum * fraction   as long as fraction <= warmup
        a = maximum              afterwards

    so that with the defaults it climbs to 0.05 over the first tenth of training,
    and then is 0.5. And h (detached) is class 0 where ``f_0 >= t``, else class 1,
    with t the quantile of ``f_0`` over the batch at the mean weak probability of
    class 1 (between two rows it is interpolated linearly): *soft* weak labels say
    how many rows are class 1, where `Confidence` takes half of them.
    A row that lies on t is class 0, so a batch of one is always class 0.

    Two classes only. Shapes: logits ``(b, 2)``, targets ``(b, 2)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1], or logits of more classes.
    """

    maximum: Share = 0.5
    """The final a, in [0, 1]: ``aux_coef`` there."""
    warmup: Share = 0.1
    """The share of training after which a jumps, in [0, 1]: ``warmup_frac`` there."""
    threshold: Threshold = "soft-mean"
    """Which of the student's answers count as class 1 (see `Confidence`); that code's soft-mean."""

    def weight(self, fraction: float) -> float:
        """The weight a of the auxiliary term after that share of training."""
        return self.maximum * (1.0 if fraction > self.warmup else fraction)

    def statistics(
        self, logits: Tensor, targets: Tensor, fraction: float, before: Tensor | None = None
    ) -> ByExample:
        """The class h of each row, an index."""
        if logits.shape[-1] != 2:
            raise UserError(
                f"The loss confidence-openai-code is for two classes, not {logits.shape[-1]}: "
                "the loss confidence takes any number."
            )
        return super().statistics(logits, targets, fraction, before)
