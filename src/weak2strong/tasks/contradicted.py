"""Preferences that a column states, and that the scores of the two completions contradict.

The column counts, as a score may be of something else; a user is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from weak2strong.ground.errors import UserError
from weak2strong.tasks import names
from weak2strong.tasks.made import preferred_column
from weak2strong.tasks.readers import row_name
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.tables import Table
from weak2strong.tasks.values import number_of


def contradictions(found: Sequence[tuple[Table, Roles]]) -> list[str]:
    """A sentence on each table in which rows prefer the completion with the lower score.

    Args:
        found: the tables of a task, with what their columns are for.
    """
    return [said for table, roles in found if (said := _contradicted(table, roles))]


def _contradicted(table: Table, roles: Roles) -> str:
    preferred = preferred_column(table, roles)
    if preferred is None or not roles.chosen or not roles.rejected:
        return ""
    there = names.by_plain_name(table.columns)
    scores = names.scores(there, (roles.chosen, roles.rejected))
    if not scores or roles.label in scores:
        return ""
    numbers = list[int]()
    for number, values in table.rows:
        try:
            side = preferred(values.get(roles.label or ""))
            both = [number_of(values.get(name), "", name) for name in scores]
        except (UserError, ValueError):
            continue
        if side is not None and both[side] < both[1 - side]:
            numbers.append(number)
    if not numbers:
        return ""
    return (
        f"In {len(numbers):,} of {len(table.rows):,} rows, column {roles.label!r} prefers the "
        f"completion that is lower by {scores[0]!r} and {scores[1]!r} (first: "
        f"{row_name(table.name, numbers[0])}): the column counts; check which one is right."
    )
