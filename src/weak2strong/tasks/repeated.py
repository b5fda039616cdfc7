"""Columns whose name stands twice in the header of a table that is written as text."""

from __future__ import annotations

from collections.abc import Sequence

from weak2strong.tasks.roles import Roles
from weak2strong.tasks.tables import Table


def namesakes(found: Sequence[tuple[Table, Roles]]) -> list[str]:
    """A sentence on each column that is read and whose name stands twice: the first one counts.

    Args:
        found: the tables of a task, with what their columns are for.
    """
    said = []
    for table, roles in found:
        read = (name for _, names in roles.named() for name in names)
        # Other forms are refused where a name stands twice (see `tasks.separated`).
        twice = [name for name in read if table.untyped and f"{name}.1" in table.columns]
        said += [
            f"Column {name!r} stands twice in {table.name}: the first one is read, and the other "
            f"one is called {name + '.1'!r}."
            for name in dict.fromkeys(twice)
        ]
    return said
