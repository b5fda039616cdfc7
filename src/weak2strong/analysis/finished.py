"""A finished run as its folder tells it, each file read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.engine.contents import read_contents
from weak2strong.engine.record import read_run
from weak2strong.engine.work import Work, read_work
from weak2strong.protocol.config import StudyConfig

if TYPE_CHECKING:
    import polars as pl

    from weak2strong.analysis.summary import Line


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, read from its folder alone."""

    folder: Path

    @cached_property
    def _read(self) -> tuple[StudyConfig, pl.DataFrame, pl.DataFrame]:
        return read_run(self.folder)

    @property
    def config(self) -> StudyConfig:
        """The study, resolved."""
        return self._read[0]

    @property
    def cells(self) -> pl.DataFrame:
        """One row a cell and metric: floor, student, ceiling, and the two checks."""
        return self._read[1]

    @property
    def predictions(self) -> pl.DataFrame:
        """Test predictions of every role, with id, group and ground truth."""
        return self._read[2]

    @cached_property
    def tasks(self) -> list[Mapping[str, Any]]:
        """What each task holds: source, licence, classes, splits, what was left out."""
        return read_contents(self.folder)

    @cached_property
    def work(self) -> list[Work]:
        """What the run spent on each step, and how many stages it reused."""
        return read_work(self.folder)

    def _summarised(self, metric: str | None = None) -> list[Line]:
        """One summary a task and method; on the study's metric if None."""
        from weak2strong.analysis.summary import summarise

        truncated = {task["name"]: task["truncated"] for task in self.tasks}
        return summarise(self.config, self.predictions, metric, truncated, self.work)
