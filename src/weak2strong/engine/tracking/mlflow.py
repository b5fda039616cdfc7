"""MLflow: a run of it for a study, and a run beneath it for each training.

``MLFLOW_TRACKING_URI`` and ``MLFLOW_EXPERIMENT_NAME`` say where; by default MLflow's own store in
the folder from which the command was called, which ``mlflow ui`` shows.
"""

from __future__ import annotations

import os
import time
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

AT_ONCE, MOST, LONGEST = 1000, 100, 500
"""Numbers and parameters that MLflow takes at once; characters of the value of a parameter."""


class MLflow:
    """Tells MLflow's store, on this machine or a server."""

    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    def start(self, run: TrackedRun) -> str:
        """Begin a run of the experiment."""
        mlflow: Any = import_module("mlflow")
        entities: Any = import_module("mlflow.entities")

        self._client = mlflow.MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found else self._client.create_experiment(name)
        self._study = self._begin(run.name)
        params = [entities.Param(key, str(value)[:LONGEST]) for key, value in run.settings.items()]
        self._client.log_batch(self._study, params=params[:MOST])
        self._client.log_dict(self._study, dict(run.settings), "study.json")
        return f"{mlflow.get_tracking_uri()}, experiment {name}"

    def training(self, training: TrackedTraining) -> None:
        """A run beneath that of the study, with the steps of the training."""
        beneath = {"mlflow.parentRunId": self._study}
        about = {"task": training.task, "role": training.role, "method": training.method}
        run = self._begin(training.name, {**beneath, **about, "seed": str(training.seed)})
        self._log(
            run,
            [
                (name, value, step)
                for step, numbers in training.numbers()
                for name, value in numbers.items()
            ],
        )
        self._client.set_terminated(run)

    def results(self, table: Sequence[Mapping[str, Any]], page: Path) -> None:
        """The numbers of the table, the table itself, and the page, both as artefacts."""
        numbers = [
            (_plain(f"{name}/{row['task']} {row['method']}"), value, 0)
            for row in table
            for name, value in plain_numbers(row).items()
        ]
        self._log(self._study, numbers)
        if table:
            columns = {name: [str(row[name]) for row in table] for name in table[0]}
            self._client.log_table(self._study, columns, "results.json")
        self._client.log_artifact(self._study, str(page))

    def end(self, failed: bool) -> None:
        """Say how it ended."""
        self._client.set_terminated(self._study, "FAILED" if failed else "FINISHED")

    def _begin(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=dict(tags or {}))
        return run.info.run_id

    def _log(self, run: str, numbers: Sequence[tuple[str, float, int]]) -> None:
        entities: Any = import_module("mlflow.entities")

        now = int(time.time() * 1000)
        metrics = [entities.Metric(name, value, now, step) for name, value, step in numbers]
        for begin in range(0, len(metrics), AT_ONCE):
            self._client.log_batch(run, metrics=metrics[begin : begin + AT_ONCE])


def _plain(name: str) -> str:
    """A name in the characters that those of MLflow may have."""
    return "".join(c if c.isalnum() or c in "_-. /:" else "_" for c in name)
