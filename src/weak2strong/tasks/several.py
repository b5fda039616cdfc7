"""Rows with several completions of one prompt, some of which are right: RewardBench 2, for example.

Such a row becomes a preference for each pair of a right and a wrong completion. As a model gives
each completion a reward of its own, every right one is above every wrong one if, and only if, all
of these preferences are answered rightly (see `weak2strong.analysis.analyses.subsets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import CHOSEN, PROMPT, REJECTED
from weak2strong.tasks.task import stable_id

Spread = tuple[Mapping[str, Any], str | None]
"""The values of one preference, and the name of its question, if it has others with it."""


def spread(
    values: Mapping[str, Any],
    location: str,
    id_column: str | None = None,
    columns: tuple[str, str] = (CHOSEN, REJECTED),
    prompt: str = PROMPT,
) -> list[Spread]:
    """A row as preferences: one, or several where it has lists of completions.

    Args:
        values: of the row.
        location: file and row, for errors.
        id_column: the column of ids; each preference of a row gets an id made of that of the row.
        columns: of the right and the wrong completions.
        prompt: the column of the prompt.

    Raises:
        UserError: for a row without a right or a wrong completion.
    """
    sides = [values.get(column) for column in columns]
    if not any(_is_several(side) for side in sides):
        return [(values, None)]
    right, wrong = (
        _listed(side, name, location) for side, name in zip(sides, columns, strict=True)
    )
    every = sorted(map(repr, (*right, *wrong)))
    question = stable_id("question", repr(values.get(prompt)), *every)
    found: list[Spread] = []
    for (i, chosen), (j, rejected) in product(enumerate(right), enumerate(wrong)):
        one = {**values, columns[0]: chosen, columns[1]: rejected}
        if id_column and isinstance(values.get(id_column), str | int):
            one[id_column] = f"{values[id_column]}/{i}-{j}"
        found.append((one, question))
    return found


def _is_several(side: Any) -> bool:
    """Whether a value is a list of completions: of texts, or of chats."""
    return isinstance(side, list) and bool(side) and all(isinstance(x, (str, list)) for x in side)


def _listed(side: Any, column: str, location: str) -> list[Any]:
    if isinstance(side, list) and not side:
        raise UserError(
            f"{location} has no completion in column {column!r}: fill it in or drop the row."
        )
    return side if _is_several(side) else [side]
