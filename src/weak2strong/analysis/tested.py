"""The answers of every role of a run to the test sets, as analyses take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weak2strong.analysis.answers import Answers
from weak2strong.analysis.intervals import Metric, group_weights
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric, usual_metric
from weak2strong.ground.predictions import WRITTEN
from weak2strong.ground.table import Row
from weak2strong.tasks.answers import comparable, is_right

if TYPE_CHECKING:
    import polars as pl

REPLICATES = 1000
"""The number of replicates of the bootstrap beneath every interval."""

Made = TypeVar("Made")

Who = tuple[str, str]
"""A role and, where the role is a student, its method."""


@dataclass(frozen=True)
class Tested:
    """One test set of n examples, and the answers of S seeds: probabilities of k classes, or texts.

    Attributes:
        labels: ground truth, ``(n,)``.
        groups: group ids, ``(n,)``.
        floor: the answers of the supervisors, ``(S, n, k)``; texts ``(S, n)`` in the kinds of
            `weak2strong.ground.predictions.WRITTEN`.
        ceiling: the answers of the ceiling models, likewise.
        students: the answers of the students of each method, likewise.
        probe: the answers of the probe with ground truth, ``(1, n, k)`` of one probe for all seeds,
            ``(S, n, k)`` where each has a split of its own; None where the run has none.
        difficulty: the difficulty of each example, ``(n,)``, higher for harder; None where the task
            does not tell it.
        kind: the kind of the task.
        metric: the name of the metric that scores the answers.
        subsets: the part of a benchmark that each example is of, ``(n,)``; None where one is of
            none.
        questions: what each example asks, ``(n,)``: its own id, or a name that it shares with
            others that are right together; None where each stands alone.
        pairs: which examples say the same or the opposite (see `weak2strong.tasks.task.Item`),
            ``(n,)``, empty texts where an example has no other; None where none has.
    """

    labels: np.ndarray
    groups: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    students: Mapping[str, np.ndarray]
    probe: np.ndarray | None
    difficulty: np.ndarray | None
    kind: str
    metric: str
    subsets: np.ndarray | None = None
    questions: np.ndarray | None = None
    pairs: np.ndarray | None = None

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each example counts in each bootstrap replicate, ``(b, n)``, by group."""
        rng = np.random.default_rng([0, 0])
        return group_weights(self.groups, REPLICATES, rng).astype(float)

    @property
    def roles(self) -> dict[Who, np.ndarray]:
        """Answers of supervisors, students and ceilings."""
        students = {("student", method): of for method, of in self.students.items()}
        return {("floor", ""): self.floor, **students, ("ceiling", ""): self.ceiling}

    @cached_property
    def given(self) -> dict[Who, np.ndarray]:
        """The answer that each role gives, ``(S, n)`` (see `weak2strong.tasks.answers`)."""
        return {
            who: comparable(answers, self.kind, self.metric) for who, answers in self.roles.items()
        }

    @cached_property
    def right(self) -> dict[Who, np.ndarray]:
        """Whether the answer of each role is right, booleans ``(S, n)``."""
        every = np.stack(list(self.roles.values()))
        return dict(
            zip(self.roles, is_right(every, self.labels, self.kind, self.metric), strict=True)
        )

    @property
    def group_count(self) -> int:
        """How many groups the examples form."""
        return len(np.unique(self.groups))


