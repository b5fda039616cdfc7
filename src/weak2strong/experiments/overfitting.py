"""Students on their way: what they score, and how far they imitate, at every evaluation.

The folder holds ``curves.parquet``, a row an evaluation, and ``points.parquet``, the test answers
of floor, ceiling, and of each student at three points:

- *best*: the highest score on the ground truth of the test, which is an oracle;
- *stopped*: the highest score on the weak labels of validation, which a study would keep;
- *last*: the end of training.

Of equals the latest. Only the first point takes ground truth, and no training does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from weak2strong.analysis.recovered import recovered
from weak2strong.analysis.warnings import few_seeds
from weak2strong.config.fields import Count, Flag, Texts
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.engine.claim import claim
from weak2strong.engine.recorded import STUDY
from weak2strong.engine.run import do_steps
from weak2strong.engine.work import FILE as WORK
from weak2strong.engine.work import Work, work_file
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    table_file,
    task_runs_of,
)
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import PGR_MEANING, metric, metric_title
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Column, Document, Row, Table, counted, number, pgr, words
from weak2strong.methods import BASELINE
from weak2strong.methods.reference import find_method
from weak2strong.protocol import stages
from weak2strong.protocol.choice import ROLES
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import Step, needed_rates, searches_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import by_weak_label, comparable, is_right
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Kind

if TYPE_CHECKING:
    import polars as pl

CURVES, POINTS = "curves.parquet", "points.parquet"

CHOSEN = {
    "best": "on ground truth of the test, an oracle",
    "stopped": "on weak labels of validation",
    "last": "at the end",
}
"""The points, and by what each is chosen."""

NOTE = (
    f"Points are chosen {'; '.join(f'{point}: {by}' for point, by in CHOSEN.items())}. The best "
    "one is chosen by the very test that scores it, so it is an upper bound and no result."
)


class FinishedOverfitting(FinishedExperiment):
    """The folder of students that were followed through their training."""

    COMMAND = "overfitting"
    FILES: ClassVar[Mapping[str, str]] = {
        CURVES: "a row an evaluation",
        POINTS: "test answers at the three points, by id",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        CURVES: columns(
            text="task method",
            whole="seed",
            number="fraction test_score validation_score agreement_wrong",
            flag="best stopped last",
        ),
        POINTS: columns(
            text="task kind role method point id group",
            whole="seed",
            numbers="probabilities",
            any="label",
        ),
    }
    FIGURES = ("overfitting",)

    @cached_property
    def curves(self) -> pl.DataFrame:
        """A row an evaluation (see `curve`)."""
        return self.read_table(CURVES)

    @cached_property
    def points(self) -> pl.DataFrame:
        """Test answers of floor, ceiling and the three points."""
        return self.read_table(POINTS)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """A row a task, method and point, in the order of the study (see `reached`)."""
        return [
            reached(self.config, self.curves, answers, method, point)
            for answers in self.points.partition_by("task", maintain_order=True)
            for method in self.config.methods
            for point in CHOSEN
        ]

    def table(self) -> pl.DataFrame:
        """A row a task, method and point: scores, PGR with interval, and imitation."""
        import polars as pl

        nullable = dict.fromkeys(("pgr", "pgr_low", "pgr_high", "agreement_wrong"), pl.Float64)
        return pl.DataFrame(self.rows, schema_overrides=nullable | {"undefined": pl.String})

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Overfitting, {self.config.weak_name} to {self.config.strong.name}"

    @property
    def about(self) -> str:
        """How often the students were evaluated, on which tasks."""
        config = self.config
        evaluations = self.curves.group_by("task", "method", "seed").len()["len"].to_list()
        return (
            f"Students of {config.strong.name} on weak labels of {config.weak_name} were trained "
            f"to their last step and evaluated {counted(max(evaluations), 'time')} on the way: "
            f"{', '.join(dict.fromkeys(row['task'] for row in self.rows))}, "
            f"{counted(config.seeds, 'seed')}. {PGR_MEANING}"
        )

    @cached_property
    def document(self) -> Document:
        """A row a task, method and point."""
        return points_document("points", self.config, self.config.metric or "", self.rows, [NOTE])


def points_document(
    name: str,
    config: StudyConfig,
    metric: str,
    rows: Sequence[Row],
    notes: Sequence[str],
    value: str | None = None,
) -> Document:
    """The table of students at points of their training, and on which tasks PGR is undefined.

    Args:
        name: of the table.
        config: of the study.
        metric: of the scores.
        rows: a row a task, method and point.
        notes: what stands beneath.
        value: the setting of which each row has a value, if there is one; then the agreement with
            all weak labels is shown as well.
    """
    reasons = dict.fromkeys((row["task"], row["undefined"]) for row in rows)
    table = Table(
        name,
        f"{config.weak_name} to {config.strong.name}: {metric_title(metric)}, "
        f"mean of {counted(config.seeds, 'seed')}",
        [
            words("task"),
            words("method"),
            *([words("value", value)] if value else []),
            words("point"),
            Column("fraction", "training", lambda row: f"{row['fraction']:.0%}"),
            number("floor", detail=True),
            number("student"),
            number("ceiling", detail=True),
            pgr(),
            *([number("agreement_all", "agrees")] if value else []),
            number("agreement_wrong", "agrees when wrong"),
        ],
        rows,
        notes=notes,
    )
    undefined = [f"{task}: PGR is undefined. {why}" for task, why in reasons if why]
    return Document([table], warnings=[*undefined, *few_seeds({config.seeds})])


@settings("an overfitting")
class Overfitting(Experiment[FinishedOverfitting]):
    """Follow students through training: score and imitation at every evaluation.

    They are trained to the last step, and what the test says on the way is noted and decides
    nothing.
    """

    finished = FinishedOverfitting

    methods: Annotated[Texts, Flag(metavar="NAME ...")] = (BASELINE,)
    """Methods by name that finetune once and see no ground truth (see: w2s methods)."""
    evaluations: Count = 20
    """How often to evaluate a student, evenly spaced."""

    def _write(self, where: Where) -> Path:
        config = resolved(self.config)
        for method in config.methods:
            check_followed(method)
        task_runs = task_runs_of(config, where)
        check_not_written(task_runs)
        folder = claim(where.out, config, tuple(task_runs), what="overfitting")

        def files(work: Sequence[Work]) -> Mapping[str, bytes]:
            tables = tables_of(config, task_runs, self.evaluations)
            return {
                STUDY: config.to_yaml().encode(),
                WORK: work_file(work),
                **{name: table_file(name, table) for name, table in tables.items()},
            }

        todo, plan = steps_of(config, task_runs, self.evaluations), where.plan_of(config)
        do_steps(folder, todo, task_runs, plan, where.progress, files, "overfitting")
        return folder


def check_followed(method: str) -> None:
    """Refuse what has no one curve.

    Raises:
        UserError: for a method that sees ground truth, or finetunes not just once.
    """
    # Planning takes torch, which those who only read a folder can do without.
    from weak2strong.engine.stand_in import trial_run

    if find_method(method).oracle:
        raise UserError(f"{method!r} sees ground truth: name methods that do not.")
    fits = len(trial_run(method).fits)
    if fits != 1:
        raise UserError(
            f"The method {method!r} finetunes {fits} times, so it has no one curve: name methods "
            "that finetune once, such as naive or confidence."
        )


def check_not_written(task_runs: Mapping[str, TaskRun]) -> None:
    """Refuse tasks whose students cannot be followed.

    Raises:
        UserError: for a task that is answered in words.
    """
    for task_run in task_runs.values():
        if task_run.task.kind in WRITTEN:
            raise UserError(
                f"Task {task_run.task.name} is answered in words, and overfitting is followed "
                "by probabilities: name another task."
            )


Trained = tuple[tuple[str, Any], ...]
"""Settings of students' training that are not those of the study."""


