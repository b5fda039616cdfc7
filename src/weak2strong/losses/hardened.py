"""A student's own hard answers for two classes, with a given number of positive ones.

The threshold is in log-odds: on this scale, float32 still distinguishes two nearly certain
predictions.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def log_odds(logits: Tensor) -> Tensor:
    """``log(f_1 / f_0)`` of logits ``(b, 2)``, ``(b,)`` in float32."""
    return logits[:, 1].float() - logits[:, 0].float()


def threshold(odds: Tensor, positive: int) -> Tensor:
    """The scalar above which the ``positive`` largest of the log-odds lie.

    It is halfway between the last row above it and the first row below it; +inf if no row is to
    be above, -inf if all are. Rows that are equal to it are below.
    """
    if positive == 0:
        return odds.new_tensor(inf)
    if positive == len(odds):
        return odds.new_tensor(-inf)
    ordered = odds.sort(descending=True).values
    above, below = ordered[positive - 1], ordered[positive]
    # Halfway, not at `below`: micro-batches compute the logits again with other rounding, and a
    # row that equals the threshold would change its class at random.
    middle = (above + below) / 2
    return middle.where(middle < above, below)


def harden(logits: Tensor, threshold: Tensor | None) -> Tensor:
    """The class indices ``(b,)`` of logits ``(b, 2)``: 1 where the log-odds are above it."""
    if threshold is None:
        raise ValueError("Two classes need the threshold that `statistics` returns.")
    return (log_odds(logits.detach()) > threshold).long()
