"""Supervisors by students of a ladder, as a triangle in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from weak2strong.analysis.summary import Line
from weak2strong.report.table import TITLES, column_table, pgr_text

if TYPE_CHECKING:
    from rich.console import Console


def print_grid(lines: Sequence[Line], models: Sequence[str], console: Console) -> None:
    """Print a triangle a task and method: score of the student, and PGR with its interval.

    Args:
        lines: of all pairs.
        models: names, the smallest first.
        console: where to print.
    """
    at = {(x.task, x.method, x.weak, x.strong): x for x in lines}
    for task, method in dict.fromkeys((x.task, x.method) for x in lines):
        one = next(x for x in lines if (x.task, x.method) == (task, method))
        n = one.recovered.seeds
        console.print(
            f"\n{task}, {method}: {TITLES.get(one.metric, one.metric)} of the student and "
            f"PGR [95%], mean of {n} seed{'s' if n > 1 else ''}",
            markup=False,
            highlight=False,
        )
        titles = ("supervisor", "floor", *(f"to {name}" for name in models[1:]))
        table = column_table(titles, "l" + "r" * len(models))
        for weak in models[:-1]:
            row = [at.get((task, method, weak, strong)) for strong in models[1:]]
            floor = next(x.recovered.floor for x in row if x)
            table.add_row(weak, f"{floor:.3f}", *(_cell(x) for x in row))
        ceilings = [at[task, method, models[0], strong] for strong in models[1:]]
        table.add_row("ceiling", "", *(f"{x.recovered.ceiling:.3f}" for x in ceilings))
        console.print(table)


def _cell(line: Line | None) -> str:
    if line is None:
        return ""
    return f"{line.recovered.student:.3f}  {pgr_text(line.recovered)}"
