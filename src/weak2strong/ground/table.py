"""One table, as data: what its columns are and what its rows hold.

Whoever has results makes a `Table` of them, once. Terminal, Markdown, HTML and JSON are four ways
to write that same table (`weak2strong.report.terminal`, `weak2strong.report.formats`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from weak2strong.ground.shown import SHOWN

Row = Mapping[str, Any]
"""Raw values by field. An interval takes three fields: ``pgr``, ``pgr_low`` and ``pgr_high``."""

DASH = "–"
"""The text of a value that is not known or not there."""

WIDE = 3.0
"""A PGR whose interval reaches beyond this, up or down, is not printed as a number."""

TOO_WIDE = "undefined-wide"
"""The text of such a PGR."""

WIDE_MEANING = (
    f"{TOO_WIDE}: the interval of PGR reaches below -{WIDE:g} or above {WIDE:g}, so that these "
    "data do not say what was recovered."
)
"""What a reader of that text has to know."""


@dataclass(frozen=True)
class Column:
    """A column: which field of a row it shows, and how.

    Attributes:
        name: of the field; it stays the same when the title changes.
        title: for people.
        text: what a person reads in a row.
        align: the side that the texts stand on.
        detail: whether this column is the first to leave a narrow terminal's row: it then stands on
            a line beneath the row.
        wraps: whether the texts are prose, which may take several lines.
        tone: how much a text stands out, from its row: "error", "warning", "quiet" or "".
        more: fields that JSON has besides, from the row: what the text says and raw values do not.
    """

    name: str
    title: str
    text: Callable[[Row], str]
    align: Literal["left", "right"] = "right"
    detail: bool = False
    wraps: bool = False
    tone: Callable[[Row], str] = lambda row: ""
    more: Callable[[Row], Row] = lambda row: {}


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: under which JSON has the rows.
        title: a sentence that stands above; may be empty.
        columns: in the order in which people read them.
        rows: raw values; they may have more fields than there are columns, which JSON has too.
        notes: sentences that stand beneath.
        gaps: positions of rows that begin a new part of the table.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    gaps: Sequence[int] = ()

    @property
    def texts(self) -> list[list[str]]:
        """The texts of all rows, a list a row."""
        return [[column.text(row) for column in self.columns] for row in self.rows]

    @property
    def beneath(self) -> list[str]:
        """The notes, and the meaning of a text that needs one."""
        wide = any(TOO_WIDE in text for row in self.texts for text in row)
        return [*self.notes, *([WIDE_MEANING] if wide else [])]

    def _repr_html_(self) -> str:
        """What a notebook shows: the columns and texts of the terminal, escaped."""
        return SHOWN.get("table-cell")(self)

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The rows as JSON has them: raw values, and what columns say of these."""
        rows = [dict(row) for row in self.rows]
        for row in rows:
            for column in self.columns:
                row |= column.more(row)
        return rows


@dataclass(frozen=True)
class Document:
    """What a command prints.

    Attributes:
        tables: in the order in which they are read.
        facts: raw values that JSON has beside the rows of the tables. A fact with the name of a
            table takes the place of its rows.
        head: sentences above the tables.
        notes: sentences beneath them.
        warnings: what a reader has to know before quoting the numbers.
    """

    tables: Sequence[Table]
    facts: Mapping[str, Any] = field(default_factory=dict)
    head: Sequence[str] = ()
    notes: Sequence[str] = ()
    warnings: Sequence[str] = ()


def joined(documents: Sequence[Document]) -> Document:
    """Documents as one; lists among the facts follow each other."""
    facts = dict[str, Any]()
    for document in documents:
        for name, fact in document.facts.items():
            facts[name] = facts.get(name, []) + fact if isinstance(fact, list) else fact
    return Document(
        tables=[table for d in documents for table in d.tables],
        facts=facts,
        head=[text for d in documents for text in d.head],
        notes=[text for d in documents for text in d.notes],
        warnings=list(dict.fromkeys(text for d in documents for text in d.warnings)),
    )


