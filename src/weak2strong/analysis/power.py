"""How many tasks and seeds it takes to see a difference, from the variance that was observed.

The difference of two methods on task t with seed s is taken to be

    d[t, s] = d + a[t] + e[t, s],

with variance B of a between tasks and W of e within. Test examples are not a third part: every
task has its own test set, which all its seeds share, so their luck is in B. The mean over T tasks
and S seeds has variance ``(B + W/S) / T``. The paired t-test over tasks then follows a noncentral
t distribution with ``T - 1`` degrees of freedom and noncentrality ``d / sqrt((B + W/S) / T)``
(Cohen 1988, *Statistical Power Analysis*, chapter 2). More seeds cannot do away with B.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.ground.errors import UserError

MOST_TASKS = 1000
"""The largest number of tasks that the search for a design considers."""


@dataclass(frozen=True)
class Components:
    """Variance of a difference of methods.

    Attributes:
        between: B, the variance between tasks; None where one task was observed.
        within: W, the variance between the seeds of a task.
        mean: the observed mean difference; None where the user gave the variances.
        tasks: the number of observed tasks.
        seeds: the number of observed seeds of each task.
    """

    between: float | None
    within: float
    mean: float | None = None
    tasks: int | None = None
    seeds: int | None = None


@dataclass(frozen=True)
class Design:
    """How large a study is, and its power."""

    tasks: int
    seeds: int
    power: float


def components(differences: np.ndarray) -> Components:
    """Estimate the variances from differences ``(T, S)``, by analysis of variance.

    W is the mean square within tasks, B is ``(mean square between - W) / S`` or 0 if that is
    below 0 (Searle, Casella & McCulloch 1992, *Variance Components*, section 3.5).

    Raises:
        UserError: with fewer than two seeds.
    """
    tasks, seeds = differences.shape
    if seeds < 2:
        raise UserError("Variance between seeds cannot be seen with 1 seed: run at least 2.")
    within = float(differences.var(axis=1, ddof=1).mean())
    mean = float(differences.mean())
    if tasks < 2:
        return Components(None, within, mean, tasks, seeds)
    between = float(differences.mean(axis=1).var(ddof=1)) - within / seeds
    return Components(max(between, 0.0), within, mean, tasks, seeds)


def power(
    difference: float,
    tasks: int,
    seeds: int,
    variance: Components,
    level: float = 0.05,
    two_sided: bool = False,
) -> float:
    """The chance that the paired t-test sees the difference (see the module).

    Without a variance between tasks the one task is fixed and its seeds are the units: degrees
    of freedom ``S - 1``, noncentrality ``d / sqrt(W / S)``.

    Args:
        difference: the true mean difference, above 0.
        tasks: T, the number of tasks.
        seeds: S, the number of seeds of each task.
        variance: the variances of the differences.
        level: the level of the test; divide it by the number of methods for Bonferroni's bound on
            Holm's correction.
        two_sided: whether the test is two-sided.
    """
    from scipy.stats import chi2, nct, t

    units = seeds if variance.between is None else tasks
    of_unit = variance.within if variance.between is None else variance.between
    if variance.between is not None:
        of_unit += variance.within / seeds
    if units < 2:
        return 0.0
    if of_unit == 0:
        return 1.0
    shift = difference / math.sqrt(of_unit / units)
    critical = t.isf(level / (1 + two_sided), units - 1)
    # So far out the mean hardly varies beside its size, and only the standard error does.
    if shift > 30:
        return float(chi2.cdf((units - 1) * (shift / critical) ** 2, units - 1))
    chance = float(nct.sf(critical, units - 1, shift))
    if two_sided:
        wrong_side = float(nct.cdf(-critical, units - 1, shift))
        chance += 0.0 if math.isnan(wrong_side) else wrong_side
    return chance


def designs(
    difference: float,
    tasks: Sequence[int],
    seeds: Sequence[int],
    variance: Components,
    level: float = 0.05,
    two_sided: bool = False,
) -> list[list[Design]]:
    """The power of every number of tasks (rows) with every number of seeds (columns)."""
    return [
        [Design(t, s, power(difference, t, s, variance, level, two_sided)) for s in seeds]
        for t in tasks
    ]


def smallest_design(
    difference: float,
    variance: Components,
    wanted: float = 0.8,
    level: float = 0.05,
    two_sided: bool = False,
    most_seeds: int = 20,
) -> Design | None:
    """The design with the fewest trainings, tasks times seeds, that has the power wanted.

    Of two with as many trainings, the one with more tasks: they say more. None where even
    `MOST_TASKS` tasks (or as many seeds, of one task) do not suffice.
    """
    if variance.between is None:
        return _fewest(
            lambda n: Design(1, n, power(difference, 1, n, variance, level, two_sided)), wanted
        )
    smallest = [
        _fewest(
            lambda n, s=s: Design(n, s, power(difference, n, s, variance, level, two_sided)), wanted
        )
        for s in range(1, most_seeds + 1)
    ]
    return min(
        (d for d in smallest if d), key=lambda d: (d.tasks * d.seeds, -d.tasks), default=None
    )


def _fewest(design: Callable[[int], Design], wanted: float) -> Design | None:
    """The first of 2, 3, ... units with the power wanted, which grows with them: by bisection."""
    low, high = 1, MOST_TASKS
    if design(high).power < wanted:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if design(middle).power >= wanted else (middle, high)
    return design(high)
