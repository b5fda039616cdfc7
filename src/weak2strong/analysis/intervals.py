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
175-185). No interval is narrower than that over test examples alone (the models at hand, below),
which matters where an estimate of A comes out below 0.

**The difference of roles that are trained apart** (ceiling - floor) needs no pairs of seeds:
nothing of a supervisor is in a ceiling, so that the seed part is the sum of two variances, known
with up to 2(S - 1) degrees of freedom instead of S - 1: at 2 seeds the quantile is 4.3, not 12.7.
Where all the variance is one role's, there are S - 1, and the interval is too narrow;
docs/statistics.md tells by how much.

**The models at hand**: whether *these* supervisors know more than chance, or *this* baseline beats
these ceilings, does not ask what other seeds would have given. The variance of the mean over seeds
is then that over test examples alone, A/n + C/(n S).

**Crossed bootstrap**, for many seeds: percentiles, with examples drawn once a
replicate for all seeds and roles, and seeds drawn separately. It supposes no
normality, but its variance is about A/n + B (S-1)/S^2 + 3 C/(n S) (Owen 2007,
Annals of Applied Statistics 1, 386-411): narrow at few seeds, wide where C is large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from weak2strong.ground.metrics import score_each

# metric(probabilities (n, k), labels (n,), weights (b, n) or None) -> (b,) or a float
Metric = Callable[..., Any]

SEEDS_AND_EXAMPLES = "seeds and test examples"
ONE_SEED = "test examples only, one seed"
AT_HAND = "test examples only, for the models at hand"

