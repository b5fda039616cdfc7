"""The table of simulated supervisors in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.ground.metrics import metric_title
from weak2strong.report.table import TextTable, pgr_of_row, print_text_table, seeds_text

if TYPE_CHECKING:
    from rich.console import Console

NOTE = (
    "floor: the test score of the labels that students learn from. agree: share of test labels "
    "that the student gives too, of all, of right and of wrong ones; the file has intervals of all "
    "three. real: the supervisor's own soft labels; all others are hard labels that are made of "
    "ground truth, so these supervisors are no methods."
)


def simulated_tables(rows: Sequence[Mapping[str, Any]]) -> list[TextTable]:
    """A table a task, of rows as `weak2strong.analysis.simulated` makes them."""
    tables = []
    for task in dict.fromkeys(row["task"] for row in rows):
        here = [row for row in rows if row["task"] == task]
        first = here[0]
        caption = (
            f"{task}: {first['weak']} to {first['strong']}, "
            f"{metric_title(first['metric'])}, ceiling {first['ceiling']:.3f}, "
            f"{seeds_text(first['seeds'])}"
        )
        titles = ("supervisor", "method", "floor", "student", "PGR [95%]", "agree", "right")
        cells = [
            [
                row["supervisor"],
                row["method"],
                f"{row['floor']:.3f}",
                f"{row['student']:.3f}",
                pgr_of_row(row),
                *(_share(row[f"agreement_{name}"]) for name in ("all", "right")),
                _imitation(row),
            ]
            for row in here
        ]
        tables.append(TextTable(caption, (*titles, "wrong [95%]"), "llrrrrrr", cells))
    return tables


def simulated_notes(rows: Sequence[Mapping[str, Any]], summaries: Mapping[str, str]) -> list[str]:
    """What each supervisor does, and what the columns are.

    Args:
        rows: as `weak2strong.analysis.simulated` makes them.
        summaries: of the simulated supervisors, by name.
    """
    names = dict.fromkeys(row["supervisor"] for row in rows)
    return [*(f"{name}: {summaries[name]}." for name in names if name in summaries), NOTE]


def print_simulated(
    rows: Sequence[Mapping[str, Any]], summaries: Mapping[str, str], console: Console
) -> None:
    """Print a table a task, and the notes."""
    for table in simulated_tables(rows):
        print_text_table(table, console)
    for note in simulated_notes(rows, summaries):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _imitation(row: Mapping[str, Any]) -> str:
    if row["agreement_wrong"] is None:
        return "-"
    share, low, high = (f"{row[f'agreement_wrong{end}']:.3f}" for end in ("", "_low", "_high"))
    return f"{share} [{low}, {high}]"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"
