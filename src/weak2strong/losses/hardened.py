"""A student's own hard answers for two classes: which examples of a batch are called class 1.

Each rule compares a student's answers with a threshold t that follows the batch, since with a fixed
1/2 the student could drift to one class. Ranks are taken of log-odds: on this scale, float32 still
distinguishes two nearly certain answers. **An answer that is equal to its threshold is class 0**,
and so is a weak label of exactly 1/2 where labels are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Threshold = Literal["median", "soft-mean", "hard-share", "recent-32"]

RECENT = 32
"""Answers of which `above_recent` takes the median, the example's own among them."""


def log_odds(logits: Tensor) -> Tensor:
    """``log(f_1 / f_0)`` of logits ``(b, 2)``, ``(b,)`` in float32."""
    return logits[:, 1].float() - logits[:, 0].float()


def above_median(odds: Tensor, weak: Tensor, before: Tensor) -> Tensor:
    """``f > t``, t the median of the batch; of an even number, halfway between the two middle ones.

    It is half of the batch, rounded down, or fewer where answers tie.
    """
    return odds > odds.sort(descending=True).values[len(odds) // 2]


def above_soft_mean(odds: Tensor, weak: Tensor, before: Tensor) -> Tensor:
    """``f_0 < t``, t the quantile of ``f_0`` over the batch at the mean weak label of class 1.

    Between two answers the quantile is interpolated linearly.
    """
    f_0 = (-odds).sigmoid()
    return f_0 < f_0.quantile(weak.float().mean())


def above_hard_share(odds: Tensor, weak: Tensor, before: Tensor) -> Tensor:
    """As many as weak labels are above 1/2, those of the largest f; fewer where answers tie."""
    # The count stays on the device: to read it would wait for the forward pass.
    count, last = (weak > 0.5).sum(), len(odds) - 1
    next_smaller = odds.sort(descending=True).values.index_select(0, count.clamp(max=last).view(1))
    return (odds > next_smaller) | (count == len(odds))


def above_recent(odds: Tensor, weak: Tensor, before: Tensor) -> Tensor:
    """``f > t``, t being each example's own: the median of the last 32 answers, its own the last.

    Answers of earlier steps are as they were then. As long as there are fewer than 32, t is the
    median of those; the very first answer is equal to it.
    """
    import torch

    earlier = before[max(0, len(before) - RECENT + 1) :]
    missing = odds.new_full((RECENT - 1 - len(earlier),), torch.nan)
    ordered = torch.cat([missing, earlier, odds]).unfold(0, RECENT, 1).sort(dim=1).values
    there = (~ordered.isnan()).sum(dim=1)
    # NaNs come last. The lower one of two in the middle: above it is above their mean.
    t = ordered.gather(1, ((there - 1) // 2).clamp(min=0).unsqueeze(1)).squeeze(1)
    return odds > t


ABOVE: Mapping[Threshold, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "median": above_median,
    "soft-mean": above_soft_mean,
    "hard-share": above_hard_share,
    "recent-32": above_recent,
}
"""Rules by name: from log-odds of the batch ``(B,)``, its weak labels of class 1 ``(B,)`` and
log-odds of examples before it ``(n,)`` to which rows are called class 1 ``(B,)``."""
