"""The table of a study in the terminal, and the sentences under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.over_tasks import OverTasks
from weak2strong.analysis.recovered import Recovered
from weak2strong.analysis.summary import Line, warnings_of
from weak2strong.ground.metrics import metric_title

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

CHECKS = (
    "probe: logistic regression with ground truth on the frozen strong model. "
    "ngrams: character n-grams of the text with ground truth, no knowledge."
)

DASH = "–"
"""Stands for what is not known or not there."""


def table_console() -> Console:
    """A console on standard output that does not cut tables where that is a file or a pipe."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=140)


def column_table(titles: Sequence[str], sides: str, wraps: str = "") -> Table:
    """An empty table with a column a title, set to the left (l) or right (r).

    Args:
        titles: of the columns.
        sides: a letter a column.
        wraps: sides whose columns may break a line.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title, side in zip(titles, sides, strict=True):
        justify = "right" if side == "r" else "left"
        table.add_column(title, justify=justify, no_wrap=side not in wraps)
    return table


@dataclass(frozen=True)
class TextTable:
    """A table of texts, the same in a terminal and on a page.

    Attributes:
        caption: what stands above it.
        titles: of the columns.
        sides: a letter a column: l for left, r for right.
        rows: a text a column.
    """

    caption: str
    titles: tuple[str, ...]
    sides: str
    rows: list[list[str]]


def print_text_table(table: TextTable, console: Console) -> None:
    """Print the caption and the table."""
    shown = column_table(table.titles, table.sides)
    for row in table.rows:
        shown.add_row(*row)
    console.print(f"\n{table.caption}", markup=False, highlight=False, soft_wrap=True)
    console.print(shown)


def seeds_text(count: int) -> str:
    """What scores are means of, such as ``mean of 3 seeds``."""
    return f"mean of {count} seed{'s' if count > 1 else ''}"


def pgr_text(r: Recovered) -> str:
    """PGR with its interval, such as ``0.54 [0.41, 0.67]``, or ``undefined``."""
    return pgr_of_row(r.pgr)


def pgr_of_row(row: Mapping[str, Any]) -> str:
    """The same of a row with the columns ``pgr``, ``pgr_low`` and ``pgr_high``."""
    if row["pgr"] is None:
        return "undefined"
    return f"{row['pgr']:.2f} [{row['pgr_low']:.2f}, {row['pgr_high']:.2f}]"


def score_text(score: float | None) -> str:
    """A score, or a dash where there is none."""
    return DASH if score is None else f"{score:.3f}"


def sizes_note(lines: list[Line]) -> str:
    """How many examples each task was scored on."""
    sizes = {x.task: x.recovered.examples for x in lines}
    return "Test examples: " + ", ".join(f"{task} {n:,}" for task, n in sizes.items()) + "."


def intervals_note(lines: list[Line]) -> str:
    """What the intervals of PGR are, where there are any."""
    kinds = {(i.method, i.covers) for x in lines if (i := x.recovered.interval)}
    return "".join(f" PGR intervals: {method}, over {what}." for method, what in sorted(kinds))


def reading_notes(lines: list[Line]) -> list[str]:
    """For students that have read the texts first: PGR against ceilings that have, too."""
    return [
        f"{x.task}, {x.method}: the ceiling that reads the texts first, too, has "
        f"{x.reading.ceiling:.3f}, and PGR against it is {pgr_text(x.reading)}."
        for x in lines
        if x.reading
    ]


def chain_notes(lines: list[Line]) -> list[str]:
    """Through which models labels pass, for methods that take some between."""
    chains = {x.method: x.chain for x in lines if x.chain}
    return [f"{method}: labels pass {' > '.join(chain)}." for method, chain in chains.items()]


def _scores(lines: list[Line], work: bool) -> Table:
    """A row a line; with ``work`` also what was spent on it."""
    level = 100 * lines[0].recovered.gap_interval.level
    titles = [
        "task",
        "method",
        "floor",
        "student",
        "ceiling",
        f"PGR [{level:g}%]",
        "probe",
        "ngrams",
    ]
    titles += ["seconds", "reused"] if work else []
    table = column_table(titles, "wl" + "r" * (len(titles) - 2), wraps="w")
    for line in lines:
        r, spent = line.recovered, line.spent if work else None
        table.add_row(
            line.task,
            f"{line.method} (oracle)" if line.oracle else line.method,
            *(f"{x:.3f}" for x in (r.floor, r.student, r.ceiling)),
            pgr_text(r),
            score_text(line.probe_ceiling),
            score_text(line.ngrams),
            *(
                (f"{spent.seconds:.1f}", f"{spent.reused} of {spent.stages}")
                if work and spent
                else ()
            ),
        )
    return table


def print_table(lines: list[Line], console: Console, over: OverTasks | None = None) -> None:
    """Print floor, student, ceiling and PGR of every line, and what to know about them.

    Args:
        lines: one a task and method.
        console: where to print.
        over: the same over tasks, for a last table.
    """
    first, r = lines[0], lines[0].recovered
    console.print(
        f"\n{first.weak} to {first.strong}: {metric_title(first.metric)}, {seeds_text(r.seeds)}",
        markup=False,
        highlight=False,
    )
    table = _scores(lines, work=first.spent is not None)
    if console.measure(table).maximum > console.width:
        # What was spent is in the run folder too.
        table = _scores(lines, work=False)
    console.print(table)
    unprobed = any(line.probe_ceiling is None for line in lines)
    notes = [
        sizes_note(lines) + intervals_note(lines),
        CHECKS + (f" {DASH}: no probe, since answers are no classes." if unprobed else ""),
        *chain_notes(lines),
        *reading_notes(lines),
        *(f"warning: {text}" for text in warnings_of(lines)),
    ]
    for note in notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    if over:
        from weak2strong.report.over_tasks import print_over_tasks

        print_over_tasks(over, console)
