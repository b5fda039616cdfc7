"""Helpers of tables that are not yet a `weak2strong.ground.table.Table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.recovered import Recovered

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


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
