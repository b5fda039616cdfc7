"""Which of two completions a column says is preferred, in the forms that data have for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from weak2strong.tasks.names import plain

WORDS = ({"first", "left"}, {"second", "right"})
EVEN = ("tie", "both", "equal", "neither", "same")
"""How values begin that prefer neither."""

Preferred = Callable[[Any], int | None]
"""Gives the index of the preferred completion, or None for neither; raises ValueError where a value
is no preference."""


def preferred_by(columns: tuple[str, str], values: Iterable[Any]) -> Preferred | None:
    """How to read the values of a column of preferences.

    A value is the name of a completion's column (``response_0``), what stands at the end of that
    name (``0``, ``model_a``), or ``first`` or ``second``; a number that is the index of the
    completion, from 0 or, where there are no others than 1 and 2, from 1; or a strength, which is
    negative where the first one is better, and 0 where they are even.

    Args:
        columns: of the two completions.
        values: of all rows.

    Returns:
        None where the values are none of these, or could be two of them.
    """
    found = {text for value in values if (text := _text(value)) is not None}
    found = {text for text in found if not text.startswith(EVEN)}
    named = {text: side for text in found if (side := _named(text, columns)) is not None}
    for index in (named, _indices(found), _strengths(found)):
        if found and found <= index.keys():
            return _reader(index)
    return _reader(named) if named else None


def counts_unclearly(columns: tuple[str, str], values: Iterable[Any]) -> bool:
    """Whether all that a column of preferences says is 1, which can be the first or the second.

    Beside 0 it is the second one, and beside 2 the first one.
    """
    found = {text for value in values if (text := _text(value)) is not None}
    numbers = {text for text in found if re.fullmatch(r"-?\d+", text)}
    said = any(_named(text, columns) is not None for text in found - numbers)
    return numbers == {"1"} and not said


def _reader(index: Mapping[str, int | None]) -> Preferred:
    def read(value: Any) -> int | None:
        text = _text(value)
        if text is None or (text not in index and not text.startswith(EVEN)):
            raise ValueError(value)
        return index.get(text)

    return read


def _text(value: Any) -> str | None:
    """A value as it is compared; None where it says nothing or is true or false."""
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        return None
    text = str(value).strip()
    if number := re.fullmatch(r"(-?\d+)(\.0+)?", text):
        return number[1]
    return text if re.fullmatch(r"-?\d*\.\d+", text) else plain(text) or None


def _named(text: str, columns: tuple[str, str]) -> int | None:
    """The side whose column a value names."""
    behind = re.search(r"(?:^|_)(\d+|[a-z])$", text)
    for side, column in enumerate(map(plain, columns)):
        if text == column or text in WORDS[side] or (behind and behind[1] == _end(column)):
            return side
    return None


def _end(name: str) -> str:
    """What tells a name from that of the other side: ``0`` of ``response_0``."""
    found = re.search(r"(\d+|[a-z])$", name)
    return found[1] if found else name


def _indices(found: set[str]) -> dict[str, int | None]:
    if found <= {"0", "1"}:
        return {"0": 0, "1": 1}
    return {"1": 0, "2": 1} if found <= {"1", "2"} else {}


def _strengths(found: set[str]) -> dict[str, int | None]:
    """Numbers, some of which are negative."""
    try:
        numbers = {text: float(text) for text in found}
    except ValueError:
        return {}
    if not any(n < 0 for n in numbers.values()):
        return {}
    return {text: None if n == 0 else int(n > 0) for text, n in numbers.items()}
