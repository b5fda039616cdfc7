"""Students on their way: what they score, and how far they imitate, at every evaluation.

The folder holds ``curves.parquet`` (a row an evaluation) and ``points.parquet`` (test answers of
floor, ceiling, and of each student at three points):

- *best*: the highest score on the ground truth of the test, which is an oracle;
- *stopped*: the highest score on the weak labels of validation, what a study would keep;
- *last*: the end of training.

Of equals the earliest. Nothing but the first looks at ground truth, and no training does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Plan
from weak2strong.engine.run import claim, do_steps
from weak2strong.engine.work import Work, write_work
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.methods.reference import find_method
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.answered import by_weak_label, right, said
from weak2strong.tasks.kinds import hard_labels
from weak2strong.tasks.task import Kind

CURVES, POINTS = "curves.parquet", "points.parquet"


def run_overfitting(
    config: StudyConfig,
    evaluations: int = 20,
    out: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> Path:
    """Train the students of a study to their last step, and look at them all the while.

    Args:
        config: the study; its methods must finetune once, and see no ground truth.
        evaluations: how often to look, evenly spaced.
        out: the run folder; by default a new one below ``runs``.
        store: root of the store; by default the user's.
        progress: where to show what is going on.
        plan: processes and threads; by default what suits models and machine.

    Returns:
        The run folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    if evaluations < 1:
        raise UserError(f"--evaluations must be at least 1, not {evaluations}.")
    config, kept = resolved(config), Store(store)
    for method in config.methods:
        _check(method)
    task_runs = {d.task.name: d for d in (TaskRun.of(config, kept, r) for r in config.tasks)}
    for task_run in task_runs.values():
        if task_run.task.kind in WRITTEN:
            raise UserError(
                f"Task {task_run.task.name} is answered in words, and overfitting is followed by "
                "probabilities: name another task."
            )
    folder = claim(out, config, tuple(task_runs), what="overfitting")

    def write(work: Sequence[Work]) -> None:
        write_work(folder, work)
        _write(folder, config, task_runs, evaluations)

    do_steps(
        folder,
        _steps(config, task_runs, evaluations),
        task_runs,
        plan or Plan.of(config),
        progress or Progress(quiet=True),
        write,
    )
    return folder


def _check(method: str) -> None:
    """Refuse what has no one curve.

    Raises:
        UserError: for a method that sees ground truth, or finetunes not just once.
    """
    # Planning takes torch, which those who only read a folder can do without.
    from weak2strong.engine.plan import ask

    if find_method(method).oracle:
        raise UserError(f"{method!r} sees ground truth: name methods that do not.")
    fits = len(ask(method).fits)
    if fits != 1:
        raise UserError(
            f"The method {method!r} finetunes {fits} times, so it has no one curve: name methods "
            "that finetune once, such as naive or confidence."
        )


def _steps(config: StudyConfig, tasks: Mapping[str, TaskRun], evaluations: int) -> list[Step]:
    first, students = [], []
    for task in tasks:
        for seed in range(config.seeds):
            labels = Step("supervisor", task, seed)
            first.append(labels)
            first.append(Step("ceiling", task, seed))
            students.extend(
                Step("traced", task, seed, method, (labels.name,), evaluations=evaluations)
                for method in config.methods
            )
    return [*first, *students]


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
    told = said(given, kind, config.metric)
    among = by_weak_label(right(given, labels, kind, config.metric))
    rows = []
    for fraction, loss, evaluate in zip(
        trace.fractions, trace.losses, trace.evaluations, strict=True
    ):
        answers, watched = evaluate["test"].at(ids), evaluate["validation"]
        seen = hard_labels(kind, weak["validation"].at(watched.ids))
        same = said(answers, kind, config.metric) == told
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
    """Where the three points stand among the rows of one curve; the earliest of equals."""

    def highest(name: str) -> int:
        scores = np.array([row[name] for row in rows])
        # Where no evaluation has a score, a study keeps the last weights.
        return len(rows) - 1 if np.isnan(scores).all() else int(np.nanargmax(scores))

    return {
        "best": highest("test_score"),
        "stopped": highest("validation_score"),
        "last": len(rows) - 1,
    }


def _write(
    folder: Path, config: StudyConfig, task_runs: Mapping[str, TaskRun], evaluations: int
) -> None:
    """The two tables."""
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
        for role, method, seed, point, answers in _answers(task_run, evaluations, ids, curves):
            where = {"role": role, "method": method, "seed": seed, "point": point}
            frames.append(pl.DataFrame(same | where | {"probabilities": answers.tolist()}))
    common = {"weak": config.weak_name, "strong": config.strong.name, "metric": config.metric}
    for name, frame in (
        (POINTS, pl.concat(frames)),
        (CURVES, pl.DataFrame([common | row for row in curves])),
    ):
        partial = folder / f"{name}.partial"
        frame.write_parquet(partial)
        partial.replace(folder / name)


def _answers(
    task_run: TaskRun, evaluations: int, ids: Sequence[str], curves: list[dict[str, Any]]
) -> Iterator[tuple[str, str, int, str, np.ndarray]]:
    """Who answers the test how, at which point; rows of curves are added on the way."""
    config = task_run.config
    label = {e.item.id: int(e.label) for e in task_run.splits.test}
    truth = {id: label[id] for id in ids}
    for seed in range(config.seeds):
        weak = stages.weak_labels(task_run, seed)
        yield "floor", "", seed, "", weak["test"].at(ids)
        yield "ceiling", "", seed, "", stages.ceiling(task_run, seed)["test"].at(ids)
        for method in config.methods:
            trace = stages.traced_student(task_run, method, seed, evaluations)
            rows = curve(trace, weak, truth, config, task_run.task.kind)
            about = {"task": task_run.task.name, "method": method, "seed": seed}
            curves.extend(about | row for row in rows)
            for point, at in points_of(rows).items():
                yield "student", method, seed, point, trace.evaluations[at]["test"].at(ids)
