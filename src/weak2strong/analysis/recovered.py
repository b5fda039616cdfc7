"""PGR with its interval, or one sentence that says why there is none.

How often 95% intervals hold the true PGR and the true gap, by number of seeds and by what varies,
is simulated by ``benchmarks/coverage.py`` (of ROC AUCs by ``benchmarks/auc.py``) and told in
docs/statistics.md. With 2 seeds, 40 to 75% of the simulated studies have no PGR, and the rest a
median width above 1.5. An interval cannot tell of a collapse that did not occur in the run, so
inspect every seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from weak2strong.analysis.intervals import (
    Interval,
    Measured,
    Metric,
    apart_interval,
    at_hand_interval,
    bootstrap_interval,
    bootstrap_ratio,
    crossed_means,
    fieller_interval,
    group_weights,
    replicate_scores,
    t_interval,
)
from weak2strong.ground.metrics import performance_gap_recovered, range_of
from weak2strong.ground.table import counted

# The fewest seeds at which Fieller's intervals hold the truth at least .93 of the time in every
# regime but `failures`, and at which most studies have one. Only printed intervals count: at 2
# seeds those of the few runs whose seeds happen to vary little.
HONEST_SEEDS = 3

# The fewest of the simulated numbers of seeds at which the crossed bootstrap held the truth as
# often. Runs with fewer seeds have Fieller's interval.
BOOTSTRAP_SEEDS = 30

FLOOR, STUDENT, CEILING = np.eye(3)
GAIN, GAP = STUDENT - FLOOR, CEILING - FLOOR

ROLES = ("floor", "student", "ceiling")


class UndefinedScoreError(ValueError):
    """The test set is too small for the metric, or lacks a class that the metric needs."""


@dataclass(frozen=True)
class Recovered:
    """The performance gap recovered by one method, over the seeds of one setting.

    Attributes:
        value: PGR, the ratio of means over seeds; None where it is undefined.
        interval: the interval of PGR; None where PGR is undefined.
        floor: mean score of the supervisors over seeds, in the metric's units.
        student: mean score of the students.
        ceiling: mean score of the ceiling models.
        gap: ceiling minus floor.
        floor_interval: the interval of the floor, within the metric's range.
        student_interval: the interval of the student's score.
        ceiling_interval: the interval of the ceiling.
        gap_interval: the interval of the gap, paired by example; it depends on no student.
        seeds: number of seeds S.
        examples: number of test examples n.
        groups: number of groups that the test examples form.
        per_seed: each seed's own ratio, for drawing dots (they are heavy-tailed and their mean
            estimates nothing); nan where that seed's gap is not above 0, or PGR is undefined.
        undefined: why there is no PGR, in one sentence; None where there is one.
        at_hand: by role ("floor", "student", "ceiling"), the interval of the score of the models at
            hand: over test examples alone.
        checks: by check and role, the interval of the check's score minus the role's, paired by
            example, likewise for the models at hand; empty without checks.
    """

    value: float | None
    interval: Interval | None
    floor: float
    student: float
    ceiling: float
    gap: float
    floor_interval: Interval
    student_interval: Interval
    ceiling_interval: Interval
    gap_interval: Interval
    seeds: int
    examples: int
    groups: int
    per_seed: tuple[float, ...]
    undefined: str | None
    at_hand: Mapping[str, Interval] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    @property
    def has_gap(self) -> bool:
        """Whether the interval of the gap lies above 0."""
        return self.gap_interval.low > 0

    def beaten(self, check: str, role: str) -> bool:
        """Whether a check is clearly better than a role; False without that check."""
        difference = self.checks.get(check, {}).get(role)
        return difference is not None and difference.low > 0

    @property
    def pgr(self) -> dict[str, float | str | None]:
        """PGR as columns of a table: null where it is undefined, with the reason beside it."""
        return {
            "pgr": self.value,
            "pgr_low": self.interval.low if self.interval else None,
            "pgr_high": self.interval.high if self.interval else None,
            "undefined": self.undefined,
        }


def recovered(
    floor: np.ndarray,
    student: np.ndarray,
    ceiling: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str] | np.ndarray,
    metric: Metric,
    *,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
    universe: Sequence[str] | np.ndarray | None = None,
) -> Recovered:
    """PGR = (mean student - mean floor) / (mean ceiling - mean floor), with an interval.

    PGR is undefined where the interval of the gap is not all above 0, or that of PGR is unbounded.
    Seed s of the three roles
    must belong together: they are compared as triplets. The order of seeds and examples does not
    matter.

    Args:
        floor: test probabilities of the supervisors, ``(S, n, k)``, or answers, ``(S, n)``.
        student: of the students, likewise.
        ceiling: of the ceiling models, likewise.
        labels: ground truth as the metric takes it, ``(n,)``.
        groups: the group id of each example, ``(n,)``; a group is resampled as a whole.
        metric: more is better (negate one where less is, such as the Brier score).
        level: nominal coverage of every interval.
        replicates: the number of bootstrap replicates; a replicate in which the metric is nan (an
            AUC without a positive example, for instance) is left out.
        seed: of the bootstrap; the same seed and universe draw the same groups.
        universe: see `group_weights`.

    Raises:
        ValueError: shapes differ, a number is not finite, there are fewer than two groups, or the
            metric is not defined on the test set or on most replicates.
    """
    (only,) = recovered_by_method(
        floor,
        {"": student},
        ceiling,
        labels,
        groups,
        metric,
        level=level,
        replicates=replicates,
        seed=seed,
        universe=universe,
    ).values()
    return only


def recovered_by_method(
    floor: np.ndarray,
    students: Mapping[str, np.ndarray],
    ceiling: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str] | np.ndarray,
    metric: Metric,
    *,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
    universe: Sequence[str] | np.ndarray | None = None,
    checks: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Recovered]:
    """`recovered` for the students of several methods; floor and ceiling are scored once.

    Args:
        students: test probabilities ``(S, n, k)`` by method.
        checks: test probabilities by name, ``(S, n, k)``, or ``(1, n, k)`` or ``(n, k)`` of models
            that serve all seeds, or answers without the last axis; every role is compared with
            each.

    The other arguments and the errors are those of `recovered`.
    """
    roles = _checked(floor, students.values(), ceiling)
    examples, axes = roles[0].shape[1], roles[0].ndim
    checks = {n: x if x.ndim == axes else x[None] for n, x in (checks or {}).items()}
    labels, groups = np.asarray(labels), np.asarray(groups)
    if labels.shape != (examples,) or groups.shape != (examples,):
        raise ValueError(
            f"Labels {labels.shape} and groups {groups.shape} must be ({examples},), "
            "one for each test example."
        )
    if not 0 < level < 1 or replicates < 100:
        raise ValueError(
            f"Need a level between 0 and 1 and 100 replicates or more, not {level}, {replicates}."
        )
    # Two streams: the draw of groups must not depend on the number of seeds.
    examples_rng = np.random.default_rng([seed, 0])
    weights = group_weights(groups, replicates, examples_rng, universe)
    every = _measured(roles, checks, labels, metric, weights, len(np.unique(groups)))
    return {
        method: _recovered(
            every.of([0, i, len(roles) - 1, *range(len(roles), every.scores.shape[1])]),
            tuple(checks),
            range_of(metric),
            examples,
            level,
            seed,
        )
        for i, method in enumerate(students, start=1)
    }


def _recovered(
    every: Measured,
    checks: Sequence[str],
    within: tuple[float, float],
    examples: int,
    level: float,
    seed: int,
) -> Recovered:
    """The `Recovered` of one method: of floor, student, ceiling and the checks."""
    measured = every.of(range(3))
    seeds, mean = len(measured.scores), measured.mean
    scores, gap, interval = _intervals(measured, level, seed)
    floor, student, ceiling = (i.within(*within) for i in scores)
    furthest = within[1] - within[0]
    undefined = _why_undefined(gap, interval, seeds)
    return Recovered(
        value=None if undefined else float(performance_gap_recovered(*mean)),
        interval=None if undefined else interval,
        floor=float(mean[0]),
        student=float(mean[1]),
        ceiling=float(mean[2]),
        gap=float(GAP @ mean),
        floor_interval=floor,
        student_interval=student,
        ceiling_interval=ceiling,
        gap_interval=gap.within(-furthest, furthest),
        seeds=seeds,
        examples=examples,
        groups=measured.groups,
        per_seed=_per_seed(measured.scores, defined=undefined is None),
        undefined=undefined,
        at_hand={
            role: at_hand_interval(measured, c, level).within(*within)
            for role, c in zip(ROLES, np.eye(3), strict=True)
        },
        checks={
            name: _against(every, column, level, furthest)
            for column, name in enumerate(checks, start=len(ROLES))
        },
    )


def _intervals(
    measured: Measured, level: float, seed: int
) -> tuple[list[Interval], Interval, Interval | None]:
    """The intervals of floor, student and ceiling, of the gap, and of PGR."""
    if len(measured.scores) < BOOTSTRAP_SEEDS:
        return (
            [t_interval(measured, role, level) for role in (FLOOR, STUDENT, CEILING)],
            apart_interval(measured, CEILING, FLOOR, level),
            fieller_interval(measured, GAIN, GAP, level),
        )
    means = crossed_means(measured, np.random.default_rng([seed, 1]))
    # Drawn without the student, whose scores would order the seeds.
    apart = measured.of([0, 2])
    of_gap = crossed_means(apart, np.random.default_rng([seed, 1]))
    return (
        [bootstrap_interval(measured, means, role, level) for role in (FLOOR, STUDENT, CEILING)],
        bootstrap_interval(apart, of_gap, np.array([-1.0, 1.0]), level),
        bootstrap_ratio(measured, means, GAIN, GAP, level),
    )


def _against(every: Measured, column: int, level: float, furthest: float) -> dict[str, Interval]:
    """By role, the interval of the score of a check, in that column, minus the role's."""
    columns = np.eye(every.scores.shape[1])
    return {
        role: at_hand_interval(every, columns[column] - of_role, level).within(-furthest, furthest)
        for role, of_role in zip(ROLES, columns, strict=False)
    }


