"""Labels of a file as classes of a model that is already trained.

It is decided for the whole file what its labels are: names of the model's classes, or else their
positions. A file in which some are names and others could only be positions is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.labels import NO_LABEL, Label, typed
from weak2strong.tasks.readers import listed, row_name
from weak2strong.tasks.spellings import folded
from weak2strong.tasks.tables import Table
from weak2strong.tasks.titles import titles_of
from weak2strong.tasks.values import label_of, missing


def known_labels(
    table: Table, column: str, classes: Sequence[str], titles: str | None = None
) -> tuple[tuple[int | None, ...], tuple[str, ...]]:
    """The index of the class of every row, None where it has no label, and what is to be told.

    Labels are read as those of a study: names, whole numbers (in a ``.csv`` ``1.0`` is one, too),
    or true and false; numbers have the names that the format gives them.

    Args:
        table: the file.
        column: of the labels.
        classes: the names of the model's classes, in their order.
        titles: the column with the names of the classes, beside that of the labels.

    Raises:
        UserError: for the first row with a label that the model has no class for.
    """
    written = {
        number: label_of(values.get(column), row_name(table.name, number), column)
        for number, values in table.rows
        if not missing(values.get(column))
    }
    labels = {n: label for n, label in _typed(table, written).items() if label != ""}
    named = table.classes.get(column, ())
    if _has_unlabelled(labels, named, classes):
        labels = {n: label for n, label in labels.items() if label != NO_LABEL}
    index = _by_spelling(classes)
    if titles is not None and not named:
        written |= _named_beside(table, labels, titles, index)
    by_name = {n: _by_name(written[n], label, named, index) for n, label in labels.items()}
    found: Mapping[int, int | None] = by_name
    said: tuple[str, ...] = ()
    if None in by_name.values():
        found = {n: _position(label, len(classes)) for n, label in labels.items()}
        if None in found.values():
            first = _first_wrong(by_name, found)
            raise UserError(
                f"{row_name(table.name, first)} has the label {labels[first]!r} in column "
                f"{column!r}, and the model knows the classes {listed(classes)}: write these names "
                f"in all rows, or their positions (0 to {len(classes) - 1}) in all rows, or name "
                "another column with --label-column."
            )
        calls = listed([f"{i} is {name}" for i, name in enumerate(classes)])
        said = (f"The labels in column {column!r} are read as positions of classes: {calls}.",)
    return tuple(found.get(number) for number, _ in table.rows), said


def _typed(table: Table, written: Mapping[int, Label]) -> dict[int, Label]:
    """The labels as numbers and truth values, where the format knows texts only."""
    if not table.untyped or not written:
        return dict(written)
    return dict(zip(written, typed([*written.values()]), strict=True))


def _has_unlabelled(
    labels: Mapping[int, Label], named: Sequence[str], classes: Sequence[str]
) -> bool:
    """Whether -1 stands for no label, as in a study (see `weak2strong.tasks.labels`)."""
    if str(NO_LABEL) in classes:
        return False
    return bool(named) or len(classes) > 2 or {*labels.values()} == {NO_LABEL}


def _by_spelling(classes: Sequence[str]) -> dict[str, int]:
    """The index of each class by its name, and by other spellings that no other class has."""
    alike = Counter(map(folded, classes))
    spelled = {folded(name): i for i, name in enumerate(classes) if alike[folded(name)] == 1}
    return spelled | {name: i for i, name in enumerate(classes)}


def _named_beside(
    table: Table, labels: Mapping[int, Label], titles: str, index: Mapping[str, int]
) -> dict[int, Label]:
    """The names that a column has for the classes, by row, if they are those of the model.

    Raises:
        UserError: for a row that has another name than others with its label.
    """
    values = dict(table.rows)
    found = titles_of([*labels.values()], [values[number].get(titles) for number in labels])
    if not all(name in index or folded(name) in index for name in found.names.values()):
        return {}
    for number, name in ((list(labels)[i], name) for i, name in found.wrong.items()):
        label = labels[number]
        raise UserError(
            f"{row_name(table.name, number)} has {name!r} in column {titles!r} beside the label "
            f"{label!r}, which others call {found.names[label]!r}: correct one of the two."
        )
    return {number: found.names[label] for number, label in labels.items() if found.names}


def _by_name(
    written: Label, label: Label, named: Sequence[str], index: Mapping[str, int]
) -> int | None:
    """The class that a label is the name of."""
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(named):
        return index.get(str(named[label]))
    read = str(label).lower() if isinstance(label, bool) else str(label)
    names = (read, str(written), folded(str(written)))
    return next((index[name] for name in names if name in index), None)


def _position(label: Any, classes: int) -> int | None:
    """The class at a position, which is a whole number."""
    if isinstance(label, bool) or not isinstance(label, int):
        return None
    return label if 0 <= label < classes else None


def _first_wrong(by_name: Mapping[int, int | None], by_position: Mapping[int, int | None]) -> int:
    """The first row whose label is neither; else the first one without a name of a class."""
    nameless = [number for number, index in by_name.items() if index is None]
    return next((n for n in nameless if by_position[n] is None), nameless[0])
