"""Tables written as text, a row a line: separated by commas, semicolons or tabs.

Fields may be quoted, as Python's ``csv`` and pandas write and read them. A field that is empty is a
missing value; a line without anything in it is no row.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from weak2strong.ground.errors import UserError
from weak2strong.ground.watched import watched
from weak2strong.tasks.encodings import encoding_of, shown, text_of
from weak2strong.tasks.opening import Reading
from weak2strong.tasks.tables import EMPTY, Table

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

LOOKED_AT = 20
"""How many rows decide which separator a file has."""

_NAMED = re.compile(r"sep=([,;\t|:])\s*")
"""A first line by which spreadsheets name the separator."""

Record = tuple[int, list[str]]
"""The line on which a record ends, from 1, and its fields."""


@dataclass(frozen=True)
class _Form:
    """How a file is written."""

    separator: str
    quoted: bool = True
    skipped: int = 0


class _OpenQuoteError(Exception):
    """A quotation mark that nothing closes; the argument is the line where it opens."""


def read_separated(file: str, content: bytes, reading: Reading, tabs: bool) -> Table:
    """The table in a file whose first line names the columns.

    The separator is the one by which the first rows have as many fields as the header. In a file
    with tabs, quotation marks are characters like others if no field ends at a line's end only by
    them.

    Args:
        file: its name.
        content: of the file.
        reading: the encoding of its text.
        tabs: whether the name of the file says that tabs separate.

    Raises:
        UserError: for a file that is not in its encoding, or has a quotation mark that nothing
            closes.
    """
    encoding = encoding_of(file, content, reading)
    form = _form(file, content, encoding, tabs)
    try:
        header, rows, malformed = _read(file, content, encoding, form)
    except _OpenQuoteError as e:
        raise UserError(
            f"{file}, line {e.args[0]:,} opens a quotation mark that nothing closes: close it, or "
            "write two of them for one that is meant."
        ) from e
    text = ["text" if any(row.get(name) for _, row in rows) else EMPTY for name in header]
    return Table(
        file,
        dict(zip(header, text, strict=True)),
        rows,
        malformed=malformed,
        untyped=True,
        form=f"{SEPARATORS.get(form.separator, form.separator)}-separated text, "
        f"{shown(encoding)}{'' if form.quoted else ', without quotation marks'}",
    )


def _form(file: str, content: bytes, encoding: str, tabs: bool) -> _Form:
    """How the file is written, by its first rows; by all of them as to quotation marks."""
    order = sorted(SEPARATORS, key=lambda sign: (sign == "\t") != tabs)
    with text_of(file, content, encoding, "") as lines:
        first = next(filter(str.strip, lines), "")
    if named := _NAMED.fullmatch(first):
        return _Form(named[1], skipped=1)
    forms = [_Form(sign) for sign in order if sign in first]
    if not forms:
        return _Form(order[0])
    form = next((f for f in forms if _even(file, content, encoding, f)), forms[0])
    if form.separator == "\t" and _plain(file, content, encoding):
        return _Form("\t", quoted=False)
    return form


def _even(file: str, content: bytes, encoding: str, form: _Form) -> bool:
    """Whether the first rows have as many fields as the header, which has more than one."""
    with text_of(file, content, encoding, "") as lines:
        try:
            first = list(islice(_records(lines, form), LOOKED_AT))
        except _OpenQuoteError:
            return False
    counts = [len(fields) for _, fields in first]
    return len(set(counts)) == 1 and counts[0] > 1


def _plain(file: str, content: bytes, encoding: str) -> bool:
    """Whether every line has as many fields as the first, and with quotation marks it is not so."""
    if b'"' not in content:
        return False
    with text_of(file, content, encoding, "") as lines:
        plain = [len(fields) for _, fields in _records(lines, _Form("\t", quoted=False))]
    if len(set(plain)) != 1:
        return False
    with text_of(file, content, encoding, "") as lines:
        try:
            return [len(fields) for _, fields in _records(lines, _Form("\t"))] != plain
        except _OpenQuoteError:
            return True


def _records(lines: Iterable[str], form: _Form) -> Iterator[Record]:
    """The records of a file, without blank lines.

    Raises:
        _OpenQuoteError: where the file ends within quotation marks.
    """
    # Texts may be longer than the 128 KiB that the module allows.
    csv.field_size_limit(sys.maxsize)
    counted = _Counted(islice(lines, form.skipped, None))
    quoting = csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE
    reader = csv.reader(counted, delimiter=form.separator, quoting=quoting)
    begins = 1
    for fields in reader:
        if counted.ended:
            raise _OpenQuoteError(begins + form.skipped)
        if any(field.strip() for field in fields):
            yield reader.line_num + form.skipped, fields
        begins = reader.line_num + 1


class _Counted:
    """Lines that tell whether more were asked for than there are, as for a quote that is open."""

    def __init__(self, lines: Iterable[str]):
        self._lines, self.ended = iter(lines), False

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        try:
            return next(self._lines)
        except StopIteration:
            self.ended = True
            raise


def _read(
    file: str, content: bytes, encoding: str, form: _Form
) -> tuple[list[str], list[tuple[int, dict[str, str | None]]], list[tuple[int, str]]]:
    """The names of the columns, the rows, and the rows that have too many fields."""
    with text_of(file, content, encoding, "") as lines:
        records = _records(watched(lines, f"reading {file}", content.count(b"\n")), form)
        header = next(records, (1, []))[1]
        found = list(records)
    header = _header(header, found)
    rows, malformed = [], []
    for number, (line, fields) in enumerate(found, start=1):
        if any(field.strip() for field in fields[len(header) :]):
            malformed.append(
                (number, f"has {len(fields)} fields and not {len(header)} (line {line:,})")
            )
            continue
        values = [field or None for field in fields[: len(header)]]
        values += [None] * (len(header) - len(values))
        rows.append((number, dict(zip(header, values, strict=True))))
    return header, rows, malformed


def _header(names: Sequence[str], records: Sequence[Record]) -> list[str]:
    """The names of the columns: each once, as pandas tells them apart.

    Where every row has a field more than there are names, the first one numbers the rows, as R
    writes them.
    """
    names = [name.strip() for name in names]
    firsts = {fields[0] for _, fields in records if len(fields) == len(names) + 1}
    if records and len(firsts) == len(records) and all(map(str.isdecimal, firsts)):
        names = ["", *names]
    once: list[str] = []
    for name in names:
        number, free = 0, name
        while free in once:
            number += 1
            free = f"{name}.{number}"
        once.append(free)
    return once
