"""What the tasks of a study hold, in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from weak2strong.engine.contents import Contents

if TYPE_CHECKING:
    from rich.console import Console

FEW = 4
"""Classes up to which the share of each is shown."""


def print_contents(task: Contents, console: Console) -> None:
    """Print where a task is from, what was left out, and a row a split."""
    from rich.table import Table
    from rich.text import Text

    notes = [f"{task.name}: {task.source}", *(task.cleaning.sentences() if task.cleaning else ())]
    for note in notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    table = Table(header_style="bold")
    table.add_column("split")
    shown = [name for name in COLUMNS if task.splits[0][name] is not None]
    for name in shown:
        table.add_column(name.replace("_", " "), justify="left" if name == "classes" else "right")
    for row in task.splits:
        # As text: the name of a class is no markup.
        table.add_row(row["split"], *(Text(COLUMNS[name](row[name])) for name in shown))
    console.print(table)


def _balance(classes: Mapping[str, float]) -> str:
    """The share of each class, or of the rarest and the most frequent of many."""
    if len(classes) <= FEW:
        return ", ".join(f"{name} {share:.1%}" for name, share in classes.items())
    low, high = (f"{pick(classes.values()):.1%}" for pick in (min, max))
    return f"{len(classes)} classes, {low} to {high}"


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def _share(value: float) -> str:
    return f"{value:.1%}"


COLUMNS: Mapping[str, Callable[[Any], str]] = {
    "examples": _number,
    "groups": _number,
    "classes": _balance,
    "median_tokens": _number,
    "longest_tokens": _number,
    "truncated": _share,
}
"""What is shown of a split, and how; a column of which nothing is known is left out."""