AT_ONCE = 1 << 16
"""How many draws of groups are in memory at once."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: its lower end.
        high: its upper end; equal to ``low`` where nothing varies.
        level: nominal coverage, such as 0.95.
        method: ``"t"``, ``"fieller"`` or ``"crossed bootstrap"``.
        covers: what could have come out otherwise: ``SEEDS_AND_EXAMPLES``, ``ONE_SEED`` or
            ``AT_HAND``.
    """

    low: float
    high: float
    level: float
    method: str
    covers: str

    def within(self, low: float, high: float) -> Interval:
        """The same interval without what lies beyond the range of the quantity."""
        cut_low, cut_high = (min(max(end, low), high) for end in (self.low, self.high))
        return Interval(cut_low, cut_high, self.level, self.method, self.covers)


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

    def of(self, roles: Iterable[int]) -> Measured:
        """The scores of some of the roles, in this order."""
        columns = list(roles)
        return Measured(self.scores[:, columns], self.replicates[:, :, columns], self.groups)

    @property
    def mean(self) -> np.ndarray:
        """The mean score of each role over seeds, ``(R,)``."""
        return self.scores.mean(axis=0)

    @cached_property
    def parts(self) -> tuple[np.ndarray, np.ndarray]:
        """The `variance_parts`, which all intervals of the same scores share."""
        return variance_parts(self)

    @cached_property
    def example_covariance(self) -> np.ndarray:
        """The covariance over test examples of the mean scores of these seeds, ``(R, R)``."""
        moves = self.replicates.mean(axis=1) - self.replicates.mean(axis=(0, 1))
        return self.bootstrap_factor * moves.T @ moves

    @property
    def bootstrap_factor(self) -> float:
        """What a sum of squares over the replicates is multiplied by to be a variance."""
        # A bootstrap over G groups has (G - 1)/G of the variance that it estimates.
        return self.groups / (self.groups - 1) / (len(self.replicates) - 1)

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
    # Many replicates at once are faster; the generator gives the same numbers either way.
    at_once = max(1, AT_ONCE // max(1, len(names)))
    for first in range(0, replicates, at_once):
        part = counts[first : first + at_once]
        drawn = rng.integers(len(names), size=part.shape)
        drawn += len(names) * np.arange(len(part))[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
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

    Both are estimates without bias, so that by the example part a contrast may have a variance
    below zero, where the true one is about zero; `squared_margin` mends that. With one seed the
    seed part is unknown and given as zero.
    """
    of_mean = measured.example_covariance
    _, seeds, roles = measured.replicates.shape
    if seeds == 1:
        return np.zeros((roles, roles)), of_mean
    flat = (measured.replicates - measured.replicates.mean(axis=0)).reshape(-1, roles)
    of_one = measured.bootstrap_factor * flat.T @ flat / seeds
    # of_mean averages all S^2 pairs of seeds: take the S pairs of a seed with itself away.
    example_part = (seeds * of_mean - of_one) / (seeds - 1)
    apart = measured.scores - measured.mean
    return apart.T @ apart / (seeds - 1) / seeds, example_part


def squared_margin(measured: Measured, contrasts: np.ndarray, level: float) -> np.ndarray:
    """The matrix M for which ``sqrt(a @ M @ a)`` is the half-width of ``a @ contrasts``.

    Args:
        measured: scores of R roles.
        contrasts: one or two contrasts, ``(k, R)``.
        level: nominal coverage.

    Returns:
        ``(k, k)``. No half-width is less than that over test examples alone, and that of the last
        contrast does not depend on the first.
    """
    seed_part, example_part, at_hand = (
        contrasts @ part @ contrasts.T for part in (*measured.parts, measured.example_covariance)
    )
    of_examples = _quantile((1 + level) / 2, measured.groups - 1) ** 2
    margin, seeds = of_examples * _without_negatives(example_part), len(measured.scores)
    if seeds > 1:
        margin += _quantile((1 + level) / 2, seeds - 1) ** 2 * seed_part
    return of_examples * at_hand + _without_negatives(margin - of_examples * at_hand)


def _without_negatives(matrix: np.ndarray) -> np.ndarray:
    """A symmetric matrix of one or two rows, raised so that no ``a @ matrix @ a`` is negative.

    The last number is raised to zero, or stays; the first is raised to what the others need.
    """
    last = max(matrix[-1, -1], 0.0)
    if len(matrix) == 1:
        return np.array([[last]])
    both = matrix[0, 1] if last > 0 else 0.0
    least = both**2 / last if last > 0 else 0.0
    return np.array([[max(matrix[0, 0], least), both], [both, last]])


@cache
def _quantile(tail: float, freedom: int) -> float:
    """The quantile of Student's t."""
    # As of scipy.stats.t, which takes longer to import than all the rest of a table to compute.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, tail))


def t_interval(measured: Measured, contrast: np.ndarray, level: float) -> Interval:
    """The interval of a mean score or difference, ``contrast @ mean scores``; contrast ``(R,)``."""
    square = squared_margin(measured, contrast[None], level)[0, 0]
    return _around(measured, contrast, square, level, measured.covers)


def apart_interval(
    measured: Measured, over: np.ndarray, under: np.ndarray, level: float
) -> Interval:
    """The interval of a difference of roles that are trained apart, such as ceiling and floor.

    Args:
        measured: scores of R roles.
        over: the contrast of what is trained in one way, ``(R,)``.
        under: the contrast that is taken off, ``(R,)``.
        level: nominal coverage.
    """
    seed_part, example_part = measured.parts
    contrast, seeds, tail = over - under, len(measured.scores), (1 + level) / 2
    of_examples = _quantile(tail, measured.groups - 1) ** 2
    square = of_examples * max(contrast @ example_part @ contrast, 0.0)
    if seeds > 1:
        of_seeds = over @ seed_part @ over + under @ seed_part @ under
        square += _quantile(tail, 2 * (seeds - 1)) ** 2 * of_seeds
    least = of_examples * contrast @ measured.example_covariance @ contrast
    return _around(measured, contrast, float(max(square, least)), level, measured.covers)


def at_hand_interval(measured: Measured, contrast: np.ndarray, level: float) -> Interval:
    """The interval of a contrast of the models at hand: over test examples alone."""
    variance = contrast @ measured.example_covariance @ contrast
    square = _quantile((1 + level) / 2, measured.groups - 1) ** 2 * variance
    return _around(measured, contrast, float(square), level, AT_HAND)


def _around(
    measured: Measured, contrast: np.ndarray, square: float, level: float, covers: str
) -> Interval:
    """The t interval with that square of the half-width."""
    value = contrast @ measured.mean
    # A negative square is rounding, as where two roles give the same answers.
    half = np.sqrt(max(square, 0.0))
    return Interval(float(value - half), float(value + half), level, "t", covers)


def fieller_interval(
    measured: Measured, numerator: np.ndarray, denominator: np.ndarray, level: float
) -> Interval | None:
    """The interval of a ratio of two contrasts; None where it is unbounded.

    It is bounded exactly where the `t_interval` of the denominator leaves 0 out.
    """
    contrasts = np.stack([numerator, denominator])
    margin = squared_margin(measured, contrasts, level)
    bounds = fieller_bounds(contrasts @ measured.mean, margin, *np.eye(2))
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
    # In an order that depends on the scores, so that the order of the seeds does not matter; some
    # replicates tell seeds with the same scores apart.
    some = measured.replicates[:20].transpose(0, 2, 1).reshape(-1, seeds)
    order = np.lexsort([*some, *measured.scores.T])
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
