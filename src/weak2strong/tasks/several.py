"""Rows with several completions of one prompt, some of which are right: RewardBench 2, for example.

Such a row becomes a preference for each pair of a right and a wrong completion. As a model gives
each completion a reward of its own, every right one is above every wrong one if, and only if, all
of these preferences are answered rightly (see `weak2strong.analysis.analyses.subsets`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import CHOSEN, PROMPT, REJECTED, row_name
from weak2strong.tasks.tables import Values
from weak2strong.tasks.task import stable_id

Spread = tuple[int, Mapping[str, Any], str | None]
"""The number of a row, the values of one preference, and the name of its question, if it has others
with it."""


def spread(file: str, numbered: Values, id_column: str | None = None) -> Iterator[Spread]:
    """The rows of a table, where rows with lists of completions become several.

    Args:
        file: the name of the table, for errors.
        numbered: its values.
        id_column: the column of ids; each preference of a row gets an id made of that of the row.

    Raises:
        UserError: for a row without a right or a wrong completion.
    """
    for number, values in numbered:
        sides = [values.get(CHOSEN), values.get(REJECTED)]
        if not any(_is_several(side) for side in sides):
            yield number, values, None
            continue
        right, wrong = (
            _listed(side, name, row_name(file, number))
            for side, name in zip(sides, (CHOSEN, REJECTED), strict=True)
        )
        every = sorted(map(repr, (*right, *wrong)))
        question = stable_id("question", repr(values.get(PROMPT)), *every)
        for (i, chosen), (j, rejected) in product(enumerate(right), enumerate(wrong)):
            one = {**values, CHOSEN: chosen, REJECTED: rejected}
            if id_column and isinstance(values.get(id_column), str | int):
                one[id_column] = f"{values[id_column]}/{i}-{j}"
            yield number, one, question


def _is_several(side: Any) -> bool:
    """Whether a value is a list of completions: of texts, or of chats."""
    return isinstance(side, list) and bool(side) and all(isinstance(x, (str, list)) for x in side)


def _listed(side: Any, column: str, location: str) -> list[Any]:
    if isinstance(side, list) and not side:
        raise UserError(
            f"{location} has no completion in column {column!r}: fill it in or drop the row."
        )
    return side if _is_several(side) else [side]
