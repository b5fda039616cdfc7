"""Texts for a trained model to answer, from a file that may have labels or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import example_of
from weak2strong.tasks.opening import USUAL, Reading, read_file
from weak2strong.tasks.pairs import read_pair
from weak2strong.tasks.readers import (
    CHOSEN,
    LABEL,
    PROMPT,
    REJECTED,
    TEXT,
    check_all_read,
    listed,
    row_name,
)
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.rows import Row, name_of, text_of
from weak2strong.tasks.several import spread
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.tables import Values
from weak2strong.tasks.task import Item, Kind, stable_id

ID = "id"
"""The usual column of ids, where there is one."""


@dataclass(frozen=True)
class Texts:
    """What a file holds.

    Attributes:
        items: in the order of the rows; rows with the same text, and no ids, are the same item.
        labels: of each row the index of its class, or of the preferred completion; None where a
            row has none.
        paired: whether an item is two completions, one of which is to be preferred.
    """

    items: tuple[Item, ...]
    labels: tuple[int | None, ...]
    paired: bool


def read_texts(
    path: Path,
    kind: Kind,
    classes: Sequence[str],
    text: str = TEXT,
    label: str = LABEL,
    id: str | None = None,
    reading: Reading = USUAL,
) -> Texts:
    """The texts of a file, in any form that `weak2strong.tasks.reading` reads.

    For a model of preferences the file has columns ``chosen`` and ``rejected`` (and ``prompt``), or
    texts, each of which gets a reward.

    Args:
        path: of the file.
        kind: of the task that the model was trained for.
        classes: of that task.
        text: the name of the column of texts.
        label: that of the labels, if there are any.
        id: that of the ids; by default ``id``, where there is one. Else ids are made of the texts,
            as for a study.
        reading: encoding, and how much may be unpacked.

    Raises:
        UserError: for a file or a row that cannot be right.
    """
    name = str(path)

    def check(present: Sequence[str]) -> list[str]:
        pairs = kind == "preference" and text not in present and {CHOSEN, REJECTED} <= {*present}
        needed = [*([CHOSEN, REJECTED] if pairs else [text]), *([id] if id else [])]
        for column in needed:
            if column not in present:
                raise UserError(
                    f"{name} has no column {column!r}; it has {listed(present)}: name the column "
                    "of the texts with --text-column, and that of the ids with --id-column."
                )
        return [*needed, *(c for c in (PROMPT, label, ID) if c in present and c not in needed)]

    table = read_table(name, read_file(path), reading, check)
    check_all_read(table)
    if not table.rows:
        raise UserError(f"{name} has no rows: choose a file with texts.")
    wanted = check(list(table.columns))
    rows = [(number, {column: row.get(column) for column in wanted}) for number, row in table.rows]
    paired = CHOSEN in rows[0][1]
    if paired:
        return _pairs(name, rows, id)
    items, labels = list[Item](), list[int | None]()
    for number, values in rows:
        location = row_name(name, number)
        read = text_of(values[text], location, text)
        made = _own_id(values, id, location) or stable_id(read, "")
        items.append(Item(made, made, read))
        labels.append(_label(values.get(label), kind, classes, location))
    _check_ids(items, name)
    return Texts(tuple(items), tuple(labels), paired=False)


def _pairs(name: str, rows: Values, id: str | None) -> Texts:
    """The pairs of a file, in the order in which a study of this file has them."""
    read = list[Row]()
    for number, values, _ in spread(name, rows, id or ID):
        location = row_name(name, number)
        found = read_pair(values.get(PROMPT), values[CHOSEN], values[REJECTED], location)
        read.append(Row(name, number, group=None, id=_own_id(values, id, location), **vars(found)))
    examples = [example_of(row) for row in even_sides(read)]
    items = tuple(replace(e.item, group=e.item.id) for e in examples)
    _check_ids(items, name)
    return Texts(items, tuple(int(e.label) for e in examples), paired=True)


def _own_id(values: Mapping[str, Any], id: str | None, location: str) -> str | None:
    """The id that a row has in the column that is named, or in the usual one."""
    column = id or (ID if values.get(ID) is not None else None)
    return name_of(values[column], location, column) if column else None


def _label(value: Any, kind: Kind, classes: Sequence[str], location: str) -> int | None:
    """The index of a label's class; None where there is none.

    Raises:
        UserError: for a label that the model has no class for.
    """
    if kind != "classification" or value is None or str(value).strip() == "":
        return None
    names: Mapping[str, int] = {name: i for i, name in enumerate(classes)}
    written = str(value).lower() if isinstance(value, bool) else str(value).strip()
    written = written.removesuffix(".0") if isinstance(value, float) else written
    index = names.get(written)
    if index is None and written.isdecimal() and int(written) < len(classes):
        index = int(written)
    if index is None:
        raise UserError(
            f"{location} has the label {written!r}, and the model knows the classes "
            f"{listed(classes)}: write one of these, or name another column with --label-column."
        )
    return index


def _check_ids(items: Sequence[Item], name: str) -> None:
    seen: dict[str, Item] = {}
    for number, item in enumerate(items, start=1):
        if seen.setdefault(item.id, item) != item:
            raise UserError(
                f"{row_name(name, number)} has the id {item.id!r} of another text: give every text "
                "an id of its own."
            )