def _checked(
    floor: np.ndarray, students: Iterable[np.ndarray], ceiling: np.ndarray
) -> list[np.ndarray]:
    """Floor, students and ceiling as arrays of one shape, numbers or texts, all finite."""
    arrays = [np.asarray(role) for role in (floor, *students, ceiling)]
    shapes = [array.shape for array in arrays]
    wanted = 2 if arrays[0].dtype == object else 3
    if any(len(shape) != wanted or 0 in shape for shape in shapes) or len(set(shapes)) != 1:
        raise ValueError(
            "Floor, student and ceiling must have one shape (seeds, examples, classes), or "
            "(seeds, examples) where they are texts, not "
            + ", ".join(str(shape) for shape in shapes)
            + "."
        )
    names = ("floor", *["student"] * (len(arrays) - 2), "ceiling")
    for name, array in zip(names, arrays, strict=True):
        if array.dtype != object and not np.isfinite(array).all():
            raise ValueError(f"The predictions of the {name} are not all finite.")
    return arrays


def _measured(
    roles: list[np.ndarray],
    checks: Mapping[str, np.ndarray],
    labels: np.ndarray,
    metric: Metric,
    weights: np.ndarray,
    groups: int,
) -> Measured:
    """Score the test set and its replicates; a check without seeds scores alike with every one."""
    if groups < 2:
        raise ValueError("The test examples are all of one group: an interval needs at least two.")

    def scored(weights: np.ndarray) -> np.ndarray:
        scores = replicate_scores(roles, labels, metric, weights)
        if not checks:
            return scores
        of_checks = [
            np.broadcast_to(
                replicate_scores([check], labels, metric, weights), (*scores.shape[:2], 1)
            )
            for check in checks.values()
        ]
        return np.concatenate([scores, *of_checks], axis=2)

    scores = scored(np.ones((1, len(labels))))[0]
    if not np.isfinite(scores).all():
        raise UndefinedScoreError(
            "The metric is not defined on the test set: does it hold every class?"
        )
    replicates = scored(weights)
    defined = np.isfinite(replicates).all(axis=(1, 2))
    if defined.mean() < 0.5:
        raise UndefinedScoreError(
            f"The metric is defined on only {defined.sum()} of {len(replicates)} replicates: "
            "the test set has too few groups."
        )
    return Measured(scores, replicates[defined], groups)


def _why_undefined(gap: Interval, interval: Interval | None, seeds: int) -> str | None:
    """The sentence that says why there is no PGR, or None where there is one."""
    if gap.low <= 0:
        where = "lies below 0" if gap.high < 0 else "reaches 0"
        return (
            f"The ceiling is not clearly above the floor: the {100 * gap.level:g}% interval of the "
            f"gap, {gap.low:.3f} to {gap.high:.3f}, {where}."
        )
    if interval is None:
        return (
            "The ceiling is above the floor, but by how much cannot be told from "
            f"{counted(seeds, 'seed')}: the interval of PGR is unbounded."
        )
    return None


def _per_seed(scores: np.ndarray, defined: bool) -> tuple[float, ...]:
    """Each seed's own ratio, nan where its gap is not above 0 or PGR is not defined at all."""
    ratios = performance_gap_recovered(*scores.T)
    return tuple(np.where((scores @ GAP > 0) & defined, ratios, np.nan).tolist())
