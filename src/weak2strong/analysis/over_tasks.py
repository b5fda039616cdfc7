"""PGR over the tasks of a run: which tasks have a gap, and which entities they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.aggregate import Aggregate, Answered, aggregate, measured_jointly
from weak2strong.analysis.answers import Answers
from weak2strong.analysis.intervals import Interval, Measured, t_interval
from weak2strong.analysis.summary import Line
from weak2strong.config.study import StudyConfig
from weak2strong.ground.metrics import metric
from weak2strong.ground.table import Table, pgr, words

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class OverTasks:
    """PGR of each method over the tasks of a run.

    Attributes:
        methods: PGR over the tasks, by method.
        at_chance: the same over the tasks of `unsupervised` alone.
        used: the tasks in mean and median.
        flat: the tasks that are left out since the interval of their gap reaches 0.
        saturated: the tasks that are left out since floor and ceiling are both above the cut.
        unsupervised: the tasks with a gap whose supervisors are not clearly above chance. Nothing
            can be recovered there, by any method: as numbers near 0 in a mean they would say
            something of methods that they do not know of them.
        cut: the score above which floor and ceiling are saturated.
    """

    methods: Mapping[str, Aggregate]
    at_chance: Mapping[str, Aggregate]
    used: tuple[str, ...]
    flat: tuple[str, ...]
    saturated: tuple[str, ...]
    unsupervised: tuple[str, ...]
    cut: float

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(map(len, (self.used, self.flat, self.saturated, self.unsupervised)))


def over_tasks(
    config: StudyConfig, predictions: pl.DataFrame, lines: Sequence[Line]
) -> OverTasks | None:
    """PGR over the tasks of a run; None where it has one task.

    Floor and ceiling alone decide which tasks count, never a student: every method is averaged over
    the same tasks, and no method gains from a task that it spoils.

    Args:
        config: the study.
        predictions: the predictions of its run.
        lines: the lines of the same run, which tell the metric and the tasks without a gap.
    """
    names = tuple(dict.fromkeys(line.task for line in lines))
    if len(names) < 2:
        return None
    first = {line.task: line for line in reversed(lines)}
    r = {task: line.recovered for task, line in first.items()}
    saturated = tuple(n for n in names if first[n].too_easy)
    flat = tuple(n for n in names if not r[n].has_gap and n not in saturated)
    rest = [n for n in names if n not in (*flat, *saturated)]
    used = tuple(n for n in rest if first[n].supervised)
    unsupervised = tuple(n for n in rest if not first[n].supervised)
    answers = {n: Answers(predictions.filter(task=n), config.seeds) for n in names}
    on = lines[0].metric
    tasks = [
        _answered(
            a, on, [a.of("floor"), a.of("ceiling"), *(a.of("student", m) for m in config.methods)]
        )
        for a in answers.values()
    ]
    measured = measured_jointly(tasks)
    starts = np.arange(len(names))[:, None] * (2 + len(config.methods))
    by_method, at_chance = {}, {}
    for i, method in enumerate(config.methods, start=2):
        triplets = measured.of((starts + np.array([0, i, 1])).ravel())
        by_method[method] = aggregate(triplets, [n in used for n in names])
        at_chance[method] = aggregate(triplets, [n in unsupervised for n in names], fewest=1)
    return OverTasks(by_method, at_chance, used, flat, saturated, unsupervised, lines[0].cut)


def over_tasks_table(over: OverTasks, name: str = "over_tasks", title: str = "") -> Table:
    """PGR over tasks: a row a method; the titles say over how many tasks each column is."""
    used, alone = len(over.used), len(over.unsupervised)
    columns = [
        words("method", "PGR over tasks [95%]"),
        pgr("mean", f"mean of {used}"),
        pgr("median", f"median of {used}"),
        pgr("pooled", f"pooled over {over.tasks}"),
        *([pgr("at_chance", f"{alone} at chance")] if alone else []),
    ]
    rows = [
        dict[str, Any](method=method)
        | interval_fields("mean", a.mean, a.mean_interval)
        | interval_fields("median", a.median, a.median_interval)
        | interval_fields("pooled", a.pooled, a.pooled_interval)
        | interval_fields("at_chance", apart.mean, apart.mean_interval)
        for (method, a), apart in zip(over.methods.items(), over.at_chance.values(), strict=True)
    ]
    return Table(name, title, columns, rows, over_tasks_notes(over))


def interval_fields(name: str, value: float | None, interval: Interval | None) -> dict[str, Any]:
    """A value and its interval as fields; undefined where there is no interval."""
    if value is None or interval is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: value, f"{name}_low": interval.low, f"{name}_high": interval.high}


def over_tasks_notes(over: OverTasks) -> list[str]:
    """Which tasks were left out by which rule, and what that means; one sentence each."""
    notes = []
    if over.flat:
        notes.append(
            "Left out of mean and median since the interval of the gap reaches 0 (or lies below): "
            f"{', '.join(over.flat)}."
        )
    if over.saturated:
        notes.append(
            f"Left out since floor and ceiling are both above {over.cut:g} (saturated): "
            f"{', '.join(over.saturated)}."
        )
    if over.unsupervised:
        notes.append(
            "Left out since the supervisor is not clearly above chance, so that there is nothing "
            "that students could recover the gap by, and shown apart (at chance, a mean): "
            f"{', '.join(over.unsupervised)}."
        )
    if len(over.used) < 2:
        notes.append("Mean and median need two tasks with a gap and a supervisor above chance.")
    elif len(over.used) < over.tasks:
        notes.append(
            "So mean and median speak of tasks on which these models have a gap and their "
            "supervisor knows something, judged by the same scores that PGR is computed from."
        )
    notes.append("Pooled is the sum of all gains over the sum of all gaps, and leaves no task out.")
    covers = {
        i.covers for a in over.methods.values() for i in (a.mean_interval, a.pooled_interval) if i
    }
    return [
        *notes,
        *(
            f"These intervals are over {what} (entities drawn once for all tasks that share them), "
            "for these tasks: they do not say what other tasks would give."
            for what in covers
        ),
    ]


@dataclass(frozen=True)
class OnTheseTasks:
    """A method's mean difference from a baseline, for the tasks of one run.

    Attributes:
        interval: its interval over seeds and test examples. Entities are resampled once for all
            tasks, so that shared entities do not make it too narrow, as they make a test over
            tasks.
        shared: the luck with test entities that two tasks have in common: the mean covariance of
            their differences over the resamples of entities, not below 0; 0 of one task.
        between: the variance of the differences between tasks; 0 of one task.
    """

    interval: Interval
    shared: float
    between: float

    @property
    def common(self) -> float:
        """Roughly the share of the variance of a task's difference that such luck is."""
        return self.shared / (self.between + self.shared) if self.shared else 0.0


