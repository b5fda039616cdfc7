"""Why students correct their supervisors: overlap density and expansion of a finished run.

Both are told by the examples that students learned from, ``strong_train``, whose ground truth is
read here, after all training. The folder, that of the run unless another is named, gets
``overlap.parquet``, a row a method, region and seed, and ``expansion.parquet``, a row a method,
class and seed; both have rows for the mean over seeds, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from weak2strong.analysis.corrections import overlap_tables
from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.overlap import CHANGES, REGIONS, StudentExamples
from weak2strong.analysis.summary import Line
from weak2strong.config.fields import Count, Flag
from weak2strong.config.settings import settings
from weak2strong.config.study import StudyConfig
from weak2strong.engine.done import Done
from weak2strong.engine.engines import run_steps
from weak2strong.experiments.beside import FinishedBeside, OnRun
from weak2strong.experiments.experiment import Where, task_runs_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.schema import Columns, columns
from weak2strong.ground.table import (
    Column,
    Document,
    Row,
    Table,
    counted,
    estimate,
    number,
    number_text,
    pgr,
    words,
)
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.task import Inputs, Kind

if TYPE_CHECKING:
    import polars as pl

OVERLAP, EXPANSION = "overlap.parquet", "expansion.parquet"

SPLIT = "strong_train"

REGIONS_NOTE = (
    "hard-only: the supervisor is least confident. overlap: it is surer, and to the strong model "
    "they are like hard-only ones; easy-only: they are not. clear: how much of the variance of "
    "confidence and of likeness is between the two sides of a split; all numbers can be split, and "
    "normal ones, without any groups, have 0.64, uniform ones 0.75. gain: student - floor, on test."
)

RIGHT_NOTE = (
    "Right answers by region, of weak labels and then of the student, on the examples that it "
    "learned from. If the idea holds, weak labels are right on overlap, and the student gains on "
    "hard-only."
)

EXPANSION_NOTE = (
    "wrong: weak labels of the class. near: of these examples, those with a rightly labelled "
    "neighbour of their class. around: the share of such among the {k} nearest, of wrong examples "
    "/ of all (equal if errors are spread). expansion: to wrongly labelled examples, from rightly "
    "labelled ones that the student has right as all of their neighbours. bound: the most that the "
    "student can err, by theorem B.1 of Lang et al.; below wrong, the neighbours account for its "
    "being better than its labels; none where half of the labels are wrong or more. error: how "
    "much it errs. corrected: of the wrong ones, those that it has right."
)


@dataclass(frozen=True)
class FinishedOverlap(FinishedBeside):
    """A folder with overlap density and expansion of a run."""

    COMMAND: ClassVar[str] = "overlap"
    FILES: ClassVar[Mapping[str, str]] = {
        OVERLAP: "a row a method, region and seed, and one for the mean over seeds",
        EXPANSION: "a row a method, class and seed, and one for the mean over seeds",
    }
    COLUMNS: ClassVar[Mapping[str, Columns]] = {
        OVERLAP: columns(
            text="task method region",
            whole="seed",
            number="share weak_right student_right",
            flag="oracle",
        ),
        EXPANSION: columns(
            text="task weak strong method class",
            whole="seed layer k",
            number="expansion bound",
            flag="oracle",
        ),
    }

    @property
    def title(self) -> str:
        """The pair of models."""
        return f"Overlap and expansion, {self.runs[0].title}"

    @property
    def about(self) -> str:
        """Whose ideas these are."""
        return (
            "Two published ideas why students correct their supervisors, estimated on the examples "
            "that students learned from: overlap density (Shin et al. 2024) and expansion (Lang et "
            "al. 2024)."
        )

    @cached_property
    def document(self) -> Document:
        """Regions beside gains, right answers by region, and expansion by class."""
        overlap, expansion = (self.read_table(file) for file in self.FILES)
        return overlap_document(overlap, expansion, self.runs[0].lines(), self.config.seeds)


@settings("an overlap")
class Overlap(OnRun[FinishedOverlap]):
    """Estimate overlap density and expansion of a finished run.

    They stand beside what its students gained. Overlap density is that of Shin et al. 2024,
    expansion that of Lang et al. 2024; both are seen in activations of the frozen student, on the
    examples that students learned from. What the store lacks of the run is made again.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK

    finished = FinishedOverlap

    layer: Annotated[int | str, Flag(metavar="LAYER")] = "usual"
    """Of the activations: middle, last, a number (0 is the embeddings, -1 the last), or usual, the
    middle of a deep model and the last of one below 8 layers."""
    k: Count = 5
    """Neighbours of an example."""

    def _tables(self, run: FinishedRun, where: Where) -> tuple[pl.DataFrame, pl.DataFrame]:
        examples = read_examples(run.config, where, self.layer, self.k)
        return overlap_tables(run.config, examples, self.k)