def steps_of(
    config: StudyConfig,
    tasks: Mapping[str, TaskRun],
    evaluations: int,
    trainings: Sequence[Trained] = ((),),
) -> list[Step]:
    """Supervisors, ceilings, and a student a method and training that is followed."""
    searches, first, students = list[Step](), list[Step](), list[Step]()
    for task in tasks:
        searches.extend(searches_of(config, task))
        weak, strong = (needed_rates(config, task, role) for role in ROLES)
        for seed in range(config.seeds):
            labels = Step("supervisor", task, seed, needs=weak)
            first.append(labels)
            first.append(Step("ceiling", task, seed, needs=strong))
            needs = (labels.name, *strong)
            students.extend(
                Step("traced", task, seed, method, needs, evaluations=evaluations, trained=trained)
                for method in config.methods
                for trained in trainings
            )
    return [*searches, *first, *students]


def curve(
    trace: stages.Trace,
    weak: Mapping[str, Predictions],
    truth: Mapping[str, int],
    config: StudyConfig,
    kind: Kind,
) -> list[dict[str, Any]]:
    """A row an evaluation of one student.

    Args:
        trace: of the student.
        weak: labels by split.
        truth: of the test, by id.
        config: the study.
        kind: of the task.
    """
    ids, labels = tuple(truth), np.array(list(truth.values()))
    score = metric(kind, config.metric)
    watch = metric(kind, config.strong_training.stopping_metric)
    given = weak["test"].at(ids)
    told = comparable(given, kind, config.metric)
    among = by_weak_label(is_right(given, labels, kind, config.metric))
    rows = []
    for fraction, loss, evaluate in zip(
        trace.fractions, trace.losses, trace.evaluations, strict=True
    ):
        answers, watched = evaluate["test"].at(ids), evaluate["validation"]
        seen = hard_labels(kind, weak["validation"].at(watched.ids))
        same = comparable(answers, kind, config.metric) == told
        shares = {n: float(same[x].mean()) if x.any() else None for n, x in among.items()}
        rows.append(
            {
                "fraction": fraction,
                "loss": loss,
                "test_score": float(score(answers, labels)),
                "validation_score": float(watch(watched.probabilities, seen)),
                **{f"agreement_{name}": share for name, share in shares.items()},
            }
        )
    for point, at in points_of(rows).items():
        for i, row in enumerate(rows):
            row[point] = i == at
    return rows


