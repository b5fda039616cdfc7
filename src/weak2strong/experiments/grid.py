"""Every weaker model of a ladder with every stronger one: a study a pair.

The folder holds a whole run a pair, and ``grid.parquet``, a row a pair, task and method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.summary import Line
from weak2strong.analysis.warnings import warnings_of
from weak2strong.config.fields import Flag, Texts
from weak2strong.config.model import ModelSpec, Unnamed
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.experiment import (
    Experiment,
    FinishedExperiment,
    Where,
    run_several,
)
from weak2strong.experiments.tables import check_told, incomplete, write_tables
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import PGR_MEANING, metric_title
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import (
    Column,
    Document,
    Row,
    Table,
    counted,
    number_text,
    pgr_text,
    wide_field,
    words,
)
from weak2strong.models.reads import check_reads
from weak2strong.protocol.resolve import checked
from weak2strong.tasks.find import find_tasks

FILE = "grid.parquet"


class FinishedGrid(FinishedExperiment):
    """The folder of a finished grid."""

    COMMAND = "grid"
    FILES: ClassVar[Mapping[str, str]] = {FILE: "a row a pair, and the runs beside it"}
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        FILE: columns(
            text="task method metric weak strong",
            whole="weak_parameters strong_parameters seeds",
            number="floor student ceiling pgr pgr_low pgr_high",
        )
    }
    FIGURES = ("sizes", "agreement-by-size")

    @cached_property
    def models(self) -> list[str]:
        """Names of the models, the smallest first."""
        return models_of(self.rows)

    @cached_property
    def runs(self) -> list[FinishedRun]:
        """The runs of the pairs in the order of the table, whatever their folders are called.

        Raises:
            UserError: where one is missing.
        """
        files = sorted(self.folder.glob("*/results.parquet"))
        runs = [FinishedRun(file.parent, saturated=self.saturated) for file in files]
        by_pair = {(run.config.weak_name, run.config.strong.name): run for run in runs}
        pairs = list(dict.fromkeys((row["weak"], row["strong"]) for row in self.rows))
        for weak, strong in pairs:
            if (weak, strong) not in by_pair:
                raise incomplete(self.folder, f"{weak} to {strong}")
            check_told(self.files, by_pair[weak, strong])
        return [by_pair[pair] for pair in pairs]

    @property
    def compared(self) -> list[FinishedRun]:
        """All pairs."""
        return self.runs

    @property
    def title(self) -> str:
        """The models."""
        return f"Grid of {', '.join(self.models)}"

    @property
    def about(self) -> str:
        """How many pairs, on which tasks."""
        return (
            f"Every weaker one of {counted(len(self.models), 'model')} taught every stronger one, "
            f"{counted(len(self.runs), 'pair')} in all: "
            f"{self.on_tasks}. {PGR_MEANING}"
        )

    @cached_property
    def document(self) -> Document:
        """A triangle a task and method."""
        return Document(
            grid_tables(self.rows),
            {"grid": [{**row, **wide_field(row)} for row in self.rows]},
            notes=["Rows are supervisors, columns students; the last row is each one's ceiling."],
            warnings=_warnings(self.runs),
        )


@settings("a grid")
class Grid(Experiment[FinishedGrid]):
    """Run every weaker model of a ladder with every stronger one.

    They share supervisors and ceilings.
    """

    finished = FinishedGrid

    without = ("weak", "strong", "weak_labels")

    models: Annotated[Texts, Flag(metavar="MODEL ...")] = (
        "atlas-xs",
        "atlas-s",
        "atlas-m",
        "atlas-l",
    )
    """Two models or more, in any order; by default the embedded ladder."""

    @property
    def named_models(self) -> Mapping[str, str]:
        """Models that differ from those of a study, so that they do not take its usual rates."""
        return {"weak": self.models[0], "strong": self.models[-1]}

    @property
    def further_models(self) -> tuple[ModelSpec, ...]:
        """All that it pairs."""
        return tuple(_named(name, self.strong) for name in self.models)

    def _write(self, where: Where) -> Path:
        self.check_supervised()
        for task in find_tasks(checked(self.config), self.config.data):
            for model in self.further_models:
                check_reads(model, task.name, task.inputs, "--models")
        sizes = parameters_of(self.models)
        studies = {
            f"{Path(weak).name}-to-{Path(strong).name}": self.between(weak, strong)
            for weak, strong in combinations(sizes, 2)
        }
        runs = run_several("grid", studies, where, (FILE,))
        folder = next(iter(runs.values())).folder.parent
        lines = [line for run in runs.values() for line in run.lines()]
        parameters = {ModelSpec.parse(model).name: count for model, count in sizes.items()}
        rows = list(grid_rows(lines, parameters))
        write_tables(folder, {FILE: rows}, "grid", list(runs.values()))
        return folder

    def between(self, weak: str, strong: str) -> StudyConfig:
        """The study of one pair; the models take all settings but the name from the grid's."""
        study = self.config
        return replace(study, weak=_named(weak, study.weak), strong=_named(strong, study.strong))


