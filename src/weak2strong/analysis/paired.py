"""Tests of paired differences, effect sizes, and Holm's correction.

The unit is a difference: method minus baseline, on one task. A p-value is one-sided (is the
method better?) or two-sided (do they differ?).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

EXACT = 100
"""Up to so many differences, the distribution of the signed-rank sum is counted exactly."""

NOISE = 1e-12
"""Differences below this are rounding, and count as zero."""


@dataclass(frozen=True)
class PValues:
    """The p-values of a test, one-sided (the method is better) and two-sided; nan if undefined."""

    one_sided: float
    two_sided: float


@dataclass(frozen=True)
class Effect:
    """How large a mean difference is.

    Attributes:
        mean: the mean of the differences.
        low: the lower end of its t interval; nan with one difference.
        high: the upper end.
        dz: mean over standard deviation of the differences (Cohen 1988, section 2.3.5); nan
            where they do not vary.
    """

    mean: float
    low: float
    high: float
    dz: float


def cleaned(differences: Sequence[float] | np.ndarray) -> np.ndarray:
    """The differences as floats, rounding errors set to zero and equal sizes made equal."""
    values = np.asarray(differences, dtype=float)
    return np.where(np.abs(values) < NOISE, 0.0, np.round(values, 12))


def paired_t(differences: Sequence[float] | np.ndarray) -> PValues:
    """Student's paired t-test, ``t = mean / (sd / sqrt(n))`` with ``n - 1`` degrees of freedom.

    Not defined for fewer than two differences, or where they are all the same.
    """
    from scipy.special import stdtr

    d = cleaned(differences)
    if len(d) < 2 or np.ptp(d) == 0:
        return PValues(math.nan, math.nan)
    statistic = d.mean() / (d.std(ddof=1) / math.sqrt(len(d)))
    # The lower tail at -t is the upper one at t.
    one, other = stdtr(len(d) - 1, [-statistic, -abs(statistic)])
    return PValues(float(one), float(2 * other))


def wilcoxon(differences: Sequence[float] | np.ndarray) -> PValues:
    """Wilcoxon's signed-rank test (1945): exact, given the sizes of the differences.

    Zeros are dropped, as Wilcoxon did; equal sizes share their mean rank, and the null
    distribution, in which every sign is + or - with probability 1/2, is counted out with those
    ranks. That agrees with `scipy.stats.wilcoxon` where nothing is tied, and with its
    enumeration of signs where something is. Above `EXACT` differences, SciPy's normal
    approximation. Without a difference, p is 1.
    """
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as approximate

    d = cleaned(differences)
    d = d[d != 0]
    if not len(d):
        return PValues(1.0, 1.0)
    if len(d) > EXACT:
        p = [
            float(np.asarray(approximate(d, alternative=side, method="asymptotic"))[1])
            for side in ("greater", "two-sided")
        ]
        return PValues(*p)
    # Twice the ranks are whole numbers, ties or not.
    ranks = np.rint(2 * rankdata(np.abs(d))).astype(int)
    upper_tail = _signed_rank_tail(tuple(sorted(ranks.tolist())))
    plus, total = int(ranks[d > 0].sum()), int(ranks.sum())
    above, below = upper_tail[plus], upper_tail[total - plus]
    return PValues(float(above), float(min(1.0, 2 * min(above, below))))


@lru_cache(maxsize=1024)
def _signed_rank_tail(ranks: tuple[int, ...]) -> np.ndarray:
    """``P(W >= w)`` for w = 0 to the sum of the ranks, each of which is in W or not."""
    chances = np.zeros(sum(ranks) + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] += chances[: len(chances) - rank].copy()
        chances /= 2
    return np.minimum(chances[::-1].cumsum()[::-1], 1.0)


def sign_test(differences: Sequence[float] | np.ndarray) -> PValues:
    """The exact sign test: wins out of wins and losses are binomial with 1/2. Zeros are dropped."""
    from scipy.stats import binomtest

    d = cleaned(differences)
    wins, trials = int((d > 0).sum()), int((d != 0).sum())
    if not trials:
        return PValues(1.0, 1.0)
    one, two = (binomtest(wins, trials, alternative=a).pvalue for a in ("greater", "two-sided"))
    return PValues(float(one), float(two))


def widened(p: PValues, units: int, factor: float) -> PValues:
    """The p-values where the error of the mean is ``factor`` times what the test took it for.

    A p-value becomes the statistic of Student's t that would have it, which is divided by the
    factor. For `paired_t` that is the test with the larger error. For the other tests it is an
    approximation, as genomic control (Devlin and Roeder 1999, Biometrics 55, 997-1004) divides
    statistics by a common inflation; benchmarks/shared_entities.py measures how well it does.

    Args:
        p: the p-values of a test that takes units for independent.
        units: how many there are, at least 2.
        factor: at least 1.
    """
    from scipy.special import stdtr, stdtrit

    def larger(one_sided: float) -> float:
        return float(stdtr(units - 1, stdtrit(units - 1, one_sided) / factor))

    return p if factor == 1 else PValues(larger(p.one_sided), 2 * larger(p.two_sided / 2))


TESTS = {"wilcoxon": wilcoxon, "t": paired_t, "sign": sign_test}


def effect(
    differences: Sequence[float] | np.ndarray, level: float = 0.95, factor: float = 1.0
) -> Effect:
    """The mean difference, ``mean +- t(n - 1) sd / sqrt(n)``, times a factor, and dz."""
    from scipy.stats import t

    d = cleaned(differences)
    mean = float(d.mean())
    if len(d) < 2:
        return Effect(mean, math.nan, math.nan, math.nan)
    spread = 0.0 if np.ptp(d) == 0 else float(d.std(ddof=1))
    half = factor * float(t.ppf((1 + level) / 2, len(d) - 1)) * spread / math.sqrt(len(d))
    return Effect(mean, mean - half, mean + half, mean / spread if spread else math.nan)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values (1979, Scandinavian Journal of Statistics 6, 65-70).

    Sorted upwards, the i-th of m is ``max over j <= i of min(1, (m - j + 1) p_j)``. Rejecting
    those at most a keeps the chance of any false rejection in the family below a, however the
    tests depend on each other. A p that is nan counts as 1.
    """
    ordered = sorted(p_values, key=lambda name: (_p(p_values[name]), name))
    adjusted, least = {}, 0.0
    for rank, name in enumerate(ordered):
        least = max(least, min(1.0, (len(ordered) - rank) * _p(p_values[name])))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}


def _p(value: float) -> float:
    return 1.0 if math.isnan(value) else value


def smallest_p(units: int, two_sided: bool = False) -> float:
    """The least p that signed-rank and sign test can give: all of n signs alike, ``2^-n``.

    Twice that two-sided.
    """
    return min(1.0, 2.0 ** (int(two_sided) - units))


def units_needed(family: int, level: float, two_sided: bool = False) -> int:
    """The fewest units at which `smallest_p`, times the size of the family, is at most level."""
    return math.ceil(math.log2(family / level) - 1e-12) + int(two_sided)