def points_of(rows: Sequence[Mapping[str, float]]) -> dict[str, int]:
    """Where the three points stand among the rows of one curve; the latest of equals."""

    def highest(name: str) -> int:
        scores = np.array([row[name] for row in rows])
        # Where no evaluation has a score, a study keeps the last weights.
        equals = np.flatnonzero(scores == np.nanmax(scores)) if not np.isnan(scores).all() else []
        return int(equals[-1]) if len(equals) else len(rows) - 1

    return {
        "best": highest("test_score"),
        "stopped": highest("validation_score"),
        "last": len(rows) - 1,
    }


def tables_of(
    config: StudyConfig,
    task_runs: Mapping[str, TaskRun],
    evaluations: int,
    trained: Trained = (),
) -> dict[str, pl.DataFrame]:
    """The two tables by file, of students that are trained so."""
    import polars as pl

    curves, frames = [], []
    for task_run in task_runs.values():
        test = sorted(task_run.splits.test, key=lambda e: e.item.id)
        ids = [e.item.id for e in test]
        same = {
            "task": task_run.task.name,
            "kind": task_run.task.kind,
            "id": ids,
            "group": [e.item.group for e in test],
            "label": [e.label for e in test],
        }
        for role, method, seed, point, answers in _answers(
            task_run, evaluations, ids, curves, trained
        ):
            where = {"role": role, "method": method, "seed": seed, "point": point}
            frames.append(pl.DataFrame(same | where | {"probabilities": answers.tolist()}))
    common = {"weak": config.weak_name, "strong": config.strong.name, "metric": config.metric}
    rows = [common | row for row in curves]
    return {CURVES: pl.DataFrame(rows, infer_schema_length=None), POINTS: pl.concat(frames)}


def _answers(
    task_run: TaskRun,
    evaluations: int,
    ids: Sequence[str],
    curves: list[dict[str, Any]],
    trained: Trained,
) -> Iterator[tuple[str, str, int, str, np.ndarray]]:
    """Who answers the test how, at which point; rows of curves are added on the way."""
    config = task_run.config
    label = {e.item.id: int(e.label) for e in task_run.splits.test}
    truth = {id: label[id] for id in ids}
    for seed in range(config.seeds):
        one = task_run.of_seed(seed)
        weak = stages.weak_labels(one, seed)
        yield "floor", "", seed, "", weak["test"].at(ids)
        yield "ceiling", "", seed, "", stages.ceiling(one, seed)["test"].at(ids)
        for method in config.methods:
            trace = stages.traced_student(one, method, seed, evaluations, dict(trained))
            rows = curve(trace, weak, truth, config, task_run.task.kind)
            about = {"task": task_run.task.name, "method": method, "seed": seed}
            curves.extend(about | row for row in rows)
            for point, at in points_of(rows).items():
                yield "student", method, seed, point, trace.evaluations[at]["test"].at(ids)


def reached(
    config: StudyConfig, curves: pl.DataFrame, answers: pl.DataFrame, method: str, point: str
) -> dict[str, Any]:
    """What the students of one method had reached at a point, from the test answers of one task.

    ``fraction``, the share of training done, and ``agreement_wrong``, the share of wrong weak
    labels that the student gives too, are means over seeds; the latter is None where no label is
    wrong.
    """
    task, test = answers["task"][0], answers.filter(role="floor", seed=0)
    at = curves.filter(task=task, method=method).filter(point)
    r = recovered(
        _stacked(answers.filter(role="floor"), config),
        _stacked(answers.filter(method=method, point=point), config),
        _stacked(answers.filter(role="ceiling"), config),
        test["label"].to_numpy(),
        test["group"].to_numpy(),
        metric(test["kind"][0], config.metric),
    )
    return {
        "task": task,
        "method": method,
        "point": point,
        "fraction": float(at["fraction"].to_numpy().mean()),
        "floor": r.floor,
        "student": r.student,
        "ceiling": r.ceiling,
        **r.pgr,
        "agreement_wrong": at["agreement_wrong"].mean(),
    }


def _stacked(rows: pl.DataFrame, config: StudyConfig) -> np.ndarray:
    """Probabilities (seeds, n, classes) of one role; examples stand in one order throughout."""
    return np.stack(
        [np.array(rows.filter(seed=s)["probabilities"].to_list()) for s in range(config.seeds)]
    )
