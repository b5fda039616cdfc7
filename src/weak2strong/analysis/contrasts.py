"""Differences between mean scores on the same tasks, paired by seed and test example.

Two models that answered the same examples share the luck of the draw, and two of the same seed that
of their supervisor: neither is in their difference. So the interval of a difference is that of the
contrast itself, ``sum_t (one_t - other_t) / T`` over T tasks, by `t_interval`: its variance over
seeds, and over draws of entities, which all tasks share. Nobody else's scores play a part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from weak2strong.analysis.aggregate import Answered, measured_jointly
from weak2strong.analysis.intervals import Interval, Measured, t_interval

LEVEL = 0.95

Who = tuple[str, ...]
"""Whose score: a role and a method, and what else tells two of them apart."""


@dataclass(frozen=True)
class Difference:
    """A mean difference over tasks.

    Attributes:
        value: the mean over tasks and seeds.
        interval: its interval over seeds and test examples, for these tasks.
        by_task: the difference on each task, a mean over seeds.
    """

    value: float
    interval: Interval
    by_task: Mapping[str, float]

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, -1 where it lies below, else 0."""
        return int(self.interval.low > 0) - int(self.interval.high < 0)


@dataclass(frozen=True)
class Paired:
    """The scores of some models on the same tasks, which can be subtracted.

    Attributes:
        tasks: the tasks; all have the same models and seeds.
        who: whose answers each task has, in their order.
    """

    tasks: Mapping[str, Answered]
    who: Sequence[Who]

    @cached_property
    def measured(self) -> Measured:
        """Scores, task by task; entities are drawn once for all tasks."""
        return measured_jointly(list(self.tasks.values()))

    def means(self, who: Who) -> dict[str, float]:
        """The mean score over seeds on each task."""
        return {task: float(self._at(task, who) @ self.measured.mean) for task in self.tasks}

    def difference(
        self, one: Who, other: Who, tasks: Sequence[str] | None = None, level: float = LEVEL
    ) -> Difference:
        """The score of one model minus that of another.

        Args:
            one: the model that is better where the difference is above 0.
            other: the other model.
            tasks: of which the mean is taken; all if None.
            level: nominal coverage of the interval.
        """
        rows = {task: self._at(task, one) - self._at(task, other) for task in tasks or self.tasks}
        values = {t: float(row @ self.measured.mean) for t, row in rows.items()}
        return self._mean(rows, values, level)

    def recovered_difference(
        self, one: Sequence[Who], other: Sequence[Who], tasks: Sequence[str]
    ) -> Difference:
        """PGR minus another PGR; to first order each moves by ``(dN - PGR dD) / D``.

        Args:
            one: floor, student and ceiling of the first PGR.
            other: those of the second.
            tasks: of which the mean is taken; both gaps of each must be far from 0.
        """
        rows, values = {}, {}
        for task in tasks:
            (value, moves), (less, moved) = (self._recovered(task, of) for of in (one, other))
            rows[task], values[task] = moves - moved, value - less
        return self._mean(rows, values)

    def recovered(self, roles: Sequence[Who], tasks: Sequence[str]) -> float:
        """The mean PGR over tasks of floor, student and ceiling."""
        return float(np.mean([self._recovered(task, roles)[0] for task in tasks]))

    def _mean(
        self, rows: Mapping[str, np.ndarray], values: Mapping[str, float], level: float = LEVEL
    ) -> Difference:
        """The mean over tasks of a value; a row is how that of a task moves with all scores."""
        mean, row = float(np.mean(list(values.values()))), np.mean(list(rows.values()), axis=0)
        around = t_interval(self.measured, row, level)
        off = mean - float(row @ self.measured.mean)
        low, high = around.low + off, around.high + off
        interval = Interval(low, high, around.level, around.method, around.covers)
        return Difference(mean, interval, dict(values))

    def _recovered(self, task: str, roles: Sequence[Who]) -> tuple[float, np.ndarray]:
        """The PGR of a task, and how it moves with the scores."""
        floor, student, ceiling = (self._at(task, who) for who in roles)
        gain, gap = student - floor, ceiling - floor
        under = float(gap @ self.measured.mean)
        ratio = float(gain @ self.measured.mean) / under
        return ratio, (gain - ratio * gap) / under

    def _at(self, task: str, who: Who) -> np.ndarray:
        """The contrast that picks one model's score on one task."""
        row = np.zeros((len(self.tasks), len(self.who)))
        row[list(self.tasks).index(task), list(self.who).index(who)] = 1
        return row.ravel()
