"""Trackio: a run of it for each training, in one group, which its board draws over each other.

It keeps them on this machine; ``TRACKIO_DIR`` says where, and ``TRACKIO_SPACE_ID`` or
``TRACKIO_SERVER_URL`` send them elsewhere. ``TRACKIO_PROJECT`` names the project.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from weak2strong.engine.tracking.tracker import (
    PROJECT,
    TrackedRun,
    TrackedTraining,
    plain_numbers,
)


class Trackio:
    """Writes into a database of the user's, unless a space or a server is named."""

    package: ClassVar[str] = "trackio"
    extra: ClassVar[str] = "trackio"

    def start(self, run: TrackedRun) -> str:
        """Remember the run; trackio knows a run when something is told of it."""
        self._group, self._settings = run.name, dict(run.settings)
        self._project = os.environ.get("TRACKIO_PROJECT", PROJECT)
        with self._run("study"):
            pass
        return f'trackio show --project "{self._project}"'

    def training(self, training: TrackedTraining) -> None:
        """A run of its own, with the steps of the training."""
        about = {"task": training.task, "role": training.role, "method": training.method}
        with self._run(training.name, **about, seed=training.seed) as trackio:
            for step, numbers in training.numbers():
                trackio.log(numbers, step=step)

    def results(self, table: Sequence[Mapping[str, Any]], page: Path) -> None:
        """The numbers of each row as a run, and the page among the files of the project."""
        for row in table:
            with self._run(f"{row['task']} {row['method']} results") as trackio:
                trackio.log(plain_numbers(row), step=0)
        with self._run("report") as trackio:
            trackio.log_artifact(str(page), name=f"{self._group}-report", type="report")

    def end(self, failed: bool) -> None:
        """Nothing is open."""

    @contextmanager
    def _run(self, name: str, **about: Any) -> Iterator[Any]:
        """A context in which a run of trackio is open; what it prints goes to standard error."""
        trackio: Any = import_module("trackio")

        with redirect_stdout(sys.stderr):
            trackio.init(
                project=self._project,
                name=f"{self._group} {name}",
                group=self._group,
                config=self._settings | about,
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
            try:
                yield trackio
            finally:
                trackio.finish()
