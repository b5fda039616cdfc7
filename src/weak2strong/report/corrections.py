"""Overlap and expansion in the terminal, beside what the students gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.overlap import REGIONS
from weak2strong.analysis.summary import Line
from weak2strong.ground.metrics import metric_title
from weak2strong.report.table import column_table, pgr_text

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from weak2strong.analysis.corrections import Corrections

Row = Mapping[str, Any]

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
    "being better than its labels. error: how much it errs. corrected: of the wrong ones, those "
    "that it has right."
)


def print_corrections(
    found: Corrections, lines: Sequence[Line], seeds: int, console: Console
) -> None:
    """Print what the regions hold and gain, and how classes expand; means over seeds.

    Args:
        found: of a run.
        lines: of the same run.
        seeds: how many it has.
        console: where to print.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    first = found.expansion.row(0, named=True)
    mean = f"mean of {seeds} seed{'s' if seeds > 1 else ''}"
    of = f"layer {first['layer']} of {first['strong']}, labels of {first['weak']}, {mean}"
    overlap = _means(found.overlap)
    if not overlap.is_empty():
        metric = metric_title(lines[0].metric)
        say(f"\nOverlap density (Shin et al. 2024), {of}; scores: {metric}")
        by_cell = _by_cell(overlap)
        console.print(_gains(by_cell, {(x.task, x.method): x for x in lines}))
        say(REGIONS_NOTE)
        say("")
        console.print(_right(by_cell))
        say(RIGHT_NOTE)
    say(f"\nExpansion (Lang et al. 2024), {first['k']} neighbours in {of}")
    console.print(_expansion(_means(found.expansion)))
    say(EXPANSION_NOTE.format(k=first["k"]))
    for text in found.left_out:
        say(text)
    if any(found.expansion["oracle"]):
        say("*: students saw ground truth.")


def _means(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of means over seeds."""
    import polars as pl

    return table.filter(pl.col("seed").is_null())


def _by_cell(overlap: pl.DataFrame) -> dict[tuple[str, str], dict[str, Row]]:
    """Rows by task and method, and then by region."""
    found = dict[tuple[str, str], dict[str, Row]]()
    for row in overlap.iter_rows(named=True):
        found.setdefault((row["task"], row["method"]), {})[row["region"]] = row
    return found


def _gains(by_cell: Mapping[tuple[str, str], Mapping[str, Row]], lines: Mapping[Any, Line]) -> Any:
    titles = ("task", "method", "hard-only", "overlap [95%]", "easy-only", "clear", "floor")
    table = column_table((*titles, "student", "gain", "PGR [95%]"), "wlrrrrrrrr", wraps="w")
    for cell, regions in by_cell.items():
        hard, overlap, easy = (regions[name] for name in REGIONS)
        r = lines[cell].recovered
        table.add_row(
            cell[0],
            _method(hard),
            _number(hard["share"]),
            _with_interval(overlap, "share"),
            _number(easy["share"]),
            f"{hard['confidence_explained']:.2f}, {hard['likeness_explained']:.2f}",
            f"{r.floor:.3f}",
            f"{r.student:.3f}",
            f"{r.student - r.floor:+.3f}",
            pgr_text(r),
        )
    return table


def _right(by_cell: Mapping[tuple[str, str], Mapping[str, Row]]) -> Any:
    table = column_table(("task", "method", *REGIONS), "wlrrr", wraps="w")
    for (task, _), regions in by_cell.items():
        table.add_row(
            task,
            _method(regions[REGIONS[0]]),
            *(
                f"{_number(row['weak_right'])} to {_number(row['student_right'])}"
                for row in (regions[name] for name in REGIONS)
            ),
        )
    return table


def _expansion(means: pl.DataFrame) -> Any:
    titles = ("task", "method", "class", "wrong", "near", "around", "expansion [95%]", "bound")
    table = column_table((*titles, "error", "corrected"), "wllrrrrrrr", wraps="w")
    for row in means.iter_rows(named=True):
        table.add_row(
            row["task"],
            _method(row),
            row["class"],
            _number(row["wrong"]),
            _number(row["reached"]),
            f"{_number(row['good_around_wrong'])} / {_number(row['good_around_all'])}",
            _with_interval(row, "expansion"),
            *(_number(row[name]) for name in ("bound", "student_error", "corrected")),
        )
    return table


def _method(row: Row) -> str:
    return row["method"] + (" *" if row["oracle"] else "")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _with_interval(row: Row, name: str) -> str:
    if row[name] is None:
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"
