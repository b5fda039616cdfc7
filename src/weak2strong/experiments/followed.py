"""Students followed through training: what runs, and a row an evaluation of each.

They have three points:

- *best*: the highest score on the ground truth of the test, which is an oracle;
- *stopped*: the highest score on the weak labels of validation, which a study would keep;
- *last*: the end of training.

Of equals the latest. Only the first point takes ground truth, and no training does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions, column
from weak2strong.methods.reference import find_method
from weak2strong.protocol import stages
from weak2strong.protocol.choice import ROLES
from weak2strong.protocol.steps import Step, needed_rates, searches_of
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answers import by_weak_label, comparable, is_right
from weak2strong.tasks.kinds import hard_labels, true_labels
from weak2strong.tasks.task import Example, Kind

if TYPE_CHECKING:
    import polars as pl


CURVES, POINTS = "curves.parquet", "points.parquet"


CHOSEN = {
    "best": "on ground truth of the test, an oracle",
    "stopped": "on weak labels of validation",
    "last": "at the end",
}
"""The points, and by what each is chosen."""


Trained = tuple[tuple[str, Any], ...]
"""Settings of students' training that are not those of the study."""


def check_sees_no_truth(method: str) -> None:
    """Refuse an oracle.

    Raises:
        UserError: for a method that sees ground truth.
    """
    if find_method(method).oracle:
        raise UserError(f"{method!r} sees ground truth: name methods that do not.")


def check_followed(method: str) -> None:
    """Refuse what has no one curve.

    Raises:
        UserError: for a method that sees ground truth, or finetunes not just once.
    """
    # Planning takes torch, which those who only read a folder can do without.
    from weak2strong.engine.stand_in import trial_run

    check_sees_no_truth(method)
    fits = len(trial_run(method).fits)
    if fits != 1:
        raise UserError(
            f"The method {method!r} finetunes {fits} times, so it has no one curve: name methods "
            "that finetune once, such as naive or confidence."
        )


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
    test: Sequence[Example],
    config: StudyConfig,
    kind: Kind,
) -> list[dict[str, Any]]:
    """A row an evaluation of one student.

    Args:
        trace: of the student.
        weak: labels by split.
        test: examples, with ground truth.
        config: the study.
        kind: of the task.
    """
    ids, labels = [e.item.id for e in test], true_labels(kind, test)
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
                "validation_score": float(watch(watched.values, seen)),
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
        kind, test = task_run.task.kind, sorted(task_run.splits.test, key=lambda e: e.item.id)
        same = {
            "task": task_run.task.name,
            "kind": kind,
            "id": [e.item.id for e in test],
            "group": [e.item.group for e in test],
            "label": true_labels(kind, test).tolist(),
        }
        for role, method, seed, point, answers in _answers(
            task_run, evaluations, test, curves, trained
        ):
            where = {"role": role, "method": method, "seed": seed, "point": point}
            frames.append(pl.DataFrame(same | where).with_columns(column(answers, kind)))
    common = {"weak": config.weak_name, "strong": config.strong.name, "metric": config.metric}
    rows = [common | row for row in curves]
    return {CURVES: pl.DataFrame(rows, infer_schema_length=None), POINTS: pl.concat(frames)}


def _answers(
    task_run: TaskRun,
    evaluations: int,
    test: Sequence[Example],
    curves: list[dict[str, Any]],
    trained: Trained,
) -> Iterator[tuple[str, str, int, str, np.ndarray]]:
    """Who answers the test how, at which point; rows of curves are added on the way."""
    config, ids = task_run.config, [e.item.id for e in test]
    for seed in range(config.seeds):
        one = task_run.of_seed(seed)
        weak = stages.weak_labels(one, seed)
        yield "floor", "", seed, "", weak["test"].at(ids)
        yield "ceiling", "", seed, "", stages.ceiling(one, seed)["test"].at(ids)
        for method in config.methods:
            trace = stages.traced_student(one, method, seed, evaluations, dict(trained))
            rows = curve(trace, weak, test, config, task_run.task.kind)
            about = {"task": task_run.task.name, "method": method, "seed": seed}
            curves.extend(about | row for row in rows)
            for point, at in points_of(rows).items():
                yield "student", method, seed, point, trace.evaluations[at]["test"].at(ids)
