"""Tables that are made of a finished run, and stand beside its files unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.fields import File, Files, Flag
from weak2strong.config.settings import settings
from weak2strong.engine.claim import check_ours
from weak2strong.engine.recorded import RESULTS
from weak2strong.experiments.experiment import FinishedExperiment, Runnable, Where
from weak2strong.experiments.tables import write_tables
from weak2strong.ground.disks import writing
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.runs import LATEST_RUN

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class FinishedBeside(FinishedExperiment):
    """A folder with tables that are made of a run.

    Attributes:
        run_folder: the folder of the run, where that is another one.
    """

    run_folder: Path | None = None

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder holds the tables beside their run."""
        return super().is_in(folder) and FolderFiles(folder, "run").has(RESULTS)

    @cached_property
    def runs(self) -> Sequence[FinishedRun]:
        """The run."""
        return [FinishedRun(self.run_folder or self.folder, saturated=self.saturated)]


Beside = TypeVar("Beside", bound=FinishedBeside)


@settings("a look at a run")
class OnRun(Runnable[Beside]):
    """What makes tables of a finished run."""

    trains = False

    folder: Annotated[File, Flag(positional=True)] = LATEST_RUN
    """The run folder."""
    plugins: Annotated[Files, Flag("plugin")] = ()
    """Python files with what the run took from plugins, such as its metric."""

    def _write(self, where: Where) -> Path:
        load_plugins(self.plugins)
        run = FinishedRun(self.folder)
        folder, kind = where.out or run.folder, self.finished
        beside = folder.resolve() == run.folder.resolve()
        if not beside:
            check_ours(folder, kind.FILES)
        tables = self._tables(run, where)
        with writing(folder, "choose another folder with --out"):
            folder.mkdir(parents=True, exist_ok=True)
        # A run of a release before there was an index goes on without one.
        command = None if beside else kind.COMMAND
        write_tables(folder, dict(zip(kind.FILES, tables, strict=True)), command)
        return folder

    def _tables(
        self, run: FinishedRun, where: Where
    ) -> Sequence[pl.DataFrame | Sequence[Mapping[str, Any]]]:
        """The tables in the order of the files of the finished folder."""
        raise NotImplementedError

    def read(self, folder: Path) -> Beside:
        """The tables, and the run that they are of."""
        return self.finished(folder, self.folder)
