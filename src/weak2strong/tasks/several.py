"""Rows with several completions of one prompt, some of which are right: RewardBench 2, for example.

Such a row becomes a preference for each pair of a right and a wrong completion. As a model gives
each completion a reward of its own, every right one is above every wrong one if, and only if, all
of these preferences are answered rightly (see `weak2strong.analysis.analyses.subsets`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import CHOSEN, ID, PROMPT, REJECTED, SUBSET
from weak2strong.tasks.task import stable_id

TIES = "Ties"
"""The subset of RewardBench 2 whose ids tell which questions belong together."""

_TIE = re.compile(r"(ref|tied):(\d+)")


@dataclass(frozen=True)
class Tie:
    """A question of the subset `TIES`, and one of its right answers.

    Attributes:
        sort: "tied", with several right answers, or "ref", with one.
        number: that the two questions on one thing share.
        right: the index of the right answer.
    """

    sort: str
    number: int
    right: int

    @property
    def name(self) -> str:
        """What examples of it call their question."""
        return f"{self.sort}:{self.number}/{self.right}"


def tie_of(question: str) -> Tie | None:
    """The question and the right answer that a name tells; None for other names."""
    asked, _, right = question.partition("/")
    found = _TIE.fullmatch(asked)
    return Tie(found[1], int(found[2]), int(right)) if found and right.isdecimal() else None


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
        of_ties = values.get(SUBSET) == TIES and _TIE.fullmatch(str(values.get(ID)))
        asked = Tie(of_ties[1], int(of_ties[2]), i).name if of_ties else question
        if id_column and isinstance(values.get(id_column), str | int):
            one[id_column] = f"{values[id_column]}/{i}-{j}"
        found.append((one, asked))
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
