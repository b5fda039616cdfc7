"""Texts for a trained model to answer, from a file that may have labels or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.garbage import kept_objects
from weak2strong.ground.watched import watched
from weak2strong.tasks.account import KINDS, account_of, as_malformed, check_malformed
from weak2strong.tasks.assigned import no_column, roles_of
from weak2strong.tasks.cleaning import example_of
from weak2strong.tasks.known_classes import known_labels
from weak2strong.tasks.made import made_by, text_from
from weak2strong.tasks.opening import USUAL, Reading, read_file
from weak2strong.tasks.readers import ID, Columns, check_all_read, listed, row_name, unread_rows
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.roles import Roles, candidates
from weak2strong.tasks.row import Row
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.tables import Table
from weak2strong.tasks.task import Item, Kind, stable_id
from weak2strong.tasks.values import label_of, missing, name_of

USUAL_COLUMNS = Columns()
"""For whoever names none."""


@dataclass(frozen=True)
class Texts:
    """What a file holds.

    Attributes:
        items: in the order of the rows; rows with the same text, and no ids, are the same item.
        labels: of each row the index of its class, or of the preferred completion; None where a
            row has none.
        paired: whether an item is two completions, one of which is to be preferred.
        said: how the file was read, and what was left out.
        paths: of images, as the user knows them; of texts there are none.
    """

    items: tuple[Item, ...]
    labels: tuple[int | None, ...]
    paired: bool
    said: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@kept_objects()
def read_texts(
    path: Path,
    kind: Kind,
    classes: Sequence[str],
    columns: Columns = USUAL_COLUMNS,
    reading: Reading = USUAL,
    strict: bool = False,
) -> Texts:
    """The texts of a file, in any form and with any columns that a study reads.

    For a model of preferences the file has preferences, or texts, each of which gets a reward. A
    few malformed rows are left out, as in a study.

    Args:
        path: of the file.
        kind: of the task that the model was trained for.
        classes: of that task.
        columns: those that the user names; others are found as for a study, and ids in ``id``,
            where there is one. Else ids are made of the texts, as for a study.
        reading: encoding, and how much may be unpacked.
        strict: whether to refuse the first malformed row.

    Raises:
        UserError: for a file or more than a few rows that cannot be right, or a file of another
            kind of task.
    """
    table = _table(path, columns, reading)
    roles = _roles_for(table, kind, columns)
    if roles.kind == "preference":
        return _pairs(table, roles, columns.id, strict)
    errors, items, kept = unread_rows(table), list[Item](), []
    for number, values in watched(table.rows, f"checking {table.name}", len(table.rows)):
        try:
            items.append(_item(values, roles, columns.id, row_name(table.name, number)))
        except UserError as e:
            errors.append(e)
        else:
            kept.append((number, values))
    left = _left_out(table, errors, strict)
    table = replace(table, rows=kept)
    _check_ids(items, (number for number, _ in kept), table.name)
    labels, said = (None,) * len(items), (*_said(table, roles), *left)
    if kind == "preference":
        said = (*said, "Each text gets a reward, and no scores are computed.")
    elif roles.label is None:
        said = (*said, "No column of labels was found: there are answers only, and no scores.")
    else:
        labels, more = known_labels(table, roles.label, classes, roles.titles)
        empty = f"No row has a label in column {roles.label!r}: there are answers only."
        said = (*said, *more, *([empty] if labels.count(None) == len(labels) else []))
    return Texts(tuple(items), labels, paired=False, said=said)


def _item(values: Mapping[str, Any], roles: Roles, id: str | None, location: str) -> Item:
    """The item of a row, whose label can be one, where there is one."""
    read, dialogues = text_from(values, roles, location)
    label = values.get(roles.label) if roles.label else None
    if not missing(label):
        label_of(label, location, roles.label or "")
    made = _own_id(values, id, location) or stable_id(read, "")
    return Item(made, made, read, dialogues=dialogues)


def _left_out(table: Table, errors: Sequence[UserError], strict: bool) -> list[str]:
    """The sentence on malformed rows, if there are any.

    Raises:
        UserError: where there are too many of them.
    """
    check_malformed(errors, len(table.rows) + len(table.malformed), strict)
    return [f"Left out {as_malformed(errors)}: {len(errors):,}."] if errors else []


def read_only_texts(
    path: Path, columns: Columns, reading: Reading = USUAL
) -> list[tuple[int, str]]:
    """The texts of a file by the number of their row; labels are not looked at.

    Raises:
        UserError: for a file or a row that cannot be right.
    """
    table = _table(path, columns, reading)
    check_all_read(table)
    roles = _roles_without_labels(table, columns)
    return [
        (number, text_from(values, roles, row_name(table.name, number))[0])
        for number, values in table.rows
    ]


def read_dated_texts(
    path: Path, column: str, columns: Columns, reading: Reading = USUAL
) -> list[tuple[str, Any]]:
    """The texts of a file, and what stands in another column beside each.

    Rows that have no text are left out, as a study leaves them out.

    Raises:
        UserError: for a file that cannot be right, or that has no such column.
    """
    table = _table(path, columns, reading, (column,))
    if column not in table.columns:
        raise no_column(table.name, column, tuple(table.columns), "--date-column")
    roles, found = _roles_without_labels(table, columns), list[tuple[str, Any]]()
    for number, values in table.rows:
        with suppress(UserError):
            text = text_from(values, roles, row_name(table.name, number))[0]
            found.append((text, values.get(column)))
    return found


def _table(path: Path, columns: Columns, reading: Reading, also: Sequence[str] = ()) -> Table:
    """The table of a file, which has rows; with further columns, where they are there."""
    name = str(path)

    def wanted(present: Sequence[str]) -> list[str]:
        asked = candidates(present, columns)
        return [*asked, *(name for name in also if name in present and name not in asked)]

    table = read_table(name, read_file(path), reading, wanted)
    if not table.rows and not table.malformed:
        raise UserError(f"{name} has no rows: choose a file with texts.")
    return table


def _roles_for(table: Table, kind: Kind, columns: Columns) -> Roles:
    """What the columns are for, as a study finds it; the label is None where no column has one.

    Raises:
        UserError: where columns are missing, or the file is for models of another kind.
    """
    roles = _roles_or_texts(table, kind, columns)
    if roles.kind != kind and (roles.kind, kind) != ("classification", "preference"):
        read = account_of([(table, roles)], table.name).sentences()[0].removesuffix(".")
        read = read[0].lower() + read[1:]
        raise UserError(
            f"{table.name} is for models of another kind ({read}), and this one was trained on "
            f"{KINDS[kind]}: choose another file, or name the columns of its texts with "
            "--text-column."
        )
    own = ID if columns.id is None and ID in table.columns else columns.id
    return replace(roles, id=own, label=roles.label if roles.kind == kind else None)


def _roles_or_texts(table: Table, kind: Kind, columns: Columns) -> Roles:
    """The roles, or those of texts without labels where a study would miss these."""
    try:
        roles = roles_of(table, columns)
        if kind != "preference" or roles.kind != "generation":
            return roles
    except UserError:
        if columns.label_named:
            raise
        texts = _roles_without_labels(table, columns)
        if texts.kind != "classification":
            raise
        return replace(texts, label=None)
    # What answers a prompt can get a reward together with it.
    texts = _roles_without_labels(table, columns)
    return texts if texts.kind == "classification" else roles


def _roles_without_labels(table: Table, columns: Columns) -> Roles:
    """The roles as if there was a column of labels."""
    there = {columns.label: "number"} | dict(table.columns)
    return roles_of(replace(table, columns=there), columns)


def _said(table: Table, roles: Roles) -> tuple[str, ...]:
    """How the columns were read, in the words of `w2s tasks`."""
    account = account_of([(table, roles)], table.name)
    said = (account.sentences()[0],)
    if account.unread:
        unread = f"Not read, though there is text in it: {listed(account.unread)}; name columns"
        said = (*said, f"{unread} with --text-column where this is wrong.")
    return said


def _pairs(table: Table, roles: Roles, id: str | None, strict: bool) -> Texts:
    """The pairs of a file, in the order in which a study of this file has them."""
    has_ids = all(values.get(ID) is not None for _, values in table.rows)
    roles = replace(roles, id=id or (ID if has_ids else None), group=None)
    make = made_by(table, roles)
    errors, read, even = unread_rows(table), list[Row](), 0
    for number, values in table.rows:
        try:
            rows, _ = make(number, values)
        except UserError as e:
            errors.append(e)
        else:
            even += not rows
            read += rows
    malformed = _left_out(table, errors, strict)
    examples = [example_of(row) for row in even_sides(read)]
    items = tuple(replace(e.item, group=e.item.id) for e in examples)
    _check_ids(items, (row.number for row in read), table.name)
    left = (
        f"{even:,} of {len(table.rows):,} rows were left out, as they do not prefer one completion."
    )
    said = (*_said(table, roles), *malformed, *([left] if even else []))
    return Texts(items, tuple(int(e.label) for e in examples), paired=True, said=said)


def _own_id(values: Mapping[str, Any], id: str | None, location: str) -> str | None:
    """The id that a row has in the column that is named, or in the usual one."""
    column = id or (ID if values.get(ID) is not None else None)
    return name_of(values[column], location, column) if column else None


def _check_ids(items: Sequence[Item], numbers: Iterable[int], name: str) -> None:
    seen: dict[str, Item] = {}
    for number, item in zip(numbers, items, strict=True):
        if seen.setdefault(item.id, item) != item:
            raise UserError(
                f"{row_name(name, number)} has the id {item.id!r} of another text: give every text "
                "an id of its own."
            )
