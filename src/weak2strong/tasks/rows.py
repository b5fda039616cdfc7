"""A user's file as checked rows: a text, a class, and the values of its other columns.

Whatever is wrong with a file is told in one sentence that names the row. Rows of data are counted
from 1, and the header of a ``.csv`` does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.watched import watched
from weak2strong.tasks.account import NAMED, Account, account_of, check_malformed, parted
from weak2strong.tasks.assigned import roles_of
from weak2strong.tasks.classes import with_classes
from weak2strong.tasks.contradicted import contradictions
from weak2strong.tasks.groups import with_groups
from weak2strong.tasks.labels import Label
from weak2strong.tasks.made import made_by
from weak2strong.tasks.opening import USUAL, Reading
from weak2strong.tasks.pairs import PREFERRED
from weak2strong.tasks.readers import Columns, listed, row_name, unread_rows
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.repeated import namesakes
from weak2strong.tasks.roles import Roles, candidates
from weak2strong.tasks.row import Row
from weak2strong.tasks.source_splits import with_splits, without_test
from weak2strong.tasks.tables import Table


def read_rows(
    files: Mapping[str, bytes],
    columns: Columns,
    reading: Reading = USUAL,
    classes: Mapping[str, tuple[str, ...]] | None = None,
    strict: bool = False,
) -> tuple[list[Row], tuple[str, ...], Account]:
    """The rows of some files, one file after another, the names of their classes, and an account.

    Args:
        files: content by name; the ending of the name says how to read it.
        columns: those that the user names.
        reading: encoding, and how much may be unpacked.
        classes: names of classes by column, where a card tells them; those in a file come first.
        strict: whether to refuse the first malformed row; otherwise a few are left out.

    Returns:
        The rows; the classes, whose indices are the labels (see `weak2strong.tasks.labels`), where
        those of preferences say which of the two completions is preferred, and a generation has
        none, as its labels are the targets; and what was done with columns and rows.

    Raises:
        UserError: for anything that is wrong with a file, or with more than a few rows.
    """

    def wanted(present: Sequence[str]) -> list[str]:
        return candidates(present, columns)

    tables = [read_table(file, content, reading, wanted) for file, content in files.items()]
    named = [replace(t, classes={**(classes or {}), **t.classes}) for t in tables]
    return rows_of_tables(named, columns, strict)


def rows_of_tables(
    tables: Sequence[Table], columns: Columns, strict: bool = False
) -> tuple[list[Row], tuple[str, ...], Account]:
    """The same for tables that have already been read."""
    about = listed([table.name for table in tables])
    found = [(table, roles_of(table, columns)) for table in tables if table.columns]
    _check_kinds(about, found)
    found, of_groups = with_groups(found, columns)
    found, split_names, of_splits = with_splits(found, columns)
    untested = without_test(found, split_names)
    rows, labels, titles, errors = list[Row](), list[Label](), list[Any](), list[UserError]()
    errors += [error for table in tables for error in unread_rows(table)]
    count, undecided = len(errors), 0
    for table, roles in found:
        make = made_by(table, roles)
        for number, values in watched(table.rows, f"checking {table.name}", len(table.rows)):
            if untested and untested.has(values):
                count += 1
                undecided += 1
                continue
            try:
                made, label = make(number, values)
                if split_names:
                    split = split_names.of(values, row_name(table.name, number))
                    made = [replace(row, split=split) for row in made]
            except UserError as e:
                errors.append(e)
                count += 1
                continue
            count += max(len(made), 1)
            undecided += not made
            rows += made
            if label is not None:
                labels.append(label)
                titles.append(values.get(roles.titles or ""))
    if not count:
        raise UserError(f"{about} has no rows: choose a file with examples.")
    check_malformed(errors, count, strict)
    _check_ids(rows)
    first, classes, said = found[0][1], (), ()
    if first.kind == "classification":
        classified = with_classes(found, rows, labels, titles)
        rows, classes, said = classified.rows, classified.classes, classified.said
        undecided += len(labels) - len(rows) - len(classified.wrong)
        errors += classified.wrong
        if not classified.titled:
            found = [(table, replace(roles, titles=None)) for table, roles in found]
        check_malformed(errors, count, strict)
    account = replace(
        account_of(
            found,
            about,
            (*said, *contradictions(found), *namesakes(found), *of_groups, *of_splits),
        ),
        rows=count,
        unlabelled=undecided,
        malformed=len(errors),
        named=tuple(parted(e)[0] for e in errors[:NAMED]),
    )
    _check_left(about, rows, classes, first)
    return rows, PREFERRED if first.kind == "preference" else classes, account


def _check_kinds(about: str, found: Sequence[tuple[Table, Roles]]) -> None:
    kinds = {roles.kind for _, roles in found}
    if len(kinds) < 2:
        return
    if "classification" in kinds:
        raise UserError(
            f"Of {about}, some hold preferences or prompts with targets, and some texts with "
            "labels: a task takes one or the other."
        )
    raise UserError(
        f"Of {about}, some hold preferences and some prompts with targets: a task takes one or "
        "the other."
    )


def _check_ids(rows: Sequence[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        if row.id is not None and (other := seen.setdefault(row.id, row)) is not row:
            raise UserError(
                f"{row.location} has the id {row.id!r} of {other.location}: "
                "give every row an id of its own, or leave --id-column out."
            )


def _check_left(about: str, rows: Sequence[Row], classes: Sequence[str], roles: Roles) -> None:
    if not rows:
        what = {
            "preference": "prefers one completion",
            "classification": "was labelled by anyone" if roles.annotators else "has a label",
            "generation": "has a target",
        }
        raise UserError(f"{about} has no row that {what[roles.kind]}: choose another file.")
    if roles.kind == "classification" and len(classes) == 1:
        raise UserError(
            f"{rows[0].file} has only one class, {classes[0]!r}: a task takes at least two, "
            "so name another column with --label-column."
        )
