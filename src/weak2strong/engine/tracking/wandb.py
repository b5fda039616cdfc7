"""Weights & Biases: one run of it for a study, with the curves of all trainings side by side.

Its own variables say where and how: ``WANDB_PROJECT``, ``WANDB_ENTITY``, ``WANDB_MODE=offline``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from weak2strong.engine.tracking.tracker import (
    PROJECT,
    TrackedRun,
    TrackedTraining,
    plain_numbers,
)

STEP = "training step"
"""The axis of all curves: steps of trainings, of which many begin at 1."""


class WandB:
    """Sends to a server, unless ``WANDB_MODE`` is offline; then it writes into the run folder."""

    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"

    def start(self, run: TrackedRun) -> str:
        """Begin a run of the project."""
        wandb: Any = import_module("wandb")

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=run.name,
            config=dict(run.settings),
            dir=str(run.folder),
            job_type="study",
            # What this process prints is no part of it.
            settings=wandb.Settings(console="off", silent=True),
        )
        self._run.define_metric(STEP, hidden=True)
        self._run.define_metric("*", step_metric=STEP)
        return str(self._run.dir if self._run.offline else self._run.url)

    def training(self, training: TrackedTraining) -> None:
        """A section for each measure, and in it a line for each training."""
        for step, numbers in training.numbers():
            named = {f"{measure}/{training.name}": value for measure, value in numbers.items()}
            self._run.log({STEP: step, **named})

    def results(self, table: Sequence[Mapping[str, Any]], page: Path) -> None:
        """The table, its numbers in the summary, and the page as an artefact."""
        wandb: Any = import_module("wandb")

        for row in table:
            for name, value in plain_numbers(row).items():
                self._run.summary[f"{name}/{row['task']} {row['method']}"] = value
        if table:
            names = list(table[0])
            rows = [[_cell(row[name]) for name in names] for row in table]
            self._run.log({"results": wandb.Table(columns=names, data=rows)})
        artefact = wandb.Artifact(f"report-{self._run.id}", type="report")
        artefact.add_file(str(page))
        self._run.log_artifact(artefact)

    def end(self, failed: bool) -> None:
        """Send what is left."""
        self._run.finish(exit_code=int(failed))


def _cell(value: Any) -> Any:
    """A value that a table of one kind a column takes."""
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)
