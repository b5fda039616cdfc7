"""From the labels of all rows of a task to its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.annotated import read_annotations
from weak2strong.tasks.labels import Coded, Label, coded, typed_together
from weak2strong.tasks.readers import listed
from weak2strong.tasks.roles import Roles
from weak2strong.tasks.row import Row
from weak2strong.tasks.tables import Table
from weak2strong.tasks.titles import titles_of


@dataclass(frozen=True)
class Classified:
    """Rows with the indices of their classes.

    Attributes:
        rows: those that have a label.
        classes: their names.
        said: what a user should know.
        wrong: what is wrong with rows that were left out.
        titled: whether a column named the classes.
    """

    rows: list[Row]
    classes: tuple[str, ...]
    said: tuple[str, ...]
    wrong: list[UserError]
    titled: bool


def with_classes(
    found: Sequence[tuple[Table, Roles]],
    rows: Sequence[Row],
    labels: Sequence[Label],
    titles: Sequence[Any],
) -> Classified:
    """The rows of a classification with their classes.

    Args:
        found: the tables, with what their columns are for.
        rows: of all of them.
        labels: of each row.
        titles: what each row has in the column with the names of the classes, if there is one.

    Raises:
        UserError: where the labels are no classes.
    """
    column = found[0][1].label or ""
    names = [table.classes.get(roles.label or "", ()) for table, roles in found]
    named = names[0] if len({*names}) == 1 else ()
    of_text = {table.name for table, _ in found if table.untyped}
    values = typed_together(labels, [row.file in of_text for row in rows])
    coding = coded(values, column, found[0][0].name, named)
    advice = "write all labels as names, all as numbers, or all as true and false"
    wrong = [
        UserError(f"{rows[i].location} {problem}: {advice}.") for i, problem in coding.wrong.items()
    ]
    beside = found[0][1].titles
    titled = beside is not None and not named
    if beside is not None and titled:
        coding, more, titled = _titled(coding, rows, titles, column, beside)
        wrong += more
    kept = list[Row]()
    for row, index in zip(rows, coding.indices, strict=True):
        if index is not None:
            row.label = index
            kept.append(row)
    if annotators := found[0][1].annotators:
        read = zip(values, coding.indices, strict=True)
        known = {value: index for value, index in read if index is not None}
        kept, more = read_annotations(kept, annotators, coding.classes, known)
        wrong += more
    return Classified(kept, coding.classes, coding.said, wrong, titled)


def _titled(
    coding: Coded, rows: Sequence[Row], titles: Sequence[Any], column: str, beside: str
) -> tuple[Coded, list[UserError], bool]:
    """Classes with the names that a column has for them, rows that have others, and whether so."""
    classes = coding.classes
    called = [None if index is None else classes[index] for index in coding.indices]
    found = titles_of(called, titles)
    if found.unclear:
        unclear = (
            f"Column {beside!r} does not name the classes in column {column!r} ({found.unclear}), "
            "and is not read."
        )
        return replace(coding, said=(*coding.said, unclear)), [], False
    wrong = [
        UserError(
            f"{rows[i].location} has {name!r} in column {beside!r} beside the label {called[i]!r}, "
            f"which others call {found.names[called[i]]!r}: correct one of the two."
        )
        for i, name in found.wrong.items()
    ]
    calls = listed([f"{name} is {found.names[name]}" for name in classes])
    said = f"Column {beside!r} names the classes in column {column!r}: {calls}."
    indices = [None if i in found.wrong else index for i, index in enumerate(coding.indices)]
    names = tuple(found.names[name] for name in classes)
    return replace(coding, classes=names, indices=tuple(indices), said=(said,)), wrong, True
