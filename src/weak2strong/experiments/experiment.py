"""What all experiments have in common: a study with settings of its own, and a finished folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from weak2strong.analysis.finished import FinishedFolder, FinishedRun
from weak2strong.config.engine import EngineOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.engine.claim import claim, claim_for_runs
from weak2strong.engine.local import Plan
from weak2strong.engine.recorded import STUDY, read_config, read_environment
from weak2strong.engine.run import do_steps, run_study
from weak2strong.engine.tracking.tracked import trackers_named, tracking
from weak2strong.engine.work import FILE as WORK
from weak2strong.engine.work import Work, read_work, work_file
from weak2strong.experiments.cell import settings_table
from weak2strong.experiments.tables import Rows, table_file
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.progress import Progress
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.schema import Columns
from weak2strong.ground.store import Store
from weak2strong.ground.table import Document, counted
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class FinishedExperiment(FinishedFolder):
    """The folder of a finished experiment, as terminal, page, figures and Python read it."""

    COMMAND: ClassVar[str]
    """The command that makes it."""
    FILES: ClassVar[Mapping[str, str]]
    """The files with its tables, and what they hold. By the first one its folder is known."""
    COLUMNS: ClassVar[Mapping[str, Columns]] = {}
    """The columns that the tables must have, by file (see `weak2strong.ground.schema`)."""
    MAY_HAVE: ClassVar[Mapping[str, Columns]] = {}
    """The columns that they may lack, likewise."""
    FIGURES: ClassVar[tuple[str, ...]] = ()
    """Names of its figures (see `weak2strong.report.figures.EXPERIMENT_FIGURES`)."""

    @classmethod
    def is_in(cls, folder: Path) -> bool:
        """Whether a folder holds this experiment, or should."""
        return FolderFiles(folder, cls.COMMAND).has(next(iter(cls.FILES)))

    @cached_property
    def files(self) -> FolderFiles:
        """The files of the folder, each checked when it is read."""
        return FolderFiles(self.folder, self.COMMAND)

    @property
    def config(self) -> StudyConfig:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The study, resolved; that of the first run where the folder holds several."""
        return self.runs[0].config if self.runs else self._study

    @cached_property
    def _study(self) -> StudyConfig:
        if not self.files.has(STUDY):
            raise self._unfinished()
        return read_config(self.files)

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions, device and commit; those of the first run where the folder holds several."""
        return self.runs[0].environment if self.runs else read_environment(self.files)

    @cached_property
    def work(self) -> list[Work]:
        """What each step of all runs took, and how many stages it reused."""
        found = [run.files for run in self.runs] or [self.files]
        return [work for files in found for work in read_work(files)]

    @cached_property
    def runs(self) -> Sequence[FinishedRun]:
        """The finished runs in the folder; none where the experiment makes no whole runs."""
        return ()

    @property
    def compared(self) -> Sequence[FinishedRun]:
        """The runs that a page compares and may show in full."""
        return ()

    @property
    def title(self) -> str:
        """Which experiment it is, and of which models."""
        raise NotImplementedError

    @property
    def about(self) -> str:
        """What was done, in a sentence or two."""
        raise NotImplementedError

    @cached_property
    def document(self) -> Document:
        """The tables, how to read them, and what to know before quoting them."""
        raise NotImplementedError

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `table`."""
        return self.table().to_dicts()

    @property
    def on_tasks(self) -> str:
        """The tasks of the rows, and how many seeds."""
        tasks = dict.fromkeys(row["task"] for row in self.rows)
        return f"{', '.join(tasks)}, {counted(self.config.seeds, 'seed')}"

    def table(self) -> pl.DataFrame:
        """The main table of the experiment."""
        return self.read_table(next(iter(self.FILES)))

    def read_table(self, file: str) -> pl.DataFrame:
        """One of the files with tables.

        Raises:
            UserError: where the folder does not hold it, or not as it was written.
        """
        table = self.files.table(file, self.COLUMNS.get(file, {}), self.MAY_HAVE.get(file))
        if table is None:
            raise self._unfinished()
        return table

    def _unfinished(self) -> UserError:
        return UserError(
            f"{self.folder} holds no finished {self.COMMAND.removeprefix('probe-')}: "
            f"run `w2s {self.COMMAND} --out {self.folder}`."
        )


@dataclass(frozen=True)
class Where:
    """Where an experiment runs, and where its results go.

    Attributes:
        out: the folder; None for a new one below ``runs``.
        store: root of the store; None for the user's.
        progress: where to show what is going on.
        plan: processes and threads; None for what suits models and machine.
        engine: what the user wants of the engine.
    """

    out: Path | None = None
    store: Path | None = None
    progress: Progress = field(default_factory=lambda: Progress(quiet=True))
    plan: Plan | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)

    def plan_of(self, config: StudyConfig) -> Plan:
        """The plan, or the usual one of a study."""
        return self.plan or Plan.of(config, self.engine)

    def run(self, config: StudyConfig, out: Path | None = None) -> Path:
        """Run a study here; its folder is returned.

        Args:
            config: the study.
            out: its folder; by default that of the experiment.
        """
        out = out or self.out
        return run_study(config, out, self.store, self.progress, self.plan, engine=self.engine)

    def perform(
        self,
        kind: type[FinishedExperiment],
        config: StudyConfig,
        task_runs: Mapping[str, TaskRun],
        steps: Sequence[Step],
        tables: Callable[[], Mapping[str, pl.DataFrame | Rows]],
    ) -> Path:
        """Do the steps of an experiment here, and put its tables into its folder, which is
        returned.

        Args:
            kind: the class that reads the folder of the experiment.
            config: its study, resolved.
            task_runs: by the name of the task.
            steps: all of them.
            tables: by the name of the file, once all steps are done.
        """
        trackers = trackers_named(self.engine.track)
        folder = claim(self.out, config, tuple(task_runs), kind.COMMAND, kind.FILES)

        def files(work: Sequence[Work]) -> Mapping[str, bytes]:
            made = {name: table_file(name, table) for name, table in tables().items()}
            return {STUDY: config.to_yaml().encode(), WORK: work_file(work), **made}

        plan = self.plan_of(config)
        with tracking(trackers, config, folder, self.progress) as tracked:
            do_steps(folder, steps, task_runs, plan, self.progress, files, kind.COMMAND, tracked)
            tracked.finish(has_table=False)
        return folder


