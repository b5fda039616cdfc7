"""Auxiliary confidence loss: imitate the supervisor, but reward the student's own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from weak2strong.config.fields import Share
from weak2strong.config.settings import settings
from weak2strong.losses.cross_entropy import cross_entropy, log_probabilities
from weak2strong.losses.hardened import ABOVE, RECENT, Threshold, log_odds
from weak2strong.losses.warmup import risen
from weak2strong.methods.decorators import loss
from weak2strong.training.loss import ByExample

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

    *Two classes*: ``h = 1[f > t]`` with f the probability of class 1, and a threshold t that
    follows the batch; with a fixed 1/2 the student could drift to one class. Sources differ in t:

    - ``median``, the paper: above t is half of the batch, whatever the weak labels say. It suits
      classes that are balanced, as the paper's are.
    - ``soft-mean``, the public code of the paper (openai/weak-to-strong): the quantile of f over
      the batch at the mean weak label. `ConfidenceOpenaiCode` has that code's warm-up, too.
    - ``hard-share``, of neither: above t are as many as have a weak label above 1/2. It follows
      classes that are uneven, and calls all one class where the supervisor does.
    - ``recent-32``, the public code of EleutherAI (EleutherAI/w2s, with its micro-batches of one):
      each example has a t of its own, the median of the last 32 answers, its own among them, the
      earlier ones as they were then, also those of the step before. (With micro-batches of n, that
      code takes the quantile at the mean of n labels. It counts the answers of evaluations as
      well, which this loss never sees, and its weight rises over 100 steps.)

    An answer that is equal to its threshold is class 0, and a weak label of exactly 1/2 is not
    above 1/2: both are on the side of class 0.

    *More classes*: h is the most probable class, the lowest on ties, whatever the threshold; none
    of the sources treats this case, and class shares are not matched.

    *Soft labels*: the student's own answer counts as certain, however near to 1/2 the labels are.
    Labels up to 100 times as near to it as a supervisor's still teach as much as naive finetuning
    learns of them (`tests/losses/test_soft_labels.py`, on the shipped models at their rates).

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting that cannot be.
    """

    maximum: Share = 0.5
    """The final a, in [0, 1]. The paper takes 0.5, and 0.75 for its largest students."""
    warmup: Share = 0.2
    """The share of training over which a rises from 0, in [0, 1]."""
    threshold: Threshold = "median"
    """Which of the student's answers count as class 1: median, soft-mean, hard-share, recent-32."""

    needs_batch: ClassVar[bool] = True

    def weight(self, fraction: float) -> float:
        """The weight a of the auxiliary term after that share of training."""
        return self.maximum * risen(fraction, self.warmup)

    @property
    def look_back(self) -> int:
        """How many earlier examples the threshold takes in."""
        return RECENT - 1 if self.threshold == "recent-32" else 0

    def statistics(
        self, logits: Tensor, targets: Tensor, fraction: float, before: Tensor | None = None
    ) -> ByExample:
        """The class h of each row, an index.

        Args:
            logits: ``(B, k)``.
            targets: ``(B, k)``.
            fraction: the share of training done.
            before: logits ``(n, k)`` of the examples that came before the batch, the last of them
                last; None for none.
        """
        if logits.shape[-1] != 2:
            return ByExample(logits.argmax(dim=-1))
        earlier = log_odds(logits[:0] if before is None else before)
        above = ABOVE[self.threshold](log_odds(logits), targets[:, 1], earlier)
        return ByExample(above.long())

    def per_example(
        self, logits: Tensor, targets: Tensor, fraction: float, statistics: Tensor | None
    ) -> Tensor:
        """The loss of each example, ``(b,)`` in float32; statistics are their classes h."""
        if statistics is None:
            raise ValueError("The loss confidence needs the classes that `statistics` returns.")
        log_f, a = log_probabilities(logits), self.weight(fraction)
        own = -log_f.gather(-1, statistics.unsqueeze(-1)).squeeze(-1)
        return (1 - a) * cross_entropy(targets, log_f) + a * own
