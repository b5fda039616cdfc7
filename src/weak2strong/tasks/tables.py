"""What a file of data holds: its columns, its rows, and what of it could not be read.

Readers of files make a `Table` each; what a column means is not their business.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Values = Sequence[tuple[int, Mapping[str, Any]]]
"""The number of every row, from 1, and its value by column."""

Malformed = Sequence[tuple[int, str]]
"""The number of every row that could not be read, and what is wrong: "is no JSON", "has ..."."""

EMPTY, MIXED = "empty", "mixed"

MESSAGES = ({"role", "content"}, {"from", "value"})
"""The fields of a message: as most chats have them, and as ShareGPT has them."""


@dataclass(frozen=True)
class Table:
    """The content of a file of rows and columns.

    A value has the type that it has in its format. What is empty or missing is None.

    Attributes:
        name: of the file, for messages.
        columns: of every column what its values are: ``text``, ``number``, ``truth``, ``texts`` (a
            list of them), ``messages`` (a list of turns of a chat), ``list``, ``object``,
            ``other`` (a day, or bytes), ``mixed``, or ``empty``. What is missing does not count.
        rows: numbered from 1. Rows that could not be read have a number, too, and are not here.
        classes: names of classes by column, where the format or what describes it gives them.
        malformed: the rows that could not be read.
        untyped: whether all values are texts, since the format knows nothing else.
        form: how the file was read, such as "comma-separated text, UTF-8".
    """

    name: str
    columns: Mapping[str, str]
    rows: Values = field(repr=False)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    malformed: Malformed = ()
    untyped: bool = False
    form: str = ""


def joined(name: str, tables: Sequence[Table]) -> Table:
    """The table of some parts, which are read alike, in their order; rows are counted through.

    Args:
        name: of the whole.
        tables: its parts, at least one.
    """
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    rows, malformed, first = [], [], 0
    for table in tables:
        rows += [(first + number, values) for number, values in table.rows]
        malformed += [(first + number, reason) for number, reason in table.malformed]
        first += len(table.rows) + len(table.malformed)
    classes = [table.classes for table in tables if table.columns]
    return Table(
        name,
        {c: _common({t.columns[c] for t in tables if c in t.columns}) for c in columns},
        rows,
        classes=classes[0] if classes and all(c == classes[0] for c in classes) else {},
        malformed=malformed,
        untyped=all(table.untyped for table in tables if table.rows),
        form=tables[0].form,
    )


def kinds_of(names: Iterable[str], rows: Values) -> dict[str, str]:
    """What the values of every column are, from all rows."""
    return {name: _common({_kind(values.get(name)) for _, values in rows}) for name in names}


def is_missing(value: Any) -> bool:
    """Whether a value says nothing: none, no number, or an empty text."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def are_messages(value: Any) -> bool:
    """Whether a value is a list of turns of a chat, at least one."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(turn, dict) and any(m <= turn.keys() for m in MESSAGES) for turn in value)


def _kind(value: Any) -> str:
    if is_missing(value):
        return EMPTY
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            return "texts"
        if are_messages(value):
            return "messages"
        return "list" if value else EMPTY
    return "object" if isinstance(value, dict) else "other"


def _common(kinds: set[str]) -> str:
    kinds = kinds - {EMPTY}
    if not kinds:
        return EMPTY
    return kinds.pop() if len(kinds) == 1 else MIXED
