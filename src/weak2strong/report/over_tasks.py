"""PGR over the tasks of a run: a table with a row a method, and what is averaged over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.intervals import Interval
from weak2strong.analysis.over_tasks import OverTasks
from weak2strong.analysis.summary import SATURATED

if TYPE_CHECKING:
    from rich.console import Console


def over_tasks_titles(over: OverTasks) -> list[str]:
    """The titles of the columns, saying over how many tasks each is."""
    used = len(over.used)
    every = used + len(over.flat) + len(over.saturated)
    return [
        "PGR over tasks [95%]",
        f"mean of {used}",
        f"median of {used}",
        f"pooled over {every}",
    ]


def over_tasks_rows(over: OverTasks) -> list[list[str]]:
    """A row a method."""
    return [
        [
            method,
            _text(a.mean, a.mean_interval),
            _text(a.median, a.median_interval),
            _text(a.pooled, a.pooled_interval),
        ]
        for method, a in over.methods.items()
    ]


def over_tasks_notes(over: OverTasks) -> list[str]:
    """Which tasks were left out by which rule, and what that means; one sentence each."""
    notes = []
    if over.flat:
        notes.append(
            "Left out of mean and median since the interval of the gap reaches 0 (or lies below): "
            f"{', '.join(over.flat)}."
        )
    if over.saturated:
        notes.append(
            f"Left out since floor and ceiling are both above {SATURATED:.2f}: "
            f"{', '.join(over.saturated)}."
        )
    if len(over.used) < 2:
        notes.append("Mean and median need two tasks with a gap.")
    elif over.flat or over.saturated:
        notes.append(
            "So mean and median speak of tasks on which these models have a gap, "
            "which was judged by the same scores that PGR is computed from."
        )
    notes.append("Pooled is the sum of all gains over the sum of all gaps, and leaves no task out.")
    covers = {
        i.covers for a in over.methods.values() for i in (a.mean_interval, a.pooled_interval) if i
    }
    return [
        *notes,
        *(
            f"These intervals are over {what} (entities drawn once for all tasks that share them), "
            "for these tasks: they do not say what other tasks would give."
            for what in covers
        ),
    ]


def print_over_tasks(over: OverTasks, console: Console) -> None:
    """Print the table and the notes."""
    from weak2strong.report.table import column_table

    table = column_table(over_tasks_titles(over), "lrrr")
    for row in over_tasks_rows(over):
        table.add_row(*row)
    console.print()
    console.print(table)
    for note in over_tasks_notes(over):
        console.print(note, markup=False, highlight=False, soft_wrap=True)


def _text(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return "undefined"
    return f"{value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
