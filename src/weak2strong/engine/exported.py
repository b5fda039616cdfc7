"""One trained model of a finished run as a folder, also where the run kept none.

The steps that the model needs are read from the store or done again, and the model is trained once
more where its weights are not there. Its answers are then compared with those that the run has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.engine import EngineOptions
from weak2strong.config.study import StudyConfig
from weak2strong.engine.done import Done
from weak2strong.engine.engines import run_steps
from weak2strong.engine.kept import ROLES, Cell, check_kept, put_model, scores_of, sizes_told
from weak2strong.engine.places import Plan
from weak2strong.engine.recorded import read_run
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import load_predictions
from weak2strong.ground.progress import Progress
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolve, settle
from weak2strong.protocol.stages.files import FILE
from weak2strong.protocol.steps import Step, steps
from weak2strong.protocol.task_run import TaskRun

if TYPE_CHECKING:
    import polars as pl

EQUAL = 1e-6
"""How far probabilities may be apart that are the same."""

ROLES_OF_ANSWERS = {"supervisor": "floor", "ceiling": "ceiling", "student": "student"}
"""What the answers of each role are called in the predictions of a run."""


@dataclass(frozen=True)
class Exported:
    """A model that was written to a folder.

    Attributes:
        cell: whose model it is.
        trained: whether it was trained once more for this.
        apart: how far its probabilities are from those of the run on the test set, at the most;
            None where the run has other test examples.
    """

    cell: Cell
    trained: bool
    apart: float | None

    @property
    def same(self) -> bool:
        """Whether it answers as in the run."""
        return self.apart is not None and self.apart <= EQUAL


def export_model(
    run: Path,
    out: Path,
    role: str,
    *,
    seed: int = 0,
    method: str | None = None,
    task: str | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    engine: EngineOptions | None = None,
) -> Exported:
    """Write a trained model of a finished run to a folder.

    Args:
        run: the folder of the run.
        out: the new folder; there is nothing yet, or an empty folder.
        role: ``student``, ``ceiling`` or ``supervisor``.
        seed: of the cell.
        method: of a student, by default the only one of the run; of a ceiling the step by which it
            reads texts first.
        task: by default the only one of the run.
        store: its root; by default the user's.
        progress: shows the steps.
        engine: what the user wants of the engine.

    Raises:
        UserError: where there is no such run or cell, its model cannot be kept, or the folder
            cannot be written.
    """
    progress = progress or Progress(quiet=True)
    if engine and engine.track:
        raise UserError("No run is made here that a tracker could follow: leave --track out.")
    config, _, predictions = read_run(run)
    _check_free(out)
    cell = _cell(config, predictions, role, seed, method, task)
    task_runs = _task_runs(config, Store(store))
    task_run = task_runs[cell.task]
    check_kept(task_run.config, {cell.task: task_run}, (role,))
    *before, own = _needed(task_run, cell)
    todo = (*before, replace(own, keeps=True))
    for text in sizes_told(task_run.config, todo):
        progress.line(text)
    trained = list[bool]()

    def tell(done: Done) -> None:
        for text in done.warnings:
            progress.line(f"warning: {text}")
        progress.line(done.line)
        if done.step.keeps:
            trained.append(not done.reused)

    plan = Plan.of(task_run.config, engine)
    run_steps(todo, task_runs, plan, progress, tell)
    task_run = task_run.of_seed(seed)
    source = stages.kept_model(task_run, role, seed, cell.method)
    if source is None:
        raise UserError(
            f"The student of {cell.method} is no one finetuned model (a probe, prompts, or a mean "
            "of several are none), so that there is nothing to export: choose another --method."
        )
    put_model(source, out, cell, task_run, scores_of(run, config, cell))
    return Exported(cell, any(trained), _apart(source.parent / FILE, cell, predictions))


def _check_free(out: Path) -> None:
    """Refuse a folder that holds something.

    Raises:
        UserError: for such a folder, or a file.
    """
    try:
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as e:
        raise UserError(
            f"{out} cannot be looked into ({e.strerror}): choose another folder with --out."
        ) from e
    if taken:
        raise UserError(f"{out} holds something already: choose a new folder with --out.")


def _task_runs(config: StudyConfig, store: Store) -> dict[str, TaskRun]:
    """The tasks of a run's study; what this machine has may differ from what the run had."""
    return TaskRun.all_of(settle(resolve(config).config), store)


def _cell(
    config: StudyConfig,
    predictions: pl.DataFrame,
    role: str,
    seed: int,
    method: str | None,
    task: str | None,
) -> Cell:
    """The cell that a user names.

    Raises:
        UserError: where the run has none of these names.
    """
    if role not in ROLES:
        raise unknown_name("role", role, ROLES)
    of_role = predictions.filter(role=ROLES_OF_ANSWERS[role])
    tasks = of_role["task"].unique(maintain_order=True).to_list()
    if task is None and len(tasks) > 1:
        raise UserError(f"The run has the tasks {', '.join(tasks)}: name one of them with --task.")
    if task and task not in tasks:
        raise unknown_name("task of the run", task, tasks)
    task = task or str(tasks[0])
    if not 0 <= seed < config.seeds:
        raise UserError(f"The run has no seed {seed}: choose --seed from 0 to {config.seeds - 1}.")
    methods = list(config.methods)
    if role == "ceiling":
        methods = of_role["method"].unique(maintain_order=True).to_list()
    elif role == "student" and method is None:
        if len(methods) > 1:
            raise UserError(
                f"The run has students of {', '.join(methods)}: name one of them with --method."
            )
        method = methods[0]
    if method and (role == "supervisor" or method not in methods):
        if not any(methods) or role == "supervisor":
            raise UserError(f"The {role} of this run is trained without a method: leave it out.")
        raise unknown_name("method of the run", method, [name for name in methods if name])
    return Cell(task, role, seed, method or None)


def _steps(task_run: TaskRun, task: str) -> tuple[Step, ...]:
    """The steps of the study on one task."""
    return steps(task_run.config, {task: task_run.task.kind}, {task: task_run.task.inputs})


def _needed(task_run: TaskRun, cell: Cell) -> list[Step]:
    """The step of a cell, last, and before it those that it needs."""
    every = {step.name: step for step in _steps(task_run, cell.task)}
    (own,) = (
        step
        for step in every.values()
        if (step.kind, step.seed, step.method) == (cell.role, cell.seed, cell.method)
    )

    def before(step: Step) -> Iterator[str]:
        for name in step.needs:
            if name in every:
                yield from before(every[name])
                yield name

    return [*(every[name] for name in dict.fromkeys(before(own))), own]


def _apart(file: Path, cell: Cell, predictions: pl.DataFrame) -> float | None:
    """How far the answers of a stage are from those of a run on the test set, at the most."""
    import polars as pl

    role = ROLES_OF_ANSWERS[cell.role]
    theirs = predictions.filter(
        pl.col("task") == cell.task,
        pl.col("role") == role,
        pl.col("method") == (cell.method or ""),
        pl.col("seed") == cell.seed,
    )
    ours = load_predictions(file)["test"]
    if set(theirs["id"]) != set(ours.ids):
        return None
    values = np.array(theirs["probabilities"].to_list())
    return float(np.abs(ours.at(theirs["id"].to_list()) - values).max())
