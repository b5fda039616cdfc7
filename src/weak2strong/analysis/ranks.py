"""Rank correlations over tasks, each with an interval and a p-value by permutations.

Spearman's correlation is Pearson's of ranks, ties sharing their mean rank. The interval is that of
Bonett and Wright (2000, Psychometrika 65, 23-28): with n tasks,
``tanh(atanh r +- 1.96 sqrt((1 + r^2 / 2) / (n - 3)))``. The p-value is the share of random orders
of one of the two sides whose correlation is at least as far from 0, the order at hand counted among
them, so that it holds for few tasks too. Both take tasks for independent draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

FEWEST = 5
"""The fewest tasks with a correlation."""

ORDERS = 20_000
"""The number of random orders beneath a p-value."""

ROUNDING = 1e-9
"""Correlations, and numbers of tasks, that differ by less count as the same."""

Z = 1.959964


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's correlation over n tasks.

    Attributes:
        value: from -1 to 1.
        low: of the 95% interval; None where all tasks stand in one order, which shows no spread.
        high: likewise.
        p: two-sided, by permutations.
        tasks: n.
    """

    value: float
    low: float | None
    high: float | None
    p: float
    tasks: int


@cache
def _orders(count: int) -> np.ndarray:
    """Random orders of so many tasks, ``(ORDERS, count)``, the same in every process."""
    rng = np.random.default_rng([count, 0])
    return rng.permuted(np.tile(np.arange(count), (ORDERS, 1)), axis=1)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> RankCorrelation | None:
    """The correlation of two numbers of n tasks.

    Args:
        x: ``(n,)``, finite.
        y: ``(n,)``, finite.

    Returns:
        None below `FEWEST` tasks, or where one of the two is the same on every task.
    """
    if len(x) < FEWEST or min(np.ptp(x), np.ptp(y)) <= ROUNDING:
        return None
    a, b = _standard(x), _standard(y)
    value = float(np.clip(a @ b, -1, 1))
    chance = np.abs(a[_orders(len(a))] @ b)
    p = (1 + int((chance >= abs(value) - ROUNDING).sum())) / (1 + ORDERS)
    low = high = None
    if 1 - abs(value) > ROUNDING:
        middle = np.arctanh(value)
        half = Z * np.sqrt((1 + value**2 / 2) / (len(a) - 3))
        low, high = float(np.tanh(middle - half)), float(np.tanh(middle + half))
    return RankCorrelation(value, low, high, p, len(a))


def _standard(values: np.ndarray) -> np.ndarray:
    """Ranks less their mean, of length 1."""
    from scipy.stats import rankdata

    ranks = rankdata(np.round(values / ROUNDING) * ROUNDING)
    centred = ranks - ranks.mean()
    return centred / np.linalg.norm(centred)


def least_clear(tasks: int, family: int, level: float = 0.05) -> float | None:
    """The least correlation of so many tasks that is clear as the first of a family, by Holm.

    Args:
        tasks: how many, without ties.
        family: how many correlations are looked at.
        level: of the family.

    Returns:
        None where not even tasks in one order are clear.
    """
    ranks = _standard(np.arange(tasks, dtype=float))
    chance = np.sort(np.abs(ranks[_orders(tasks)] @ ranks))
    # As many of the random orders as may be at least as far from 0.
    allowed = int(level / family * (1 + ORDERS)) - 1
    if allowed < 0:
        return None
    clear = chance[chance > chance[-allowed - 1] + ROUNDING] if allowed < ORDERS else chance
    return float(clear[0]) if len(clear) else None
