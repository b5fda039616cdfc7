"""Intervals that cover other seeds and other test examples at once.

A student of seed s answers test example i. Its score has an effect of the seed,
one of the example, and one of the two together:

    x[s, i] = mean + a[i] + b[s] + c[s, i].

All seeds share the test set, so seeds and examples are *crossed*: over S seeds
and n examples the variance of the mean is A/n + B/S + C/(n S). A nested
bootstrap, which draws fresh examples within each drawn seed, divides A by S too
and is too narrow. Two intervals are offered, each for a linear contrast of the
roles (a mean score, the gap) and for a ratio of two contrasts (PGR):

**t and Fieller**, for few seeds. The variance is the sum of two parts, each
estimated without bias and nothing counted twice: the *seed part* is the sample
covariance of the seeds' scores divided by S, which is B/S + C/(n S); the *example
part* is the mean covariance, over the bootstrap of examples, between the scores
of two *different* seeds, which is A/n alone. (The variance of the seed mean over
that bootstrap is A/n + C/(n S); adding it would count C twice.) The parts are
known with S - 1 and, for G groups, G - 1 degrees of freedom, and each is
multiplied by its own squared t quantile:

    half-width^2 = t(S - 1)^2 seed part + t(G - 1)^2 example part.

For normal effects this covers at least the nominal level whatever A, B and C are
(Banerjee 1960, Sankhya 22, 357-358: the distribution function of chi-squared with
one degree of freedom is concave). benchmarks/coverage.py compares two
alternatives: t(S - 1) for the sum is far wider where examples dominate, and
Satterthwaite's degrees of freedom cover too little at 2 and 3 seeds. A ratio N/D has
the interval of all r at which N - r D = 0 is not rejected (Fieller 1954, JRSS B 16,
175-185).

**Crossed bootstrap**, for many seeds: percentiles, with examples drawn once a
replicate for all seeds and roles, and seeds drawn separately. It supposes no
normality, but its variance is about A/n + B (S-1)/S^2 + 3 C/(n S) (Owen 2007,
Annals of Applied Statistics 1, 386-411): narrow at few seeds, wide where C is large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from weak2strong.ground.metrics import score_each

# metric(probabilities (n, k), labels (n,), weights (b, n) or None) -> (b,) or a float
Metric = Callable[..., Any]

SEEDS_AND_EXAMPLES = "seeds and test examples"
ONE_SEED = "test examples only, one seed"


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: its lower end.
        high: its upper end; equal to ``low`` where nothing varies.
        level: nominal coverage, such as 0.95.
        method: ``"t"``, ``"fieller"`` or ``"crossed bootstrap"``.
        covers: what could have come out otherwise: ``SEEDS_AND_EXAMPLES`` or ``ONE_SEED``.
    """

    low: float
    high: float
    level: float
    method: str
    covers: str


@dataclass(frozen=True)
class Measured:
    """Scores of S seeds in R roles on one test set, and on b redrawn ones.

    Attributes:
        scores: ``(S, R)`` on the test set itself.
        replicates: ``(b, S, R)``, each replicate one draw of examples for all seeds and roles.
        groups: how many groups the test examples form, at least 2.
    """

    scores: np.ndarray
    replicates: np.ndarray
    groups: int

    @property
    def mean(self) -> np.ndarray:
        """The mean score of each role over seeds, ``(R,)``."""
        return self.scores.mean(axis=0)

    @cached_property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The `variance_parts`, which all intervals of the same scores share."""
        return variance_parts(self)

    @property
    def covers(self) -> str:
        """What an interval from these scores takes into account."""
        return SEEDS_AND_EXAMPLES if len(self.scores) > 1 else ONE_SEED


def group_weights(
    groups: Sequence[str] | np.ndarray,
    replicates: int,
    rng: np.random.Generator,
    universe: Sequence[str] | np.ndarray | None = None,
) -> np.ndarray:
    """How often each example occurs in each bootstrap replicate, drawn by group.

    Args:
        groups: the group id of each of n examples.
        replicates: number of replicates b.
        rng: where the draws come from.
        universe: ids of all the groups to draw from; by default those of ``groups``. The draw
            depends on the sorted ids of the universe only: tasks that share entities are resampled
            jointly when each is given the union of their ids and a generator of the same seed.

    Returns:
        Integer counts ``(b, n)``; equal within a group.

    Raises:
        ValueError: a group is not in the universe.
    """
    own, of = np.unique(np.asarray(groups), return_inverse=True)
    names = own if universe is None else np.unique(np.asarray(universe))
    if names is not own:
        missing = np.setdiff1d(own, names)
        if len(missing):
            raise ValueError(
                f"The universe lacks {len(missing)} of the examples' groups, such as {missing[0]}."
            )
        of = np.searchsorted(names, own)[of]
    counts = np.empty((replicates, len(names)), dtype=np.int32)
    for row in counts:
        row[:] = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
    return counts[:, of]


def replicate_scores(
    roles: Sequence[np.ndarray], labels: np.ndarray, metric: Metric, weights: np.ndarray
) -> np.ndarray:
    """The metric of every seed and role under the same example weights.

    Args:
        roles: R arrays ``(S, n, k)``, such as floor, student and ceiling.
        labels: ``(n,)``.
        metric: see `Metric`.
        weights: ``(b, n)``, shared by all seeds and roles.

    Returns:
        Scores ``(b, S, R)``.
    """
    every = [seed for role in roles for seed in role]
    scores = score_each(metric, every, labels, weights)
    return scores.reshape(len(weights), len(roles), -1).transpose(0, 2, 1)


def variance_parts(measured: Measured) -> tuple[np.ndarray, np.ndarray]:
    """The covariance of the mean scores: the seed part and the example part, ``(R, R)`` each.

    With one seed the seed part is unknown and given as zero.
    """
    moves = measured.replicates - measured.replicates.mean(axis=0)
    replicates, seeds, roles = moves.shape
    # A bootstrap over G groups has (G - 1)/G of the variance that it estimates.
    factor = measured.groups / (measured.groups - 1) / (replicates - 1)
    mean_moves = moves.mean(axis=1)
    of_mean = factor * mean_moves.T @ mean_moves
    if seeds == 1:
        return np.zeros((roles, roles)), of_mean
    flat = moves.reshape(-1, roles)
    of_one = factor * flat.T @ flat / seeds
    # of_mean averages all S^2 pairs of seeds: take the S pairs of a seed with itself away.
    example_part = (seeds * of_mean - of_one) / (seeds - 1)
    # An estimate may come out with a variance below zero, where the true one is about zero.
    values, vectors = np.linalg.eigh(example_part)
    example_part = (vectors * values.clip(min=0)) @ vectors.T
    apart = measured.scores - measured.mean
    return apart.T @ apart / (seeds - 1) / seeds, example_part


def squared_margin(measured: Measured, level: float) -> np.ndarray:
    """The matrix M for which ``sqrt(c @ M @ c)`` is the half-width of contrast c, ``(R, R)``."""
    seed_part, example_part = measured.parts
    tail = (1 + level) / 2
    margin = _quantile(tail, measured.groups - 1) ** 2 * example_part
    if len(measured.scores) > 1:
        margin += _quantile(tail, len(measured.scores) - 1) ** 2 * seed_part
    return margin


@cache
def _quantile(tail: float, freedom: int) -> float:
    """The quantile of Student's t."""
    # As of scipy.stats.t, which takes longer to import than all the rest of a table to compute.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, tail))


