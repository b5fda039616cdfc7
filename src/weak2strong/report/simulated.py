"""The table of simulated supervisors in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.report.table import TITLES, column_table

if TYPE_CHECKING:
    from rich.console import Console

NOTE = (
    "floor: the test score of the labels that students learn from. agree: share of test labels "
    "that the student gives too, of all, of right and of wrong ones; the file has intervals of all "
    "three. real: the supervisor's own soft labels; all others are hard labels that are made of "
    "ground truth, so these supervisors are no methods."
)


def print_simulated(
    rows: Sequence[Mapping[str, Any]], summaries: Mapping[str, str], console: Console
) -> None:
    """Print a table a task.

    Args:
        rows: as `weak2strong.analysis.simulated` makes them.
        summaries: of the simulated supervisors, by name.
        console: where to print.
    """
    for task in dict.fromkeys(row["task"] for row in rows):
        here = [row for row in rows if row["task"] == task]
        first = here[0]
        console.print(
            f"\n{task}: {first['weak']} to {first['strong']}, "
            f"{TITLES.get(first['metric'], first['metric'])}, ceiling {first['ceiling']:.3f}, "
            f"mean of {first['seeds']} seed{'s' if first['seeds'] > 1 else ''}",
            markup=False,
            highlight=False,
        )
        titles = ("supervisor", "method", "floor", "student", "PGR [95%]", "agree", "right")
        table = column_table((*titles, "wrong [95%]"), "llrrrrrr")
        for row in here:
            table.add_row(
                row["supervisor"],
                row["method"],
                f"{row['floor']:.3f}",
                f"{row['student']:.3f}",
                _pgr(row),
                *(_share(row[f"agreement_{name}"]) for name in ("all", "right")),
                _imitation(row),
            )
        console.print(table)
    said = {name: summaries[name] for row in rows if (name := row["supervisor"]) in summaries}
    for name, summary in said.items():
        console.print(f"{name}: {summary}.", markup=False, highlight=False)
    console.print(NOTE, markup=False, highlight=False, soft_wrap=True)


def _pgr(row: Mapping[str, Any]) -> str:
    if row["pgr"] is None:
        return "undefined"
    return f"{row['pgr']:.2f} [{row['pgr_low']:.2f}, {row['pgr_high']:.2f}]"


def _imitation(row: Mapping[str, Any]) -> str:
    if row["agreement_wrong"] is None:
        return "-"
    share, low, high = (f"{row[f'agreement_wrong{end}']:.3f}" for end in ("", "_low", "_high"))
    return f"{share} [{low}, {high}]"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"