def read_examples(
    config: StudyConfig, where: Where, layer: int | str = "usual", k: int = 1
) -> Iterator[StudentExamples]:
    """The examples that students learned from, one task of a study after the other.

    What the store has is read; what was pruned is made again.

    Args:
        config: the study.
        where: the store, and what to make again with.
        layer: of the frozen strong model (see `weak2strong.models.layers.layer_number`).
        k: how many other examples each task must have at least.

    Raises:
        UserError: for a layer that is not there, too few examples for k, or no task with classes;
            at the first task.
    """
    from weak2strong.models.layers import layer_number, layers_of

    if config.vary == "split":
        raise UserError(
            "Overlap and expansion are told of examples that all seeds learned from, and in this "
            "study each seed draws its own (vary: split): take a run without --vary split."
        )
    config = resolved(config)
    number = layer_number(layer, layers_of(config.strong))
    task_runs = task_runs_of(config, where)
    written = [
        name for name, task_run in task_runs.items() if not stages.has_probe(task_run.task.kind)
    ]
    if len(written) == len(task_runs):
        raise UserError(
            "The tasks of this run are answered in words, and overlap and expansion are told by "
            "classes: take a run of classification or preference tasks."
        )
    for name in written:
        task_runs.pop(name)
        where.progress.line(f"left out: {name}, which is answered in words")
    for name, task_run in task_runs.items():
        if not 1 <= k < len(task_run.splits.strong_train):
            raise UserError(
                f"--k {k} neighbours cannot be had among the {len(task_run.splits.strong_train)} "
                f"examples that students of {name} learn from: choose another number from 1 on."
            )

    def tell(done: Done) -> None:
        if not done.reused:
            where.progress.line(f"{done.step.name}: {done.seconds:.1f} s, made again")

    kinds: dict[str, Kind] = {name: task_run.task.kind for name, task_run in task_runs.items()}
    inputs: dict[str, Inputs] = {name: run.task.inputs for name, run in task_runs.items()}
    made = ("rates", "supervisor", "student")
    todo = [step for step in steps(config, kinds, inputs) if step.kind in made]
    run_steps(todo, task_runs, where.plan_of(config), where.progress, tell)
    for task_run in task_runs.values():
        yield _examples(task_run, number)


def _examples(task_run: TaskRun, layer: int) -> StudentExamples:
    examples = task_run.splits.strong_train
    ids, seeds = [e.item.id for e in examples], range(task_run.config.seeds)
    return StudentExamples(
        task=task_run.task.name,
        classes=tuple(task_run.task.classes),
        layer=layer,
        groups=np.array([e.item.group for e in examples]),
        labels=np.array([int(e.label) for e in examples]),
        features=activations(task_run, task_run.config.strong, layer)[SPLIT].at(ids),
        weak=np.stack([stages.weak_labels(task_run, s)[SPLIT].at(ids) for s in seeds]),
        students={
            method: np.stack([stages.student(task_run, method, s)[SPLIT].at(ids) for s in seeds])
            for method in task_run.config.methods
        },
    )