@dataclass(frozen=True, eq=False)
class TestedRun:
    """A finished run as analyses take it.

    Attributes:
        config: the study.
        predictions: the predictions of its run (see `weak2strong.engine.record`).
        tests: the test set of each task, by name.
        metric: the name of the metric that scores the answers; more of it is better.
        edges: the edges between buckets of difficulty; none for quartiles.
        agreement: how often students answer as their supervisors, by split; None if not known.
    """

    config: StudyConfig
    predictions: pl.DataFrame
    tests: Mapping[str, Tested]
    metric: str
    edges: tuple[float, ...] = ()
    agreement: pl.DataFrame | None = None
    _made: dict[Any, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of all tasks."""
        return next(iter(self.tests.values())).kind

    @property
    def written(self) -> bool:
        """Whether answers are texts, which have neither classes nor probabilities."""
        return self.kind in WRITTEN

    @property
    def score(self) -> Metric:
        """The function of the metric."""
        return metric(self.kind, self.metric)

    @property
    def probed(self) -> list[str]:
        """The tasks with a probe with ground truth."""
        return [task for task, tested in self.tests.items() if tested.probe is not None]

    def of_tasks(
        self, rows: Callable[[Tested], Iterable[Row]], having: Callable[[Tested], bool]
    ) -> Iterator[Row]:
        """The rows that a function of a test set gives, for every task that has what they need."""
        for task, tested in self.tests.items():
            if having(tested):
                yield from ({"task": task, **row} for row in rows(tested))

    def of_students(self, rows: Callable[[Tested, str], Iterable[Row]]) -> Iterator[Row]:
        """The rows that a function of a test set and a method gives, for every student."""
        for task, tested in self.tests.items():
            for method in tested.students:
                yield from ({"task": task, "method": method, **row} for row in rows(tested, method))

    def of_roles(self) -> Iterator[tuple[dict[str, str], Tested, np.ndarray]]:
        """Every role that gives probabilities: who it is, the test set, and ``(S, n, k)``."""
        for task, tested in () if self.written else self.tests.items():
            for (role, method), answers in tested.roles.items():
                yield {"task": task, "role": role, "method": method}, tested, answers

    def once(self, make: Callable[[TestedRun], Made]) -> Made:
        """What a function makes of this run, made once."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


def read_tested(
    config: StudyConfig, predictions: pl.DataFrame, task: str, on: str | None = None
) -> Tested:
    """The test set of one task of a run.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.engine.record`).
        task: name.
        on: the name of the metric; the study's own if None.

    Raises:
        UserError: where the task's test examples are all of one group.
    """
    rows = predictions.filter(task=task)
    answers = Answers(rows, config.seeds)
    if len(np.unique(answers.groups)) < 2:
        raise UserError(f"{task}: all test examples are of one group, so nothing has an interval.")
    return Tested(
        labels=answers.labels,
        groups=answers.groups,
        floor=answers.of("floor"),
        ceiling=answers.of("ceiling"),
        students={method: answers.of("student", method) for method in config.methods},
        probe=answers.check("probe") if answers.have("probe") else None,
        difficulty=_difficulty(rows),
        kind=answers.kind,
        metric=on or config.metric or usual_metric(answers.kind),
        subsets=_subsets(rows),
        questions=_questions(rows),
        pairs=_pairs(rows),
    )


def _subsets(rows: pl.DataFrame) -> np.ndarray | None:
    """The subsets of the examples in the order of their ids; None where one has none."""
    one = _once(rows, "subset")
    return None if one is None or one.null_count() else one.to_numpy()


def _questions(rows: pl.DataFrame) -> np.ndarray | None:
    """What the examples ask in the order of their ids; None where no two ask it together."""
    one, ids = _once(rows, "question"), _once(rows, "id")
    if one is None or ids is None or one.null_count() == len(one):
        return None
    return one.fill_null(ids).to_numpy()


def _pairs(rows: pl.DataFrame) -> np.ndarray | None:
    """The names of pairs in the order of the ids; None where no example has one."""
    one = _once(rows, "pair")
    return None if one is None or one.null_count() == len(one) else one.fill_null("").to_numpy()


def _once(rows: pl.DataFrame, column: str) -> pl.Series | None:
    """A column with one value an example, in the order of their ids; None of older runs."""
    if column not in rows.columns:
        return None
    return rows.filter(role="floor", seed=0).sort("id")[column]


def _difficulty(rows: pl.DataFrame) -> np.ndarray | None:
    """The difficulties of the examples in the order of their ids; None where one has none."""
    one = _once(rows, "difficulty")
    return None if one is None or one.null_count() else one.to_numpy()
