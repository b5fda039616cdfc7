"""Files with rows and columns, as a user or a dataset repository has them.

A value has the type that it has in its format. A ``.csv`` has texts only.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from io import BytesIO
from pathlib import PurePath
from typing import Any

from weak2strong.ground.errors import UserError

Values = Sequence[tuple[int, Mapping[str, Any]]]
"""The number of every row, from 1, and its value by column."""

Check = Callable[[Sequence[str]], list[str]]
"""Gives the columns that are wanted, from those that are present; refuses a file that lacks one."""

PACKED = ".jsonl.gz"

SHOWN = 12
"""How many names an error lists at most."""

TEXT, LABEL = "text", "label"
"""The usual columns of a classification."""

PROMPT, CHOSEN, REJECTED = "prompt", "chosen", "rejected"
"""The columns of preferences; the first may be missing."""

TARGETS, ACCEPTED = ("target", "answer"), "accepted"
"""The columns of a generation besides the prompt: the target, which has one of two names, and
texts that count as right, too, which may be missing."""


@dataclass(frozen=True)
class Columns:
    """The names of a file's columns; None where there is no such column."""

    text: str = TEXT
    label: str = LABEL
    group: str | None = None
    id: str | None = None

    def flags(self, present: Sequence[str] = ()) -> dict[str, str]:
        """Every column that must be there, by the flag that names it.

        A file holds preferences if it has the columns of chosen and rejected completions, and not
        those of texts with labels. It holds a generation if it has prompts and targets.
        """
        named = {"--group-column": self.group, "--id-column": self.id}
        usual = (self.text, self.label) == (TEXT, LABEL) and not {TEXT, LABEL} <= {*present}
        if usual and {CHOSEN, REJECTED} <= {*present}:
            of_pairs = [name for name in (PROMPT, CHOSEN, REJECTED) if name in present]
            named |= {name: name for name in of_pairs}
        elif usual and PROMPT in present and {*TARGETS} & {*present}:
            target = next(name for name in TARGETS if name in present)
            written = [name for name in (PROMPT, target, ACCEPTED) if name in present]
            named |= {name: name for name in written}
        else:
            named |= {"--text-column": self.text, "--label-column": self.label}
        return {flag: name for flag, name in named.items() if name is not None}


def read(file: str, content: bytes, columns: Columns) -> Values:
    """The rows of one file.

    Args:
        file: its name; the ending says how to read it.
        content: what is in it.
        columns: what to read; each of them must be there.

    Raises:
        UserError: for an unknown ending, a file that cannot be read or lacks a column.
    """
    if ending(file) not in READERS:
        raise UserError(f"Data file {file} must end in {', '.join(READERS)}: convert or rename it.")
    if not content.strip():
        return []

    return READERS[ending(file)](file, content, _check(file, columns))


def read_table(name: str, rows: Sequence[Mapping[str, Any]], columns: Columns) -> Values:
    """The same for rows that a plugin has read.

    Raises:
        UserError: where a column is missing.
    """
    return _selected(rows, _check(name, columns))


def _check(file: str, columns: Columns) -> Check:
    def check(present: Sequence[str]) -> list[str]:
        wanted = columns.flags(present)
        for flag, name in wanted.items():
            if name not in present:
                raise _no_column(file, name, present, flag)
        return list(dict.fromkeys(wanted.values()))

    return check


def _selected(rows: Sequence[Mapping[str, Any]], check: Check) -> Values:
    """The wanted columns of rows, each of which may lack some of them."""
    wanted = check(list(dict.fromkeys(name for row in rows for name in row)))
    return [(n, {name: row.get(name) for name in wanted}) for n, row in enumerate(rows, start=1)]


def ending(file: str | PurePath) -> str:
    """The ending of a file's name that says how to read it, in lower case.

    Compressed JSON lines have the same ending as others: ``a.jsonl.gz`` ends in ``.jsonl``.
    """
    name = PurePath(file).name.lower()
    return ".jsonl" if name.endswith(PACKED) else PurePath(name).suffix


def _no_column(file: str, name: str, present: Sequence[str], flag: str) -> UserError:
    near = get_close_matches(name, present, n=1, cutoff=0.5)
    nearest = f", the nearest is {near[0]!r}" if near else ""
    return UserError(
        f"{file} has no column {name!r}{nearest}; it has {listed(present)}: "
        f"name the right one with {flag}."
    )


def row_name(file: str, number: int) -> str:
    """File and row, for errors."""
    return f"{file}, row {number:,}"


def listed(names: Sequence[str]) -> str:
    """Names for an error: the first of them, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return (", ".join(map(str, names[:SHOWN])) + more) or "none"


def _csv(file: str, content: bytes, check: Check) -> Values:
    import polars as pl

    try:
        # As text: an id such as 001 is no number, and a text of digits is a text.
        frame = pl.read_csv(content, infer_schema=False)
    except pl.exceptions.PolarsError as e:
        raise _unreadable(file, "comma-separated UTF-8 text with a header line", e) from e
    wanted = check(frame.columns)
    blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    rows = zip(blank, frame.select(wanted).iter_rows(named=True), strict=True)
    return [(n, row) for n, (empty, row) in enumerate(rows, start=1) if not empty]


def _parquet(file: str, content: bytes, check: Check) -> Values:
    import polars as pl

    try:
        wanted = check(list(pl.read_parquet_schema(BytesIO(content))))
        frame = pl.read_parquet(BytesIO(content), columns=wanted)
    except pl.exceptions.PolarsError as e:
        raise _unreadable(file, "a parquet file", e) from e
    return list(enumerate(frame.iter_rows(named=True), start=1))


def _jsonl(file: str, content: bytes, check: Check) -> Values:
    rows = []
    if file.lower().endswith(PACKED):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as e:
            raise _unreadable(file, "a whole gzip file", e) from e
    # Not splitlines, which also parts at separators that may stand inside a text.
    for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if not line.strip():
            continue
        location = row_name(file, len(rows) + 1)
        try:
            row = json.loads(line)
        except ValueError as e:
            raise UserError(f"{location} is no JSON ({e}): write one object a line.") from e
        if not isinstance(row, dict):
            raise UserError(f"{location} is no JSON object: write one object a line.")
        rows.append(row)
    return _selected(rows, check)


READERS: Mapping[str, Callable[[str, bytes, Check], Values]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
"""How a file is read, by the ending of its name."""


def _unreadable(file: str, what: str, error: Exception) -> UserError:
    reason = str(error).strip().splitlines()[0].rstrip(".:")
    return UserError(f"{file} cannot be read ({reason}): check that it is {what}.")
