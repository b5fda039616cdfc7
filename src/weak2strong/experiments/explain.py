"""What makes a task easy to elicit: traits of tasks beside PGR and gain, over the tasks of a run.

The folder, that of the run unless another is named, gets ``explained.parquet``, a row a task and
method with all traits, and ``correlations.parquet``, a row an outcome, method and trait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from weak2strong.analysis.compare import p_text
from weak2strong.analysis.explained import correlation_rows, lacking, sentences, trait_note
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import sharing_tasks
from weak2strong.analysis.traits import (
    OUTCOMES,
    TRAITS,
    explained_methods,
    task_rows,
    told_by_overlap,
)
from weak2strong.config.fields import Flag, Texts
from weak2strong.config.settings import settings
from weak2strong.experiments.beside import FinishedBeside, OnRun
from weak2strong.experiments.experiment import Where
from weak2strong.experiments.overlap import EXPANSION, OVERLAP, FinishedOverlap
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import Column, Document, Row, Table, count, counted, estimate, words

if TYPE_CHECKING:
    import polars as pl

TASKS, CORRELATIONS = "explained.parquet", "correlations.parquet"

NOTE = (
    "Spearman's rank correlation over tasks with a 95% interval (Bonett and Wright 2000), p by "
    "20,000 random orders; Holm: p over all correlations of this table. PGR counts on tasks with a "
    "gap whose supervisor is clearly above chance, gain on all whose supervisor is and that are "
    "not saturated. *: gain is student - floor and PGR gain / gap, and misfit is a part of the "
    "gain, so that chance in such a trait moves both sides: the correlation is partly built in."
)


@dataclass(frozen=True)
class FinishedExplain(FinishedBeside):
    """A folder with traits of the tasks of a run and their correlations."""

    COMMAND: ClassVar[str] = "explain"
    FILES: ClassVar[Mapping[str, str]] = {
        TASKS: "a row a task and method: traits, PGR and gain",
        CORRELATIONS: "a row an outcome, method and trait",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        TASKS: columns(
            text="task method metric",
            number=" ".join([*OUTCOMES, *(trait.name for trait in TRAITS)]),
            flag="oracle",
        ),
        CORRELATIONS: columns(
            text="outcome method trait",
            whole="tasks",
            number="r r_low r_high p holm",
            flag="built_in clear",
        ),
    }
    FIGURES = ("explained-pgr", "explained-gain")

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"What makes a task easy to elicit, {self.runs[0].title}"

    @property
    def about(self) -> str:
        """What is compared."""
        return (
            "Traits of tasks beside what students recovered, over the tasks of the run. Tasks "
            "differ in much at once: a correlation shows no cause."
        )

    @cached_property
    def tasks(self) -> list[dict[str, Any]]:
        """A row a task and method."""
        return self.read_table(TASKS).to_dicts()

    @cached_property
    def document(self) -> Document:
        """The correlations, what they say, and which traits are missing."""
        rows = self.read_table(CORRELATIONS).to_dicts()
        run, known = self.runs[0], any(row["r"] is not None for row in rows)
        overlap = _overlap(run.folder)
        told = told_by_overlap(*overlap) if overlap else None
        return Document(
            [_table(rows)] if known else [],
            facts={"tasks": self.tasks} | ({} if known else {"correlations": rows}),
            head=["", *sentences(rows)],
            notes=lacking(self.tasks, str(run.folder), told),
            warnings=_sharing(run.predictions),
        )


@settings("an explanation")
class Explain(OnRun[FinishedExplain]):
    """Tell what makes a task easy to elicit.

    PGR and gain of each task stand against its traits. These are scores of the pretrained student
    (zero-shot, few-shot, probe with ground truth), floor, gap, misfit, overlap density, and of
    which type the errors of weak labels are. Nothing is trained; what a run lacks is named.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK

    finished = FinishedExplain

    methods: Annotated[Texts, Flag(metavar="NAME ...")] = ("all",)
    """Methods of the run whose students are explained; each one makes the family of Holm larger."""

    def _tables(self, run: FinishedRun, where: Where) -> tuple[pl.DataFrame, pl.DataFrame]:
        import polars as pl

        methods = self._methods(run)
        rows = list(task_rows(run, methods, *_overlap(run.folder)))
        numbers = [*OUTCOMES, *(trait.name for trait in TRAITS)]
        schema = dict.fromkeys(("task", "method", "metric"), pl.String)
        tasks = pl.DataFrame(
            rows, {**schema, "oracle": pl.Boolean, **dict.fromkeys(numbers, pl.Float64)}
        )
        found = pl.DataFrame(
            correlation_rows(rows),
            {
                **dict.fromkeys(("outcome", "method", "trait"), pl.String),
                "built_in": pl.Boolean,
                "tasks": pl.Int64,
                **dict.fromkeys(("r", "r_low", "r_high", "p", "holm"), pl.Float64),
                "clear": pl.Boolean,
            },
        )
        return tasks, found

    def _methods(self, run: FinishedRun) -> list[str]:
        """The methods to explain, in the order of the run."""
        there = run.config.methods
        if "all" in self.methods:
            methods = explained_methods(there)
            if not methods:
                raise UserError(
                    "All methods of this run ask the pretrained student: take a run with a method "
                    "that learns from weak labels, such as naive."
                )
            return methods
        for name in self.methods:
            if name not in there:
                raise unknown_name("method of this run", name, there)
        return [name for name in there if name in self.methods]


def _overlap(folder: Path) -> list[pl.DataFrame]:
    """The two tables of `w2s overlap` in the folder of a run; none where it was not run there."""
    if not FinishedOverlap.is_in(folder):
        return []
    return [FinishedOverlap(folder).read_table(name) for name in (OVERLAP, EXPANSION)]


def _table(rows: Sequence[Row]) -> Table:
    """A row a correlation; outcomes apart."""
    starts = [i for i in range(1, len(rows)) if _part(rows[i]) != _part(rows[i - 1])]
    titles = {trait.name: trait.title for trait in TRAITS}
    return Table(
        "correlations",
        "What goes with PGR and gain over tasks",
        [
            Column("outcome", "of", lambda row: OUTCOMES[row["outcome"]], "left"),
            words("method"),
            Column(
                "trait",
                "with",
                lambda row: titles[row["trait"]] + (" *" if row["built_in"] else ""),
                "left",
            ),
            count("tasks"),
            estimate("r", "rank correlation [95%]", 2, sign=True),
            Column("p", "p", lambda row: p_text(row["p"])),
            Column("holm", "p (Holm)", lambda row: p_text(row["holm"])),
        ],
        rows,
        notes=[trait_note(rows), NOTE],
        gaps=starts,
    )


def _part(row: Row) -> tuple[str, str]:
    return row["outcome"], row["method"]


def _sharing(predictions: pl.DataFrame) -> list[str]:
    """A warning where tasks share entities, so that they are no independent draws."""
    sharing = sharing_tasks(predictions)
    if not sharing:
        return []
    many = len(sharing) > 1
    return [
        f"{counted(len(sharing), 'task')} share{'' if many else 's'} at least a tenth of "
        f"{'their' if many else 'its'} test entities with another one, and "
        "intervals and p-values take tasks for independent: the intervals are too narrow and the "
        "p-values too small by as much as those tasks say the same."
    ]
