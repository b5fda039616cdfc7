"""The splits that a column of a file gives, such as ``split`` with ``train`` and ``test``.

The names are those of the literature or our own four. A column that is found by its name counts
only where it tells several splits apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks import names
from weak2strong.tasks.layout import SYNONYMS
from weak2strong.tasks.readers import Columns, listed
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.tables import Table, is_missing

COLUMN = "split"
TEST = "test"

OURS = {name: name for name in SPLITS}
THEIRS = {word: split for split, words in SYNONYMS.items() for word in words}

Found = Sequence[tuple[Table, Roles]]
"""Tables, with what their columns are for."""


@dataclass(frozen=True)
class SplitNames:
    """What the entries of a column mean.

    Attributes:
        column: its name.
        meaning: the split that each entry names, in the form in which names are compared.
    """

    column: str
    meaning: Mapping[str, str]

    def of(self, values: Mapping[str, Any], location: str) -> str:
        """The split of a row.

        Raises:
            UserError: where it names none.
        """
        value = values.get(self.column)
        if is_missing(value):
            raise UserError(
                f"{location} has nothing in column {self.column!r}: name its split or drop the row."
            )
        return self.meaning[names.plain(str(value))]


@dataclass(frozen=True)
class Untested:
    """The rows of ``test`` where none of them has a label."""

    splits: SplitNames

    def has(self, values: Mapping[str, Any]) -> bool:
        """Whether a row is one of them."""
        value = values.get(self.splits.column)
        return not is_missing(value) and self.splits.meaning[names.plain(str(value))] == TEST


def without_test(found: Found, splits: SplitNames | None) -> Untested | None:
    """The rows of ``test``, if a column gives splits and none of these rows has a label.

    Args:
        found: the tables of one task.
        splits: what the entries of their column of splits mean.
    """
    if splits is None or not all(roles.label for _, roles in found):
        return None
    rows = Untested(splits)
    of_test = [(v, roles) for table, roles in found for _, v in table.rows if rows.has(v)]
    none = all(is_missing(values.get(roles.label or "")) for values, roles in of_test)
    return rows if of_test and none else None


def with_splits(
    found: Found, columns: Columns
) -> tuple[list[tuple[Table, Roles]], SplitNames | None, list[str]]:
    """The tables with their column of splits, if they have one, what its entries mean, and what is
    to be told.

    Args:
        found: the tables of one task.
        columns: those that the user names.

    Raises:
        UserError: for a column whose entries mean no splits.
    """
    column = columns.split or _usual(found, columns)
    if column is None:
        return list(found), None, []
    there = [values.get(column) for table, _ in found for _, values in table.rows]
    counts = Counter(names.plain(str(value)) for value in there if not is_missing(value))
    meaning = {**THEIRS, **({} if counts.keys() <= THEIRS.keys() else OURS)}
    if unknown := [entry for entry in counts if entry not in meaning]:
        shown = next(v for v in there if not is_missing(v) and names.plain(str(v)) == unknown[0])
        raise UserError(
            f"{found[0][0].name} has {shown!r} in column {column!r}, which is no split: write "
            f"train, validation and test, or {listed(SPLITS)}, or say --split-column none to draw "
            "splits of all rows."
        )
    if len({meaning[entry] for entry in counts}) < 2:
        if columns.split is None:
            only = f"has {next(iter(counts))!r} in every row" if counts else "is empty"
            return list(found), None, [f"Column {column!r} {only}, so that splits are drawn."]
        raise UserError(
            f"{found[0][0].name} has one split only in column {column!r}: leave --split-column out."
        )
    parted = [(table, replace(roles, split=column)) for table, roles in found]
    return parted, SplitNames(column, meaning), []


def _usual(found: Found, columns: Columns) -> str | None:
    """The column that is called as splits are, if it has no other role."""
    if not columns.find_split:
        return None
    for table, roles in found:
        used = {name for _, of_role in roles.named() for name in of_role}
        column = names.by_plain_name(table.columns).get(COLUMN)
        if column is not None and column not in used:
            return column
    return None
