"""Auxiliary confidence loss: imitate the supervisor, but reward the student's own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from weak2strong.config.fields import Share
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.hardened import harden, log_odds, threshold
from weak2strong.losses.warmup import risen
from weak2strong.methods.decorators import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    "confidence",
    "cross-entropy plus a reward for confidence in the student's own answers",
    "Burns et al. 2023, section 4.3",
)
@settings("the loss confidence")
class Confidence:
    """``(1 - a) CE(w, f) + a CE(h, f)``: part of the target is the student's own hard answer.

    Burns et al. 2023, section 4.3. f are the student's
    probabilities, w the weak labels, and h (detached) the student's hardened
    prediction. The weight a of the auxiliary term rises linearly::

        a = maximum * min(1, fraction / warmup)

    so that the student first learns the task, and is then pushed to be sure of its own answer
    where it disagrees with its supervisor. ``warmup=0`` means ``a = maximum`` from the first
    step. With ``maximum=0`` this is `CrossEntropy`.

    *Two classes*: ``h = 1[f > t]``, where t makes the student call as many rows
    of the batch positive as the weak labels do (rows with ``w > 1/2``); with a fixed
    1/2 the student could drift to one class. t is halfway between the last row above it and the
    first row below it; +inf where the weak labels call no row positive, and -inf where they call
    all rows positive. Rows that are equal to the threshold are negative.

    *More classes*: h is the most probable class, the lowest on ties; the paper
    does not treat this case, and class shares are not matched.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1].
    """

    maximum: Share = 0.5
    """The final a, in [0, 1]. The paper takes 0.5, and 0.75 for its largest students."""
    warmup: Share = 0.2
    """The share of training over which a rises from 0, in [0, 1]."""

    needs_batch: ClassVar[bool] = True

    def weight(self, fraction: float) -> float:
        """The weight a of the auxiliary term after that share of training."""
        return self.maximum * risen(fraction, self.warmup)

    def statistics(self, logits: Tensor, targets: Tensor, fraction: float) -> Tensor | None:
        """The threshold t of the batch as log-odds, a float32 scalar; None for k > 2."""
        if logits.shape[-1] != 2:
            return None
        return threshold(log_odds(logits), int((targets[:, 1] > 0.5).sum()))

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; no gradient flows through h."""
        log_f = log_probabilities(logits)
        two = logits.shape[-1] == 2
        h = harden(logits, statistics) if two else logits.detach().argmax(dim=-1)
        a = self.weight(fraction)
        own = -log_f.gather(-1, h.unsqueeze(-1)).squeeze(-1)
        return (1 - a) * cross_entropy(targets, log_f) + a * own
