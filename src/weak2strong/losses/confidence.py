"""Auxiliary confidence loss: imitate the supervisor, but let the student keep its own mind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from weak2strong.errors import UserError


@dataclass(frozen=True)
class Confidence:
    """``(1 - a) CE(w, f) + a CE(h, f)``: part of the target is the student's own hard answer.

    Burns et al. 2023, section 4.3. f are the student's
    probabilities, w the weak labels, and h (detached) the student's hardened
    prediction. The weight a of the auxiliary term rises linearly::

        a = maximum * min(1, fraction / warmup)

    so that the student first learns what is asked, then is pushed to be sure of
    it where it disagrees with its supervisor. ``warmup=0`` means ``a = maximum``
    from the first step. With ``maximum=0`` this is `CrossEntropy`.

    *Two classes*: ``h = 1[f > t]``, where t makes the student call as many rows
    of the batch positive as the weak labels do (rows with ``w > 1/2``); a fixed
    1/2 would let the student drift to one class. t lies halfway between the
    last row above it and the first below it, +inf where the weak labels call no
    row positive and -inf where they call all so. Rows that tie across the
    threshold all become negative. t is kept as log-odds, the scale on which
    float32 can tell two nearly certain predictions apart.

    *More classes*: h is the most probable class, the lowest on ties; the paper
    does not treat this case, and class shares are not matched.

    Shapes: logits ``(b, k)``, targets ``(b, k)``, losses ``(b,)``.

    Raises:
        UserError: a setting outside [0, 1].
    """

    maximum: float = 0.5
    """The final a, in [0, 1]. The paper takes 0.5, and 0.75 for its largest students."""
    warmup: float = 0.2
    """The share of training over which a rises from 0, in [0, 1]."""

    needs_batch: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("maximum", "warmup"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise UserError(
                    f"The confidence loss takes a {name} between 0 and 1, not {value!r}."
                )

    def weight(self, fraction: float) -> float:
        """The weight a of the auxiliary term after that share of training."""
        return self.maximum * (min(1.0, fraction / self.warmup) if self.warmup > 0 else 1.0)

    def statistics(
        self, logits: torch.Tensor, targets: torch.Tensor, fraction: float
    ) -> torch.Tensor | None:
        """The threshold t of the batch as log-odds, a float32 scalar; None for k > 2."""
        if logits.shape[-1] != 2:
            return None
        odds = _log_odds(logits)
        positive = int((targets[:, 1] > 0.5).sum())
        if positive == 0:
            return odds.new_tensor(torch.inf)
        if positive == len(odds):
            return odds.new_tensor(-torch.inf)
        ordered = odds.sort(descending=True).values
        above, below = ordered[positive - 1], ordered[positive]
        # Halfway, not at `below`: micro-batches recompute the logits with other
        # rounding, and a row that sits on the threshold would flip at random.
        middle = (above + below) / 2
        return torch.where(middle < above, middle, below)

    def per_example(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        fraction: float,
        statistics: torch.Tensor | None,
    ) -> torch.Tensor:
        """The loss of each example, ``(b,)`` in float32; no gradient flows through h."""
        log_f = torch.log_softmax(logits.float(), dim=-1)
        imitation = -(targets.detach().float() * log_f).sum(dim=-1)
        hardened = self._hardened(logits.detach(), statistics)
        confidence = -log_f.gather(-1, hardened.unsqueeze(-1)).squeeze(-1)
        a = self.weight(fraction)
        return (1 - a) * imitation + a * confidence

    def _hardened(self, logits: torch.Tensor, threshold: torch.Tensor | None) -> torch.Tensor:
        """The class index h of each row, ``(b,)``."""
        if logits.shape[-1] != 2:
            return logits.argmax(dim=-1)
        if threshold is None:
            raise ValueError("Two classes need the threshold that `statistics` returns.")
        return (_log_odds(logits) > threshold).long()


def _log_odds(logits: torch.Tensor) -> torch.Tensor:
    """``log(f_1 / f_0)`` in float32."""
    return logits[:, 1].float() - logits[:, 0].float()
