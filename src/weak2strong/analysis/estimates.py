"""A number with its interval: the mean over seeds of a score, on one test set.

Intervals are those of `weak2strong.analysis.intervals`: t below `BOOTSTRAP_SEEDS` seeds, the
crossed bootstrap from there on; over seeds and groups of test examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weak2strong.analysis.intervals import (
    Measured,
    Metric,
    bootstrap_interval,
    crossed_means,
    replicate_scores,
    t_interval,
)
from weak2strong.analysis.recovered import BOOTSTRAP_SEEDS
from weak2strong.ground.metrics import range_of

LEVEL = 0.95

ANY = (-np.inf, np.inf)
SHARE = (0.0, 1.0)
"""The range of a quantity: an interval is cut at its ends, which does not change its coverage."""
DIFFERENCE = (-1.0, 1.0)
"""The range of a difference of two shares."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and its 95% interval, in the units of the score."""

    value: float
    low: float
    high: float


def estimated(
    scores: np.ndarray, replicates: np.ndarray, groups: int, within: tuple[float, float] = ANY
) -> Estimate | None:
    """The mean of scores with an interval.

    Args:
        scores: the score of every seed on the test set, ``(S,)``.
        replicates: the same scores on redrawn test sets, ``(b, S)``; a replicate with a nan is left
            out.
        groups: the number of groups that the test examples form.
        within: the range of the quantity.

    Returns:
        None where a score is not defined, or fewer than half of the replicates are, or there
        is one group only.
    """
    defined = np.isfinite(replicates).all(axis=1)
    if not np.isfinite(scores).all() or defined.mean() < 0.5 or groups < 2:
        return None
    measured = Measured(scores[:, None], replicates[defined][:, :, None], groups)
    one = np.ones(1)
    if len(scores) < BOOTSTRAP_SEEDS:
        interval = t_interval(measured, one, LEVEL)
    else:
        means = crossed_means(measured, np.random.default_rng([0, 1]))
        interval = bootstrap_interval(measured, means, one, LEVEL)
    low, high = np.clip([interval.low, interval.high], *within)
    return Estimate(float(scores.mean()), float(low), float(high))


def seed_means(values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """The mean over examples of each seed, ``(S,)``; nan where it has no example.

    Args:
        values: ``(S, n)``.
        among: which examples of each seed count, booleans ``(S, n)``, or how much each one does;
            all alike if None.
    """
    chosen = np.ones(values.shape) if among is None else among.astype(float)
    with np.errstate(invalid="ignore"):
        return (values * chosen).sum(axis=1) / chosen.sum(axis=1)


def mean_estimate(
    values: np.ndarray,
    weights: np.ndarray,
    groups: int,
    among: np.ndarray | None = None,
    within: tuple[float, float] = ANY,
) -> Estimate | None:
    """The mean over examples of a value, averaged over seeds.

    Args:
        values: ``(S, n)``.
        weights: how often each example counts in each bootstrap replicate, ``(b, n)``.
        groups: how many groups the examples form.
        among: which examples of each seed count, booleans ``(S, n)``, or how much each one does;
            all alike if None.
        within: the range of the mean.

    Returns:
        None where a seed has no such example (see `estimated`).
    """
    if among is None:
        replicates = (weights @ values.T) / weights.sum(axis=1, keepdims=True)
    else:
        with np.errstate(invalid="ignore"):
            replicates = (weights @ (values * among).T) / (weights @ among.T.astype(float))
    return estimated(seed_means(values, among), replicates, groups, within)


def seed_scores(answers: np.ndarray, labels: np.ndarray, metric: Metric) -> np.ndarray:
    """The score of the answers of each seed, ``(S,)``."""
    return np.array([metric(of_seed, labels) for of_seed in answers], dtype=float)


def score_estimate(
    answers: np.ndarray, labels: np.ndarray, metric: Metric, weights: np.ndarray, groups: int
) -> Estimate | None:
    """The score of answers ``(S, n, ...)``, averaged over seeds (see `estimated`).

    More of the metric is better; the interval ends at the ends of its range.
    """
    replicates = replicate_scores([answers], labels, metric, weights)[:, :, 0]
    return estimated(seed_scores(answers, labels, metric), replicates, groups, range_of(metric))


def columns(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """An estimate as columns of a table: ``name``, ``name_low``, ``name_high``."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
