"""A user's file as checked rows: a text, a class, and the values of its other columns.

Whatever is wrong with a file is told in one sentence that names the row. Rows of data are counted
from 1, and the header of a ``.csv`` does not count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.opening import USUAL, Reading
from weak2strong.tasks.pairs import PREFERRED, read_pair
from weak2strong.tasks.readers import (
    ACCEPTED,
    CHOSEN,
    PROMPT,
    REJECTED,
    SUBSET,
    TARGETS,
    Columns,
    check_of,
    listed,
    row_name,
    values_of,
)
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.several import spread
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.tables import Values
from weak2strong.tasks.task import Dialogue, Kind

Label = str | int | bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``group`` and ``id`` are None where the data have no such column.

    ``opening`` names the conversation of a preference without a group (see
    `weak2strong.tasks.conversations`). ``question`` names what is asked where several preferences
    ask it together (see `weak2strong.tasks.several`), and ``subset`` the part of a benchmark.

    ``label`` is the index of a class. In a preference, ``text`` is the prompt and ``label`` the
    index of the preferred completion. In a generation, ``text`` is the prompt, ``label`` the
    target, and the texts in ``accepted`` count as right, too.
    """

    file: str
    number: int
    text: str
    label: int | str
    group: str | None
    id: str | None
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    accepted: tuple[str, ...] = ()
    difficulty: float | None = None
    opening: str | None = None
    question: str | None = None
    subset: str | None = None

    @property
    def kind(self) -> Kind:
        """The kind of a task with such rows."""
        if isinstance(self.label, str):
            return "generation"
        return "preference" if self.completions else "classification"

    @property
    def compared(self) -> tuple[str, ...]:
        """All texts of the row, in the form in which texts are compared."""
        return tuple(map(normalised, (self.text, *self.completions)))

    @property
    def location(self) -> str:
        """File and row, for errors."""
        return row_name(self.file, self.number)