def overlap_document(
    overlap: pl.DataFrame, expansion: pl.DataFrame, lines: Sequence[Line], seeds: int
) -> Document:
    """What the regions hold and gain, and how classes expand; means over seeds.

    Args:
        overlap: the first table of `overlap_tables`; without rows where no task has regions.
        expansion: the second one.
        lines: of the same run.
        seeds: of the run.
    """
    import polars as pl

    first = expansion.row(0, named=True)
    setting = (
        f"layer {first['layer']} of {first['strong']}, labels of {first['weak']}, "
        f"mean of {counted(seeds, 'seed')}"
    )
    regions, classes = (x.filter(pl.col("seed").is_null()).to_dicts() for x in (overlap, expansion))
    tables = [_classes(classes, first["k"], setting)]
    if regions:
        tables = [_gains(regions, lines, setting), _right(regions), *tables]
    known = {row["task"] for row in regions}
    notes = [
        f"{task}: the weak labels are all as confident, or all examples as like the hard ones, so "
        "there is no overlap density."
        for task in dict.fromkeys(row["task"] for row in classes)
        if task not in known
    ]
    if any(row["oracle"] for row in classes):
        notes.append("*: students saw ground truth.")
    return Document(tables, notes=notes)


METHOD = Column(
    "method", "method", lambda row: row["method"] + (" *" if row["oracle"] else ""), align="left"
)


def _gains(regions: Sequence[Row], lines: Sequence[Line], setting: str) -> Table:
    """A row a task and method: the shares of the regions, and what the student gained."""
    recovered = {(x.task, x.method): x.recovered for x in lines}
    rows = []
    for cell in _by_cell(regions):
        hard, overlap, easy = cell
        r = recovered[hard["task"], hard["method"]]
        rows.append(
            {
                **{name: hard[name] for name in ("task", "method", "oracle", *CHANGES)},
                "hard_only": hard["share"],
                "easy_only": easy["share"],
                **{f"overlap{end}": overlap[f"share{end}"] for end in ("", "_low", "_high")},
                "floor": r.floor,
                "student": r.student,
                "gain": r.student - r.floor,
                **r.pgr,
            }
        )
    return Table(
        "gains",
        f"Overlap density (Shin et al. 2024), {setting}; scores: {metric_title(lines[0].metric)}",
        [
            words("task", wraps=True),
            METHOD,
            number("hard_only", "hard-only", detail=True),
            estimate("overlap", "overlap [95%]"),
            number("easy_only", "easy-only", detail=True),
            Column("clear", "clear", _clear, detail=True),
            number("floor", detail=True),
            number("student", detail=True),
            number("gain", sign=True),
            pgr(),
        ],
        rows,
        notes=[REGIONS_NOTE],
    )


def _clear(row: Row) -> str:
    return f"{row['confidence_explained']:.2f}, {row['likeness_explained']:.2f}"


def _right(regions: Sequence[Row]) -> Table:
    """A row a task and method: who is right in which region."""
    shares = ("weak_right", "student_right")
    rows = [
        {
            **{name: cell[0][name] for name in ("task", "method", "oracle")},
            **{_field(row["region"], share): row[share] for row in cell for share in shares},
        }
        for cell in _by_cell(regions)
    ]

    def text(region: str) -> Callable[[Row], str]:
        return lambda row: " to ".join(number_text(row[_field(region, share)]) for share in shares)

    columns = [Column(region, region, text(region)) for region in REGIONS]
    return Table("right", "", [words("task", wraps=True), METHOD, *columns], rows, [RIGHT_NOTE])


def _field(region: str, share: str) -> str:
    """The field of a share in a region, such as ``hard_only_weak_right``."""
    return f"{region.replace('-', '_')}_{share}"


def _by_cell(regions: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows of each task and method, in the order of `REGIONS`."""
    for task, method in dict.fromkeys((row["task"], row["method"]) for row in regions):
        rows = [row for row in regions if (row["task"], row["method"]) == (task, method)]
        yield sorted(rows, key=lambda row: REGIONS.index(row["region"]))


def _classes(rows: Sequence[Row], k: int, setting: str) -> Table:
    """A row a task, method and class."""

    def around(row: Row) -> str:
        names = ("good_around_wrong", "good_around_all")
        return " / ".join(number_text(row[name]) for name in names)

    return Table(
        "expansion",
        f"Expansion (Lang et al. 2024), {k} neighbours in {setting}",
        [
            words("task", wraps=True),
            METHOD,
            words("class"),
            number("wrong"),
            number("reached", "near", detail=True),
            Column("around", "around", around, detail=True),
            estimate("expansion", "expansion [95%]"),
            number("bound"),
            number("student_error", "error"),
            number("corrected"),
        ],
        rows,
        notes=[EXPANSION_NOTE.format(k=k)],
    )