Finished = TypeVar("Finished", bound=FinishedFolder)
"""The class that reads the folder of an experiment."""


class Runnable(Generic[Finished]):
    """What runs, and leaves a folder behind that a class of its own reads."""

    finished: ClassVar[type[Any]]
    """This class."""
    without: ClassVar[tuple[str, ...]] = ()
    """Settings of a study that play no part in it, and have no flag."""
    purpose: ClassVar[Purpose] = Purpose.EXPERIMENT
    """Where `w2s --help` lists it."""
    trains: ClassVar[bool] = True
    """Whether it finetunes models of its own, which trackers can follow."""

    def run(
        self,
        out: str | Path | None = None,
        store: str | Path | None = None,
        quiet: bool = False,
        **engine: Any,
    ) -> Finished:
        """Run what the store does not have yet, and return the finished experiment.

        Args:
            out: the folder; a new one below ``runs`` if None.
            store: root of the store; the user's own if None.
            quiet: show no progress.
            **engine: how it is run: see `weak2strong.config.engine.EngineOptions`.

        Raises:
            UserError: for bad input, before anything is trained.
        """
        options = EngineOptions(**engine)
        with Progress(quiet=quiet) as progress:
            folder = self.write(
                Path(out) if out else None,
                Path(store) if store else None,
                progress,
                engine=options,
            )
        return self.read(folder)

    def read(self, folder: Path) -> Finished:
        """The finished experiment in the folder that `write` gave."""
        return self.finished(folder)

    def write(
        self,
        out: Path | None = None,
        store: Path | None = None,
        progress: Progress | None = None,
        plan: Plan | None = None,
        engine: EngineOptions | None = None,
    ) -> Path:
        """Run the experiment and write its folder.

        Args:
            out: the folder; by default a new one below ``runs``.
            store: root of the store; by default the user's.
            progress: where to show what is going on.
            plan: processes and threads; by default what suits models and machine.
            engine: what the user wants of the engine.

        Returns:
            The folder.

        Raises:
            UserError: for bad input, before anything is trained.
        """
        progress, engine = progress or Progress(quiet=True), engine or EngineOptions()
        if engine.track and not self.trains:
            raise UserError(
                "Nothing is finetuned here that a tracker could follow: leave --track out."
            )
        return self._write(Where(out, store, progress, plan, engine))

    def _write(self, where: Where) -> Path:
        raise NotImplementedError


@settings("an experiment")
class Experiment(Runnable[Finished], StudyConfig):
    """A study with the settings of an experiment."""

    @classmethod
    def of(cls, study: StudyConfig, **own: Any) -> Self:
        """The experiment on a study, with settings of its own."""
        return cls(**_shared(study) | own)

    def _repr_html_(self) -> str:
        """What a notebook shows: the settings that are not as usual."""
        return settings_table(self)._repr_html_()

    @property
    def named_models(self) -> Mapping[str, str]:
        """Names of the ``weak`` and the ``strong`` model, where its own settings name them."""
        return {}

    @property
    def further_models(self) -> tuple[ModelSpec, ...]:
        """Models that it loads besides those of the study."""
        return ()

    @property
    def config(self) -> StudyConfig:
        """The study without the settings of the experiment."""
        return StudyConfig(**_shared(self))

    def check_supervised(self, by_people: bool = False) -> None:
        """Refuse a study that brings its own weak labels.

        Args:
            by_people: whether annotators may stand in place of a supervisor.

        Raises:
            UserError: for such a study.
        """
        if self.weak_labels:
            raise UserError("This takes a supervisor, and the study has a file of weak labels.")
        if self.data.weak_label_columns and not by_people:
            raise UserError(
                "This takes supervisors, and the study has labels of people in their place: leave "
                "--weak-label-columns out."
            )


def _shared(study: StudyConfig) -> dict[str, Any]:
    return {f.name: getattr(study, f.name) for f in fields(StudyConfig)}


def task_runs_of(config: StudyConfig, where: Where) -> dict[str, TaskRun]:
    """The tasks of a resolved study by name, ready to run."""
    return TaskRun.all_of(config, Store(where.store))


def run_several(
    command: str,
    studies: Mapping[str, StudyConfig],
    where: Where,
    tables: Collection[str],
) -> Mapping[str, FinishedRun]:
    """Run studies one after another; through the store they share what they can.

    Args:
        command: the name of a new folder after the time.
        studies: by the names of their folders.
        where: they run; ``out`` is the folder of all.
        tables: names of files that are written into that folder afterwards.

    Returns:
        The runs by the same names; their folders stand in one folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    for config in studies.values():
        resolved(config)
    folder = claim_for_runs(where.out, command, tables)
    runs = {}
    for number, (name, config) in enumerate(studies.items(), start=1):
        where.progress.line(f"{name} ({number} of {len(studies)})")
        runs[name] = FinishedRun(where.run(config, folder / name))
    return runs