def _named(name: str, like: ModelSpec) -> ModelSpec:
    """A model with the settings of another one."""
    model = ModelSpec.parse(name)
    settings = like.named() if isinstance(like, Unnamed) else like
    return replace(settings, name=model.name, revision=model.revision)


def parameters_of(models: Sequence[str]) -> dict[str, int]:
    """Parameters of the trunks by the models' names, the smallest first.

    Raises:
        UserError: for fewer than two models, or two of one size or of one name.
    """
    from weak2strong.models.given import is_given
    from weak2strong.models.needs import count, skeleton
    from weak2strong.models.resolve import fingerprint

    sizes = {}
    for name in dict.fromkeys(models):
        spec = ModelSpec.parse(name)
        fingerprint(spec)
        if is_given(spec):
            raise UserError(
                f"Model {name} is a file of features, and a grid goes by numbers of parameters: "
                "run a study of each pair of files."
            )
        sizes[name] = count(skeleton(spec))
    if len(sizes) < 2:
        raise UserError("A grid needs at least two models: name them with --models.")
    if len(set(sizes.values())) < len(sizes):
        raise UserError("Two of the models have the same number of parameters: leave one out.")
    if len({Path(name).name for name in sizes}) < len(sizes):
        raise UserError("Two of the models have the same name, as folders go: rename one.")
    return dict(sorted(sizes.items(), key=lambda pair: pair[1]))


def grid_rows(lines: Sequence[Line], parameters: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """A row a line of the runs of all pairs.

    Args:
        lines: of all runs.
        parameters: of each model's trunk, by name.
    """
    for line in lines:
        r = line.recovered
        row: dict[str, Any] = {
            "task": line.task,
            "method": line.method,
            "metric": line.metric,
            "weak": line.weak,
            "weak_parameters": parameters[line.weak],
            "strong": line.strong,
            "strong_parameters": parameters[line.strong],
        }
        for role in ("floor", "student", "ceiling"):
            interval = getattr(r, f"{role}_interval")
            row |= {role: getattr(r, role), f"{role}_low": interval.low}
            row[f"{role}_high"] = interval.high
        yield row | {**r.pgr, "seeds": r.seeds, "examples": r.examples}


def models_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the models of a grid, the smallest first."""
    sizes = {x[role]: x[f"{role}_parameters"] for x in rows for role in ("weak", "strong")}
    return sorted(sizes, key=sizes.__getitem__)


def grid_tables(rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """A triangle a task and method: score of the student, and PGR with its interval."""
    by_cell = {(x["task"], x["method"], x["weak"], x["strong"]): x for x in rows}
    models, tables = models_of(rows), []
    for task, method in dict.fromkeys((x["task"], x["method"]) for x in rows):
        first = next(x for x in rows if (x["task"], x["method"]) == (task, method))
        triangle = []
        for weak in models[:-1]:
            cells = {strong: by_cell.get((task, method, weak, strong)) for strong in models[1:]}
            floor = next(cell["floor"] for cell in cells.values() if cell)
            triangle.append({"supervisor": weak, "floor": floor, **cells})
        ceilings = {s: by_cell[task, method, models[0], s]["ceiling"] for s in models[1:]}
        tables.append(
            Table(
                "grid",
                f"{task}, {method}: {metric_title(first['metric'])} of the student and PGR [95%], "
                f"mean of {counted(first['seeds'], 'seed')}",
                [
                    words("supervisor"),
                    Column(
                        "floor",
                        "floor",
                        lambda row: "" if row["floor"] is None else number_text(row["floor"]),
                    ),
                    *(Column(name, f"to {name}", _cell(name)) for name in models[1:]),
                ],
                [*triangle, {"supervisor": "ceiling", "floor": None, **ceilings}],
            )
        )
    return tables


def _cell(strong: str) -> Callable[[Row], str]:
    """The text of a row in the column of a student: nothing where there is no such pair."""

    def text(row: Row) -> str:
        cell = row[strong]
        if cell is None or isinstance(cell, float):
            return "" if cell is None else number_text(cell)
        return f"{number_text(cell['student'])}  {pgr_text(cell)}"

    return text


def _warnings(runs: Sequence[FinishedRun]) -> list[str]:
    """The warnings of every run with its name; those that all runs have once and without a name."""
    warnings = [(run.title, text) for run in runs for text in warnings_of(run.lines())]
    times = Counter(text for _, text in warnings)
    common = [text for text, count in times.items() if count == len(runs)]
    return [*(f"{name}, {text}" for name, text in warnings if text not in common), *common]
