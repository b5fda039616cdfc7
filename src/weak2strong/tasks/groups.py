"""Groups that a user did not name: a column that says by its name what belongs together.

It is used where its entries repeat, as long as they can be parted into splits: a column with few
entries, or one that many rows share, is a category or a source and no group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from weak2strong.tasks import names
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.tables import Table, is_missing

FEWEST = 2 * len(SPLITS)
"""Groups that there are at least."""

LARGEST, FEW_ROWS = 0.1, 10
"""Share of the rows that a group has at most, as much as the smallest split; so many may it have
in any case."""

Found = Sequence[tuple[Table, Roles]]
"""Tables, with what their columns are for."""


def with_groups(found: Found, columns: Columns) -> tuple[list[tuple[Table, Roles]], list[str]]:
    """The tables with their column of groups, if one is found by its name, and what is to be told.

    Args:
        found: the tables of one task.
        columns: those that the user names.
    """
    if columns.group is not None or not columns.find_group:
        return list(found), []
    said, taken = [], None
    rows = sum(len(table.rows) for table, _ in found)
    for plain in names.GROUPS:
        there = [_column(table, roles, plain) for table, roles in found]
        column = next((name for name in there if name), None)
        if column is None:
            continue
        entries = _entries(found, there)
        if entries is None:
            said.append(
                f"Column {column!r} has entries that are neither texts nor whole numbers, and is "
                "not taken for a group."
            )
            continue
        counts = Counter(entry for entry in entries if entry is not None)
        if len(counts) == 1 < sum(counts.values()):
            said.append(f"Column {column!r} has one entry only, and is not taken for a group.")
        if len(counts) < 2 or (most := max(counts.values())) < 2:
            continue
        if len(counts) < FEWEST or most > max(FEW_ROWS, LARGEST * rows):
            if taken is None:
                said.append(
                    f"Column {column!r} has {len(counts):,} different entries, one of them in "
                    f"{most:,} rows, and is not taken for a group; --group-column {column} takes "
                    "it."
                )
            continue
        if taken is None or _is_within(taken[2], entries):
            taken = (column, there, entries)
    if taken is None:
        return list(found), said
    column, there, _ = taken
    said.append(
        f"Rows with an equal entry in column {column!r} stay in one split; --group-column none "
        "does without."
    )
    grouped = [
        (table, replace(roles, group=name, group_found=name is not None))
        for (table, roles), name in zip(found, there, strict=True)
    ]
    return grouped, said


def _is_within(inner: Sequence[str | None], outer: Sequence[str | None]) -> bool:
    """Whether each group of one column lies in one of another, which has fewer groups."""
    pairs = {(one, other) for one, other in zip(inner, outer, strict=True) if one is not None}
    groups = {one for one, _ in pairs}
    wider = {other for _, other in pairs}
    return None not in wider and len(pairs) == len(groups) > len(wider)


def _column(table: Table, roles: Roles, plain: str) -> str | None:
    """The column with a name, if it has no other role."""
    used = {name for _, of_role in roles.named() for name in of_role}
    column = names.by_plain_name(table.columns).get(plain)
    return None if column in used else column


def _entries(found: Found, columns: Sequence[str | None]) -> list[str | None] | None:
    """The entry of each row, None where it has none; None for all where one is no name.

    Args:
        found: the tables.
        columns: that of each table, if it has one.
    """
    values = [
        values.get(name) if name else None
        for (table, _), name in zip(found, columns, strict=True)
        for _, values in table.rows
    ]
    if not all(is_missing(value) or _is_name(value) for value in values):
        return None
    return [None if is_missing(value) else str(value) for value in values]


def _is_name(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, (str, int)) and not isinstance(value, bool)
