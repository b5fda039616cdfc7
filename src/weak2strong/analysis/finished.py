"""A finished folder as it stands on the disk: each of its files is read once, when it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.config.study import StudyConfig
from weak2strong.engine.contents import read_contents
from weak2strong.engine.curves import read_curves
from weak2strong.engine.rates import Rates, read_rates
from weak2strong.engine.recorded import (
    open_run,
    read_agreement,
    read_config,
    read_environment,
    read_learned,
    read_predictions,
    read_results,
)
from weak2strong.engine.work import Work, read_work
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.runs import run_folder
from weak2strong.ground.shown import SHOWN
from weak2strong.ground.table import seeds_text

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingImports]
    import polars as pl
    from matplotlib.figure import Figure

    from weak2strong.analysis.analyse import Analysed
    from weak2strong.analysis.audit.run import RunAudit
    from weak2strong.analysis.figure_names import FigureName
    from weak2strong.analysis.headlines import Claims
    from weak2strong.analysis.over_tasks import OverTasks
    from weak2strong.analysis.settings import SettingsCompared
    from weak2strong.analysis.summary import Line
    from weak2strong.analysis.tested import Tested
    from weak2strong.protocol.learned import Learned


@dataclass(frozen=True)
class FinishedFolder:
    """A folder in which a run or an experiment is finished.

    Attributes:
        folder: its path; in Python also a text, ``latest``, or the beginning of a name in ``runs``.
        saturated: above which score of floor and ceiling tasks are left out of means over tasks and
            of comparisons; as the study says if None.
    """

    folder: Path
    saturated: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        # In Python a folder may be named by its text.
        object.__setattr__(self, "folder", run_folder(self.folder))

    @cached_property
    def files(self) -> FolderFiles:
        """The files of the folder, each checked when it is read."""
        raise NotImplementedError

    @cached_property
    def config(self) -> StudyConfig:
        """The study, resolved."""
        return read_config(self.files)

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Versions, device and commit; nothing where the folder is older than the file."""
        return read_environment(self.files)

    @cached_property
    def work(self) -> list[Work]:
        """What each step took, and how many stages it reused."""
        return read_work(self.files)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the folder as one HTML file, and return the path of this file.

        Args:
            path: the file; ``report.html`` in the folder if None.

        Raises:
            UserError: where it cannot be written.
        """
        write_page = SHOWN.get("page")
        path = Path(path) if path else self.folder / "report.html"
        return write_page([self.folder], path, self.saturated)

    def figure(self, name: FigureName) -> Figure:
        """A figure of `w2s figures` by its name, as Matplotlib has it.

        Each call draws anew, so that titles, sizes and colours can be changed, and `savefig` writes
        it. A notebook shows it as it is.

        Args:
            name: such as "scores" or "pgr"; an unknown one is told with all names.

        Raises:
            UserError: for an unknown name, or a figure that this folder lacks the data for.
        """
        return SHOWN.get("figure")(self, name)

    def table(self) -> pl.DataFrame:
        """The main table."""
        raise NotImplementedError

    def to_pandas(self, **of_table: Any) -> pd.DataFrame:
        """The main table as a frame of pandas.

        Args:
            **of_table: arguments of `table`.

        Raises:
            UserError: where pandas is not installed.
        """
        if find_spec("pandas") is None:
            raise UserError(
                "pandas is not installed, and to_pandas() needs it: "
                "pip install 'weak2strong[pandas]', or take table(), a frame of polars."
            )
        return self.table(**of_table).to_pandas()

    def _repr_html_(self) -> str:
        """What a notebook shows: the tables that the command line prints."""
        return SHOWN.get("cell")(self)


@dataclass(frozen=True)
class FinishedRun(FinishedFolder):
    """A finished run, read from its folder alone."""

    def __str__(self) -> str:
        """The pair of models, and the columns of `table` that tell the result."""
        import polars as pl

        first = self.lines()[0]
        shown = self.table().select(RESULT)
        with pl.Config(
            tbl_cols=-1,
            tbl_rows=-1,
            tbl_hide_dataframe_shape=True,
            tbl_hide_column_data_types=True,
            float_precision=3,
            fmt_str_lengths=60,
            tbl_width_chars=140,
        ):
            seeds = seeds_text(first.recovered.seeds)
            return f"{self.title}: {metric_title(first.metric)}, {seeds} ({self.folder})\n{shown}"

    @cached_property
    def files(self) -> FolderFiles:
        """The files of the folder, each checked when it is read.

        Raises:
            UserError: where no run is finished in the folder.
        """
        return open_run(self.folder)

    @cached_property
    def cells(self) -> pl.DataFrame:
        """One row a cell and metric: floor, student, ceiling, and the two checks."""
        return read_results(self.files)

    @cached_property
    def predictions(self) -> pl.DataFrame:
        """Test predictions of every role, with id, group and ground truth."""
        return read_predictions(self.files)

    @cached_property
    def agreement(self) -> pl.DataFrame | None:
        """How often students answer as their supervisors, by split; None in older runs."""
        return read_agreement(self.files)

    @property
    def title(self) -> str:
        """The pair of models, and which entities the tasks ask about."""
        return title_of(self.config)

    @cached_property
    def tasks(self) -> list[Mapping[str, Any]]:
        """What each task holds: source, licence, classes, splits, what was left out."""
        return read_contents(self.files)

    @cached_property
    def learned(self) -> list[Learned]:
        """What each finetuning took up of its labels; nothing in older runs."""
        return read_learned(self.files)

    @cached_property
    def curves(self) -> pl.DataFrame | None:
        """Loss, gradient norm and rates of each finetuning by step; None in older runs."""
        return read_curves(self.files)

    @cached_property
    def rates(self) -> list[Rates]:
        """The learning rates of each model and task; nothing in older runs."""
        return read_rates(self.files)

    @cached_property
    def audit(self) -> RunAudit | None:
        """What an audit says of the tasks; None where there was none, or only of other tasks."""
        from weak2strong.analysis.audit.run import read_run_audit

        audit = read_run_audit(self.files)
        return audit and audit.of(self.by_task)

    @cached_property
    def examples(self) -> pl.DataFrame | None:
        """Some test examples; None in older runs."""
        from weak2strong.engine.examples import read_examples

        return read_examples(self.files)

    @cached_property
    def _lines(self) -> dict[str | None, list[Line]]:
        """The lines that were asked for before, by metric."""
        return {}

    def lines(self, metric: str | None = None) -> list[Line]:
        """One summary a task and method, with intervals; on the study's metric if None."""
        from weak2strong.analysis.summary import summarise

        if metric not in self._lines:
            truncated = {task["name"]: task["truncated"] for task in self.tasks}
            self._lines[metric] = summarise(
                replace(self.config, saturated=self.cut),
                self.predictions,
                metric,
                truncated,
                self.work,
                self._temperatures,
                self.learned,
            )
        return self._lines[metric]

    @cached_property
    def _temperatures(self) -> dict[str, list[float]]:
        """At which the students of each seed learn their weak labels, by task; none if as given."""
        column, found = "weak_label_temperature", dict[str, list[float]]()
        if column in self.cells.columns:
            rows = self.cells.drop_nulls(column).unique(("task", "seed")).sort("seed")
            for task, temperature in rows.select("task", column).iter_rows():
                found.setdefault(task, []).append(temperature)
        return found

    @cached_property
    def by_task(self) -> dict[str, list[Line]]:
        """The lines of each task on the study's metric, one a method."""
        by_task: dict[str, list[Line]] = {}
        for line in self.lines():
            by_task.setdefault(line.task, []).append(line)
        return by_task

    @cached_property
    def oracles(self) -> frozenset[str]:
        """The methods whose students saw ground truth."""
        return frozenset(line.method for line in self.lines() if line.oracle)

    @cached_property
    def over(self) -> OverTasks | None:
        """PGR over the tasks on the study's metric; None where there is one task."""
        return self.over_tasks(self.lines())

    @property
    def cut(self) -> float:
        """Above which score of floor and ceiling a task is saturated."""
        return self.config.saturated if self.saturated is None else self.saturated

    def too_easy(self, metric: str) -> tuple[str, ...]:
        """The tasks that are saturated on a metric, by the scores of floor and ceiling alone."""
        import polars as pl

        from weak2strong.analysis.summary import cut_on, saturated
        from weak2strong.ground.metrics import metric as metric_of

        cut = cut_on(self.cut, metric_of(self.predictions["kind"][0], metric))
        of_task = self.cells.filter(metric=metric).group_by("task", maintain_order=True)
        means = of_task.agg(pl.col("floor", "ceiling").mean())
        return tuple(t for t, floor, top in means.iter_rows() if saturated(floor, top, cut))

    def over_tasks(self, lines: Sequence[Line] | None = None) -> OverTasks | None:
        """PGR over the tasks: mean, median and pooled; None where there is one task.

        Args:
            lines: the result of `lines` for another metric than the study's.
        """
        from weak2strong.analysis.over_tasks import over_tasks

        if lines is None:
            return self.over
        return over_tasks(self.config, self.predictions, lines)

    def against(self, reference: FinishedRun, metric: str | None = None) -> SettingsCompared:
        """This run minus another one that differs in a setting, paired by seed and test example.

        ``differs`` says in what they differ; `table` has a row a score.

        Args:
            reference: the other run, of some of the same tasks and methods.
            metric: another one than the study's.

        Raises:
            UserError: where they do not differ, or nothing can be paired.
        """
        from weak2strong.analysis.settings import Side, settings_compared

        before, after = (Side(run.config, run.predictions, run.lines) for run in (reference, self))
        return settings_compared(before, after, metric)

    @cached_property
    def claims(self) -> Claims:
        """What a headline may claim: paired differences of the methods, and which are clear."""
        from weak2strong.analysis.headlines import claims

        return claims(self.config, self.predictions, self.lines())

    @cached_property
    def tested(self) -> dict[str, Tested]:
        """The test set of each task: answers, what they say, and whether they are right."""
        from weak2strong.analysis.tested import read_tested

        return {task: read_tested(self.config, self.predictions, task) for task in self.by_task}

    def analyses(self, metric: str | None = None, edges: Sequence[float] = ()) -> Analysed:
        """Agreement, calibration, misfit, saliency, difficulty and best ceiling, as tidy tables.

        Args:
            metric: of the scores; the study's own if None.
            edges: between buckets of difficulty, rising; quartiles if none.
        """
        from weak2strong.analysis.analyse import analyse

        return analyse(self.config, self.predictions, metric, edges, self.agreement)

    def table(self, metric: str | None = None) -> pl.DataFrame:
        """One row a task and method: floor, student, ceiling, PGR with interval come first.

        ``pgr``, ``pgr_low`` and ``pgr_high`` are null where PGR is undefined,
        and ``undefined`` then says why; ``pgr_wide`` says whether the interval reaches beyond
        -3 or 3, so that tables print no number; ``chain`` names the models that labels pass
        through, where there are any between supervisor and student; ``temperatures`` has those of
        the weak labels by seed, where the study sets any.
        """
        import polars as pl

        from weak2strong.analysis.results import result_row

        rows = [result_row(line) for line in self.lines(metric)]
        return pl.DataFrame(
            rows, schema_overrides={**_NULLABLE, "temperatures": pl.List(pl.Float64)}
        )


RESULT = ("task", "method", "floor", "student", "ceiling", "pgr", "pgr_low", "pgr_high")
"""The columns of a run's table that tell its result, which come first."""

_NULLABLE = {
    "pgr": float,
    "pgr_low": float,
    "pgr_high": float,
    "undefined": str,
    "pgr_wide": bool,
    "chain": str,
}


def title_of(config: StudyConfig) -> str:
    """The pair of models of a study, and which entities its tasks ask about."""
    unseen = ", unseen entities" if config.entities == "unseen" else ""
    return f"{config.weak_name} to {config.strong.name}{unseen}"


def table_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of the table of a finished run, for who cannot name its class."""
    return FinishedRun(folder).table().to_dicts()


Results = FinishedRun
"""The public name of a finished run."""