def read_rows(
    files: Mapping[str, bytes],
    columns: Columns,
    reading: Reading = USUAL,
    classes: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of some files, one file after another, and the names of their classes.

    Args:
        files: content by name; the ending of the name says how to read it.
        columns: the names of the columns.
        reading: encoding, and how much may be unpacked.
        classes: names of classes by column, where a card tells them; those in a file come first.

    Returns:
        The rows and the classes. Labels become indices of classes: texts are classes in sorted
        order, whole numbers must be 0 to k - 1 and are called by the names that the file or the
        card gives them, and truth values become ``false`` and ``true``.
        The classes of preferences say which of the two completions is preferred. A generation has
        no classes, and its labels are the targets.

    Raises:
        UserError: for anything that is wrong with a file or a row.
    """
    names, tables, untyped = dict(classes or {}), {}, True
    for file, content in files.items():
        table = read_table(file, content, reading, check_of(file, columns))
        tables[file] = values_of(table, columns)
        names |= table.classes
        untyped = untyped and (table.untyped or not table.rows)
    return checked_rows(tables, columns, untyped, names.get(columns.label, ()))


def checked_rows(
    tables: Mapping[str, Values],
    columns: Columns,
    untyped: bool = False,
    names: tuple[str, ...] = (),
) -> tuple[list[Row], tuple[str, ...]]:
    """The same for values that have already been read from their files.

    Args:
        tables: numbered values by file.
        columns: the names of the columns.
        untyped: whether all values are texts, since their format knows nothing else; labels that
            are written as numbers or truth values are then read as such.
        names: of the classes that are whole numbers, if they have names.
    """
    rows, labels = [], []
    for file, numbered in tables.items():
        for number, values, question in spread(file, numbered, columns.id):
            location = row_name(file, number)
            group = (
                name_of(values[columns.group], location, columns.group) if columns.group else None
            )
            id = name_of(values[columns.id], location, columns.id) if columns.id else None
            if not {columns.text, columns.label} <= values.keys():
                if CHOSEN in values:
                    pair = read_pair(values.get(PROMPT), values[CHOSEN], values[REJECTED], location)
                    row = Row(file, number, group=group, id=id, **vars(pair))
                    rows.append(replace(row, question=question, subset=_subset(values)))
                    continue
                prompt, target = (
                    text_of(values[PROMPT], location, PROMPT),
                    _target(values, location),
                )
                more = _accepted(values.get(ACCEPTED), location)
                rows.append(Row(file, number, prompt, target, group, id, accepted=more))
                continue
            text = text_of(values[columns.text], location, columns.text)
            labels.append(_label(values[columns.label], location, columns.label))
            rows.append(Row(file, number, text, -1, group, id))
    if not rows:
        raise UserError(f"{listed(tuple(tables))} has no rows: choose a file with examples.")
    _check_ids(rows)
    if len(labels) < len(rows):
        if labels:
            raise UserError(
                f"Of {listed(tuple(tables))}, some hold preferences or prompts with targets, and "
                "some texts with labels: a task takes one or the other."
            )
        if len({row.kind for row in rows}) > 1:
            raise UserError(
                f"Of {listed(tuple(tables))}, some hold preferences and some prompts with targets: "
                "a task takes one or the other."
            )
        return rows, PREFERRED if rows[0].kind == "preference" else ()
    if untyped:
        labels = _untyped(labels)
    rows, classes = _coded(rows, labels, columns.label)
    of_numbers = type(labels[0]) is int and len(names) == len(classes)
    return rows, names if of_numbers else classes


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any, location: str, column: str) -> str:
    """The text that a value is.

    Raises:
        UserError: where it is none, or blank.
    """
    if _missing(value) or (isinstance(value, str) and not value.strip()):
        raise UserError(f"{location} has no text in column {column!r}: fill it in or drop the row.")
    if not isinstance(value, str):
        raise UserError(
            f"{location} has {_shown(value)} in column {column!r}, which is no text: "
            "put quotes around it, or name another column with --text-column."
        )
    return _unicode(value, location, column)


def _unicode(value: str, location: str, column: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise UserError(
            f"{location} has half a character in column {column!r} ({e.reason}): write the whole "
            "character."
        ) from e
    return value


def name_of(value: Any, location: str, column: str) -> str:
    """A group or an id: text or a whole number.

    Raises:
        UserError: where it is neither.
    """
    if _missing(value) or (isinstance(value, str) and not value.strip()):
        raise UserError(f"{location} has nothing in column {column!r}: fill it in or drop the row.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int)):
        raise UserError(
            f"{location} has {_shown(value)} in column {column!r}: "
            "a group or an id must be text or a whole number."
        )
    return _unicode(str(value), location, column)


def _label(value: Any, location: str, column: str) -> Label:
    if _missing(value) or (isinstance(value, str) and not value.strip()):
        raise UserError(
            f"{location} has no label in column {column!r}: fill it in or drop the row."
        )
    if isinstance(value, str):
        return _unicode(value.strip(), location, column)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (bool, int)):
        return value
    kind = "not a whole number" if isinstance(value, float) else "neither text nor a number"
    raise UserError(
        f"{location} has the label {_shown(value)}, which is {kind}: "
        "labels are names, whole numbers, or true and false."
    )


def _subset(values: Mapping[str, Any]) -> str | None:
    """The part of a benchmark that a row is of; None where it does not say."""
    value = values.get(SUBSET)
    return None if _missing(value) or not str(value).strip() else str(value).strip()


def _target(values: Mapping[str, Any], location: str) -> str:
    column = next(name for name in TARGETS if name in values)
    value = values[column]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return text_of(value, location, column).strip()


def _accepted(value: Any, location: str) -> tuple[str, ...]:
    """The texts that count as right besides the target."""
    if _missing(value):
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise UserError(
            f"{location} has {_shown(value)} in column {ACCEPTED!r}: write a list of texts."
        )
    return tuple(_unicode(text, location, ACCEPTED) for text in value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _check_ids(rows: Sequence[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        if row.id is not None and (other := seen.setdefault(row.id, row)) is not row:
            raise UserError(
                f"{row.location} has the id {row.id!r} of {other.location}: "
                "give every row an id of its own, or leave --id-column out."
            )


def _coded(
    rows: Sequence[Row], labels: Sequence[Label], column: str
) -> tuple[list[Row], tuple[str, ...]]:
    """The rows with class indices for labels, and the classes."""
    first = type(labels[0])
    for row, label in zip(rows, labels, strict=True):
        if type(label) is not first:
            raise UserError(
                f"{row.location} has the label {label!r} and {rows[0].location} has {labels[0]!r}: "
                "write all labels as names, all as numbers, or all as true and false."
            )
    values = sorted(set(labels))
    classes = tuple(str(x).lower() if first is bool else str(x) for x in values)
    if len(values) == 1:
        raise UserError(
            f"{rows[0].file} has only one class, {classes[0]!r}: a task takes at least two, "
            "so name another column with --label-column."
        )
    index = {label: i for i, label in enumerate(values)}
    if first is int:
        for row, label in zip(rows, labels, strict=True):
            if label not in range(len(values)):
                raise UserError(
                    f"{row.location} has the label {label}, but the {len(values)} different "
                    f"numbers in column {column!r} must be 0 to {len(values) - 1}: renumber them, "
                    "or write names."
                )
    coded = [replace(r, label=index[x]) for r, x in zip(rows, labels, strict=True)]
    return coded, classes


_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0+)?")


def _untyped(labels: Sequence[Label]) -> list[Label]:
    """Labels of a format that knows texts only, as numbers or truth values where all look so."""
    texts = [str(label) for label in labels]
    if all(map(_WHOLE.fullmatch, texts)):
        return [int(text.partition(".")[0]) for text in texts]
    if all(text.lower() in ("false", "true") for text in texts):
        return [text.lower() == "true" for text in texts]
    return list(texts)
