"""Supervisors by students of a ladder, as triangles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.grid import models_of
from weak2strong.ground.metrics import metric_title
from weak2strong.report.table import TextTable, pgr_of_row, print_text_table, seeds_text

if TYPE_CHECKING:
    from rich.console import Console


def grid_tables(rows: Sequence[Mapping[str, Any]]) -> list[TextTable]:
    """A triangle a task and method: score of the student, and PGR with its interval.

    Args:
        rows: as `weak2strong.analysis.grid.grid_rows` makes them.
    """
    at = {(x["task"], x["method"], x["weak"], x["strong"]): x for x in rows}
    models, tables = models_of(rows), []
    for task, method in dict.fromkeys((x["task"], x["method"]) for x in rows):
        one = next(x for x in rows if (x["task"], x["method"]) == (task, method))
        caption = (
            f"{task}, {method}: {metric_title(one['metric'])} of the student and "
            f"PGR [95%], {seeds_text(one['seeds'])}"
        )
        cells = []
        for weak in models[:-1]:
            row = [at.get((task, method, weak, strong)) for strong in models[1:]]
            floor = next(x["floor"] for x in row if x)
            cells.append([weak, f"{floor:.3f}", *map(_cell, row)])
        ceilings = [at[task, method, models[0], strong]["ceiling"] for strong in models[1:]]
        cells.append(["ceiling", "", *(f"{x:.3f}" for x in ceilings)])
        titles = ("supervisor", "floor", *(f"to {name}" for name in models[1:]))
        tables.append(TextTable(caption, titles, "l" + "r" * len(models), cells))
    return tables


def print_grid(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the triangles."""
    for table in grid_tables(rows):
        print_text_table(table, console)


def _cell(row: Mapping[str, Any] | None) -> str:
    return f"{row['student']:.3f}  {pgr_of_row(row)}" if row else ""
