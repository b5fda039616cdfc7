"""From what people wrote into a column to the classes of the task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.labels import NO_LABEL
from weak2strong.tasks.readers import listed
from weak2strong.tasks.row import Row
from weak2strong.tasks.spellings import folded
from weak2strong.tasks.values import missing

_WHOLE = re.compile(r"(-?\d+)\.0+")


def read_annotations(
    rows: Sequence[Row],
    columns: Sequence[str],
    classes: Sequence[str],
    labels: Mapping[Any, int],
) -> tuple[list[Row], list[UserError]]:
    """The rows to which an annotator gave a class, with indices of classes.

    Args:
        rows: with what stands in the columns of the annotators.
        columns: of the annotators.
        classes: their names.
        labels: the index of each class by the values that ground truth has for it.

    Returns:
        These rows, and what is wrong with others. A row that nobody labelled is in neither.
    """
    index = {_key(name): i for i, name in enumerate(classes)}
    index |= {_key(value): i for value, i in labels.items()}
    kept, wrong = list[Row](), list[UserError]()
    for row in rows:
        try:
            said = tuple(
                _class(value, index, row, column, classes)
                for column, value in zip(columns, row.annotations, strict=True)
            )
        except UserError as e:
            wrong.append(e)
            continue
        if any(one is not None for one in said):
            kept.append(replace(row, annotations=said))
    return kept, wrong


def _class(
    value: Any, index: Mapping[str, int], row: Row, column: str, classes: Sequence[str]
) -> int | None:
    if missing(value):
        return None
    found = index.get(_key(value))
    if found is None and _key(value) != str(NO_LABEL):
        raise UserError(
            f"{row.location} has {value!r} in column {column!r}, which is none of the classes "
            f"{listed(classes)}: write one of them, or nothing."
        )
    return found


def _key(value: Any) -> str:
    """A value as it is compared, whichever format wrote it."""
    text = folded(str(value))
    return whole[1] if (whole := _WHOLE.fullmatch(text)) else text