def on_these_tasks(
    config: StudyConfig,
    predictions: pl.DataFrame,
    baseline: str,
    on: str,
    gaps: Mapping[str, float] | None = None,
) -> dict[str, OnTheseTasks]:
    """The mean difference of every other method from a baseline, on the tasks of a run.

    Args:
        config: the study.
        predictions: of its run.
        baseline: a method, or ``floor`` or ``ceiling``.
        on: a metric.
        gaps: by task, what a difference is divided by, taken for known; other tasks are left out.
            By default no task is, and nothing is divided.
    """
    every = predictions["task"].unique(maintain_order=True)
    names = [n for n in every if gaps is None or n in gaps]
    under = np.array([gaps[n] if gaps else 1.0 for n in names])[:, None]
    answers = [Answers(predictions.filter(task=n), config.seeds) for n in names]
    methods = (baseline, *(m for m in config.methods if m != baseline))
    base = ("student", baseline) if baseline in config.methods else (baseline, "")
    who = [base, *(("student", m) for m in methods[1:])]
    tasks = [_answered(a, on, [a.of(*of) for of in who]) for a in answers]
    measured = measured_jointly(tasks)
    columns = np.eye(measured.scores.shape[1])
    return {
        method: shared_luck(
            measured, (columns[i :: len(methods)] - columns[:: len(methods)]) / under
        )
        for i, method in enumerate(methods[1:], start=1)
    }


def shared_luck(measured: Measured, contrasts: np.ndarray) -> OnTheseTasks:
    """The mean of T differences with its interval, and what they have in common.

    Args:
        measured: scores whose replicates resample entities once for all tasks.
        contrasts: a row a task, ``(T, R)``.
    """
    interval = t_interval(measured, contrasts.mean(axis=0), 0.95)
    if len(contrasts) < 2:
        return OnTheseTasks(interval, 0.0, 0.0)
    moves = contrasts @ measured.example_covariance @ contrasts.T
    of_pairs = (moves.sum() - np.trace(moves)) / (len(moves) * (len(moves) - 1))
    between = np.var(contrasts @ measured.mean, ddof=1)
    return OnTheseTasks(interval, float(max(of_pairs, 0.0)), float(between))


def sharing_tasks(predictions: pl.DataFrame) -> tuple[str, ...]:
    """The tasks that share at least a tenth of their test entities with another task."""
    import polars as pl

    held = predictions.select("task", "group").unique(maintain_order=True)
    elsewhere = pl.col("task").n_unique().over("group") > 1
    shares = held.with_columns(shared=elsewhere).group_by("task", maintain_order=True)
    return tuple(shares.agg(pl.col("shared").mean()).filter(pl.col("shared") >= 0.1)["task"])


def _answered(answers: Answers, on: str, roles: list[np.ndarray]) -> Answered:
    return Answered(roles, answers.labels, answers.groups, metric(answers.kind, on))