def words(name: str, title: str | None = None, **more: Any) -> Column:
    """A column of texts, on the left."""
    return _column(name, title, lambda row: DASH if row.get(name) is None else str(row[name]))(
        **({"align": "left"} | more)
    )


def number(
    name: str, title: str | None = None, digits: int = 3, sign: bool = False, **more: Any
) -> Column:
    """A column of numbers with so many digits behind the point."""
    return _column(name, title, lambda row: number_text(row.get(name), digits, sign))(**more)


def count(name: str, title: str | None = None, **more: Any) -> Column:
    """A column of whole numbers, thousands set apart by commas."""
    return _column(name, title, lambda row: DASH if row.get(name) is None else f"{row[name]:,}")(
        **more
    )


def estimate(
    name: str,
    title: str | None = None,
    digits: int = 3,
    sign: bool = False,
    missing: str = DASH,
    **more: Any,
) -> Column:
    """A column of numbers with their intervals, such as ``0.54 [0.41, 0.67]``.

    Args:
        name: of the field; the ends of the interval are ``name_low`` and ``name_high``.
        title: for people; says the level of the interval where the notes do not.
        digits: behind the point.
        sign: whether a positive number has a plus.
        missing: the text of a number that is not defined.
        **more: other attributes of the column.
    """
    return _column(name, title, lambda row: estimate_text(row, name, digits, sign, missing))(**more)


def pgr(name: str = "pgr", title: str = "PGR [95%]", **more: Any) -> Column:
    """A column of PGRs with their intervals (see `pgr_text`).

    JSON has raw values, and says in the field ``name_wide`` whether an interval is too wide.
    """
    wide = partial(wide_field, name=name)
    return Column(name, title, partial(pgr_text, name=name), more=wide, **more)


def _column(name: str, title: str | None, text: Callable[[Row], str]) -> Callable[..., Column]:
    """A column without its other attributes; the title is the name where none is given."""
    return partial(Column, name, name.replace("_", " ") if title is None else title, text)


def number_text(value: float | None, digits: int = 3, sign: bool = False) -> str:
    """A number with so many digits; never ``-0.000``."""
    if value is None or math.isnan(value):
        return DASH
    return f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}"


def estimate_text(
    row: Row, name: str = "pgr", digits: int = 3, sign: bool = False, missing: str = DASH
) -> str:
    """A number with its interval, where it has one (see `estimate`)."""
    if row.get(name) is None or math.isnan(row[name]):
        return missing
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    text = number_text(row[name], digits, sign)
    if low is None or high is None or math.isnan(low):
        return text
    return f"{text} [{number_text(low, digits, sign)}, {number_text(high, digits, sign)}]"


def pgr_text(row: Row, name: str = "pgr") -> str:
    """A PGR with its interval, ``undefined``, or `TOO_WIDE` where the interval says nothing."""
    if is_wide(row, name):
        return TOO_WIDE
    return estimate_text(row, name, digits=2, missing="undefined")


def is_wide(row: Row, name: str = "pgr") -> bool:
    """Whether the interval of a PGR reaches beyond `WIDE`, up or down."""
    ends = (row.get(f"{name}_low"), row.get(f"{name}_high"))
    return any(end is not None and abs(end) > WIDE for end in ends)


def wide_field(row: Row, name: str = "pgr") -> Row:
    """Whether the interval of a PGR is too wide, as a field; None where there is no PGR."""
    return {f"{name}_wide": None if row.get(name) is None else is_wide(row, name)}


def counted(number: int, what: str) -> str:
    """A number of things, such as ``2 seeds``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def seeds_text(count: int) -> str:
    """What scores are means of, such as ``mean of 3 seeds``."""
    return f"mean of {counted(count, 'seed')}"


def listed_names(names: Sequence[str]) -> str:
    """Names in a sentence, such as ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
