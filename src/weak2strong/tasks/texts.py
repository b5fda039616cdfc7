"""Texts for a trained model to answer, from a file that may have labels or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import example_of
from weak2strong.tasks.made import made_by, text_from
from weak2strong.tasks.opening import USUAL, Reading, read_file
from weak2strong.tasks.readers import Columns, check_all_read, listed, row_name
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.roles import Roles, candidates, roles_of
from weak2strong.tasks.row import Row
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.tables import Table
from weak2strong.tasks.task import Item, Kind, stable_id
from weak2strong.tasks.values import name_of

USUAL_COLUMNS = Columns()
"""For whoever names none."""

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
    columns: Columns = USUAL_COLUMNS,
    reading: Reading = USUAL,
) -> Texts:
    """The texts of a file, in any form and with any columns that a study reads.

    For a model of preferences the file has preferences, or texts, each of which gets a reward.

    Args:
        path: of the file.
        kind: of the task that the model was trained for.
        classes: of that task.
        columns: those that the user names; others are found as for a study, and ids in ``id``,
            where there is one. Else ids are made of the texts, as for a study.
        reading: encoding, and how much may be unpacked.

    Raises:
        UserError: for a file or a row that cannot be right.
    """
    table, roles = _table(path, columns, reading)
    if kind == "preference" and roles.kind == "preference":
        return _pairs(table, roles, columns.id)
    items, labels = list[Item](), list[int | None]()
    for number, values in table.rows:
        location = row_name(table.name, number)
        read, dialogues = text_from(values, roles, location)
        made = _own_id(values, columns.id, location) or stable_id(read, "")
        items.append(Item(made, made, read, dialogues=dialogues))
        label = values.get(roles.label) if roles.label else None
        labels.append(_label(label, kind, classes, location))
    _check_ids(items, table.name)
    return Texts(tuple(items), tuple(labels), paired=False)


def read_only_texts(
    path: Path, columns: Columns, reading: Reading = USUAL
) -> list[tuple[int, str]]:
    """The texts of a file by the number of their row; labels are not looked at.

    Raises:
        UserError: for a file or a row that cannot be right.
    """
    table, roles = _table(path, columns, reading)
    return [
        (number, text_from(values, roles, row_name(table.name, number))[0])
        for number, values in table.rows
    ]


def _table(path: Path, columns: Columns, reading: Reading) -> tuple[Table, Roles]:
    """The table of a file, and what its columns are for; one of labels may be missing."""
    name = str(path)

    def wanted(present: Sequence[str]) -> list[str]:
        also = [column for column in present if column == ID]
        return list(dict.fromkeys([*candidates(present, columns), *also]))

    table = read_table(name, read_file(path), reading, wanted)
    check_all_read(table)
    if not table.rows:
        raise UserError(f"{name} has no rows: choose a file with texts.")
    there = {columns.label: "number"} | dict(table.columns)
    return table, roles_of(replace(table, columns=there), columns)


def _pairs(table: Table, roles: Roles, id: str | None) -> Texts:
    """The pairs of a file, in the order in which a study of this file has them."""
    has_ids = all(values.get(ID) is not None for _, values in table.rows)
    make = made_by(table, replace(roles, id=id or (ID if has_ids else None), group=None))
    read = list[Row]()
    for number, values in table.rows:
        rows, _ = make(number, values)
        if not rows:
            raise UserError(
                f"{row_name(table.name, number)} prefers neither completion: drop the row."
            )
        read += rows
    examples = [example_of(row) for row in even_sides(read)]
    items = tuple(replace(e.item, group=e.item.id) for e in examples)
    _check_ids(items, table.name)
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