def t_interval(measured: Measured, contrast: np.ndarray, level: float) -> Interval:
    """The interval of a mean score or difference, ``contrast @ mean scores``; contrast ``(R,)``."""
    value = contrast @ measured.mean
    # A negative square is rounding, as where two roles give the same answers.
    half = np.sqrt(max(contrast @ squared_margin(measured, level) @ contrast, 0.0))
    return Interval(float(value - half), float(value + half), level, "t", measured.covers)


def fieller_interval(
    measured: Measured, numerator: np.ndarray, denominator: np.ndarray, level: float
) -> Interval | None:
    """The interval of a ratio of two contrasts; None where it is unbounded.

    It is bounded exactly where the `t_interval` of the denominator leaves 0 out.
    """
    bounds = fieller_bounds(measured.mean, squared_margin(measured, level), numerator, denominator)
    if bounds is None:
        return None
    return Interval(*bounds, level, "fieller", measured.covers)


def fieller_bounds(
    mean: np.ndarray, margin: np.ndarray, numerator: np.ndarray, denominator: np.ndarray
) -> tuple[float, float] | None:
    """All r with ``(N - r D)^2 <= (n - r d) @ margin @ (n - r d)``, or None where unbounded."""
    contrasts = np.stack([numerator, denominator])
    means = contrasts @ mean
    # The inequality is square r^2 - 2 cross r + constant <= 0.
    (constant, cross), (_, square) = np.outer(means, means) - contrasts @ margin @ contrasts.T
    if square <= 0:
        return None
    # N/D itself is always in the set, so that a negative root is rounding.
    root = np.sqrt(max(cross**2 - square * constant, 0.0))
    return float((cross - root) / square), float((cross + root) / square)


def crossed_means(measured: Measured, rng: np.random.Generator) -> np.ndarray:
    """Mean scores ``(b, R)`` of replicates that draw seeds too, each with all its roles."""
    seeds = len(measured.scores)
    # In an order that depends on the scores, so that the order of the seeds does not matter.
    order = np.lexsort(measured.scores.T)
    share = rng.multinomial(seeds, np.full(seeds, 1 / seeds), len(measured.replicates)) / seeds
    return np.einsum("bs,bsr->br", share, measured.replicates[:, order])


def bootstrap_interval(
    measured: Measured, means: np.ndarray, contrast: np.ndarray, level: float
) -> Interval:
    """The percentile interval of a contrast; ``means (b, R)`` from `crossed_means`."""
    return Interval(
        *_percentiles(means @ contrast, level), level, "crossed bootstrap", measured.covers
    )


def bootstrap_ratio(
    measured: Measured,
    means: np.ndarray,
    numerator: np.ndarray,
    denominator: np.ndarray,
    level: float,
) -> Interval | None:
    """The percentile interval of a ratio of contrasts; None where it is unbounded.

    A replicate whose denominator is not above 0 counts as infinite.
    """
    over, under = means @ numerator, means @ denominator
    infinite = np.where(over < 0, -np.inf, np.inf)
    low, high = _percentiles(np.divide(over, under, out=infinite, where=under > 0), level)
    if not np.isfinite([low, high]).all():
        return None
    return Interval(low, high, level, "crossed bootstrap", measured.covers)


def _percentiles(draws: np.ndarray, level: float) -> tuple[float, float]:
    """The two order statistics that leave ``(1 - level)/2`` of the draws out on each side."""
    tail = (1 - level) / 2
    low = np.quantile(draws, tail, method="lower")
    return float(low), float(np.quantile(draws, 1 - tail, method="higher"))
