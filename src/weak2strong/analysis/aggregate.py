"""PGR over several tasks: the mean and the median where there is a gap, and one ratio over all.

On task t, PGR is ``N_t / D_t``, gain over gap (see `weak2strong.analysis.recovered`). Over T tasks:

- **mean** and **median** of the ratios, over the tasks that have a gap. To first order a ratio
  moves by ``(dN_t - PGR_t dD_t) / D_t`` (the delta method), which is linear in the scores: the
  mean gets the t interval of `weak2strong.analysis.intervals`; the median the percentiles of the
  medians of draws, in which all tasks' ratios move together, with t tails for seeds and examples.
- **pooled**, ``sum N_t / sum D_t`` over *all* tasks, with Fieller's interval. It leaves no task
  out, so it conditions on nothing; tasks with a wide gap weigh more.

A bootstrap replicate draws entities once for all tasks: tasks that share them rise and fall
together, and an interval that took tasks for independent would be too narrow. Seed s of one task
and seed s of another are not taken to be independent either. The tasks are those at hand: an
interval says what other seeds and other test examples would have given, not other tasks.
benchmarks/calibration.py measures how often the intervals hold the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.analysis.intervals import (
    Interval,
    Measured,
    Metric,
    fieller_interval,
    group_weights,
    replicate_scores,
    t_interval,
)

DRAWS = 4000
"""The number of draws whose percentiles are the interval of the median."""


@dataclass(frozen=True)
class Answered:
    """The test set of one task, and the answers to it.

    Attributes:
        roles: R arrays of probabilities ``(S, n, k)``; every task has the same R roles and S seeds.
        labels: ground truth, ``(n,)``.
        groups: group ids, ``(n,)``; two tasks with the same id share an entity.
        metric: a function of answers and labels; more is better.
    """

    roles: Sequence[np.ndarray]
    labels: np.ndarray
    groups: np.ndarray
    metric: Metric


@dataclass(frozen=True)
class Aggregate:
    """PGR of one method over tasks; mean and median are None where fewer than two tasks are used.

    Attributes:
        mean: the mean ratio of the tasks that are used.
        mean_interval: its interval over seeds and test examples, for these tasks.
        median: the median of the same ratios.
        median_interval: its interval, likewise.
        pooled: the sum of the gains divided by the sum of the gaps of all tasks; None where the
            interval of the sum of the gaps is not all above 0.
        pooled_interval: Fieller's interval of it.
    """

    mean: float | None
    mean_interval: Interval | None
    median: float | None
    median_interval: Interval | None
    pooled: float | None
    pooled_interval: Interval | None


def measured_jointly(tasks: Sequence[Answered], replicates: int = 1000, seed: int = 0) -> Measured:
    """Scores of all tasks and roles; a replicate resamples the entities once for all tasks.

    Replicates in which some metric is not defined are left out.

    Returns:
        Columns task by task: role r of task t is column ``t R + r``. ``groups`` is the number
        of the task that has the fewest.

    Raises:
        ValueError: a task has fewer than two groups, or a metric is defined on fewer than half
            of the replicates.
    """
    # Numbers in the order of the ids: the draw is the same, and long lists of text are sorted once.
    every_group = np.concatenate([np.asarray(t.groups) for t in tasks])
    universe, numbers = np.unique(every_group, return_inverse=True)
    draws = np.random.default_rng([seed, 0])
    counts = group_weights(np.arange(len(universe)), replicates, draws)
    ends = np.cumsum([len(t.groups) for t in tasks])
    scores, replicates_by_task = [], []
    for task, groups in zip(tasks, np.split(numbers, ends[:-1]), strict=True):
        weights = counts[:, groups]
        ones = np.ones((1, len(task.labels)))
        scores.append(replicate_scores(task.roles, task.labels, task.metric, ones)[0])
        replicates_by_task.append(replicate_scores(task.roles, task.labels, task.metric, weights))
    every = np.concatenate(replicates_by_task, axis=2)
    defined = np.isfinite(every).all(axis=(1, 2))
    groups = min(len(np.unique(task.groups)) for task in tasks)
    if groups < 2 or defined.mean() < 0.5:
        raise ValueError("The test set of a task has too few groups for an interval.")
    return Measured(np.concatenate(scores, axis=1), every[defined], groups)


def aggregate(
    measured: Measured,
    use: Sequence[bool] | np.ndarray,
    level: float = 0.95,
    seed: int = 0,
    fewest: int = 2,
) -> Aggregate:
    """Mean, median and pooled PGR over tasks.

    Args:
        measured: with columns floor, student, ceiling of the first task, then of the next.
        use: for each task whether mean and median take it: only those that have a gap can be.
        level: nominal coverage of the intervals.
        seed: of the draws for the median.
        fewest: tasks that mean and median need.
    """
    roles = measured.scores.shape[1]
    floor, student, ceiling = (np.eye(roles)[r::3] for r in range(3))
    gains, gaps = student - floor, ceiling - floor
    pooled, ratio = None, None
    # Fieller's set is bounded too where the ceilings are clearly below the floors.
    if t_interval(measured, gaps.sum(0), level).low > 0:
        pooled = fieller_interval(measured, gains.sum(0), gaps.sum(0), level)
        ratio = float(gains.sum(0) @ measured.mean / (gaps.sum(0) @ measured.mean))
    use = np.asarray(use, dtype=bool)
    if use.sum() < fewest:
        return Aggregate(None, None, None, None, ratio, pooled)
    gains, gaps = gains[use], gaps[use]
    under = gaps @ measured.mean
    ratios = gains @ measured.mean / under
    # A row a task: how its ratio moves with the scores, to first order.
    moves = (gains - ratios[:, None] * gaps) / under[:, None]
    around = t_interval(measured, moves.mean(axis=0), level)
    mean = float(ratios.mean())
    mean_interval = Interval(mean + around.low, mean + around.high, level, "t", around.covers)
    medians = np.median(ratios + _errors(measured, moves, seed), axis=1)
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    median_interval = Interval(float(low), float(high), level, "draws", around.covers)
    return Aggregate(mean, mean_interval, float(np.median(ratios)), median_interval, ratio, pooled)


def _errors(measured: Measured, contrasts: np.ndarray, seed: int) -> np.ndarray:
    """Draws ``(DRAWS, T)`` of the joint error of T contrasts ``(T, R)``, with t tails."""
    rng = np.random.default_rng([seed, 1])
    errors = np.zeros((DRAWS, len(contrasts)))
    freedom = (len(measured.scores) - 1, measured.groups - 1)
    for part, df in zip(measured.parts, freedom, strict=True):
        if df:
            values, vectors = np.linalg.eigh(contrasts @ part @ contrasts.T)
            root = vectors * np.sqrt(values.clip(min=0))
            normal = rng.standard_normal(errors.shape) @ root.T
            errors += normal / np.sqrt(rng.chisquare(df, (DRAWS, 1)) / df)
    return errors
