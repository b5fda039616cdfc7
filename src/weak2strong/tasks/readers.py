"""Which columns of a file are wanted, and the values that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.columnar import Check
from weak2strong.tasks.opening import USUAL, Reading
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.tables import Table, Values

SHOWN = 12
"""How many names an error lists at most."""

TEXT, LABEL = "text", "label"
"""The usual columns of a classification."""

PROMPT, CHOSEN, REJECTED = "prompt", "chosen", "rejected"
"""The columns of preferences; the first may be missing."""

SUBSET = "subset"
"""The column that names the part of a benchmark that a preference is of, if there is one."""

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
            of_pairs = [name for name in (PROMPT, CHOSEN, REJECTED, SUBSET) if name in present]
            named |= {name: name for name in of_pairs}
        elif usual and PROMPT in present and {*TARGETS} & {*present}:
            target = next(name for name in TARGETS if name in present)
            written = [name for name in (PROMPT, target, ACCEPTED) if name in present]
            named |= {name: name for name in written}
        else:
            named |= {"--text-column": self.text, "--label-column": self.label}
        return {flag: name for flag, name in named.items() if name is not None}


def read(file: str, content: bytes, columns: Columns, reading: Reading = USUAL) -> Values:
    """The rows of one file.

    Args:
        file: its name; the ending says how to read it.
        content: what is in it.
        columns: what to read; each of them must be there.
        reading: encoding, and how much may be unpacked.

    Raises:
        UserError: for an unknown ending, a file that cannot be read or lacks a column.
    """
    return values_of(read_table(file, content, reading, check_of(file, columns)), columns)


def values_of(table: Table, columns: Columns) -> Values:
    """The wanted columns of a table that has them.

    Raises:
        UserError: for the first row that could not be read.
    """
    check_all_read(table)
    if not table.columns:
        return []
    wanted = check_of(table.name, columns)(list(table.columns))
    return [(n, {name: row.get(name) for name in wanted}) for n, row in table.rows]


def check_all_read(table: Table) -> None:
    """Refuse a table with rows that could not be read.

    Raises:
        UserError: for the first of them.
    """
    for number, reason in table.malformed:
        raise UserError(f"{row_name(table.name, number)} {reason}: mend it or drop the row.")


def values_of_rows(name: str, rows: Sequence[Mapping[str, Any]], columns: Columns) -> Values:
    """The same for rows that a plugin has read.

    Raises:
        UserError: where a column is missing.
    """
    wanted = check_of(name, columns)(list(dict.fromkeys(name for row in rows for name in row)))
    return [(n, {name: row.get(name) for name in wanted}) for n, row in enumerate(rows, start=1)]


def check_of(file: str, columns: Columns) -> Check:
    """What says which columns of a file are wanted, and refuses a file that lacks one."""

    def check(present: Sequence[str]) -> list[str]:
        wanted = columns.flags(present)
        for flag, name in wanted.items():
            if name not in present:
                raise _no_column(file, name, present, flag)
        return list(dict.fromkeys(wanted.values()))

    return check


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
