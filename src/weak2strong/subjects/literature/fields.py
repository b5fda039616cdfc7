"""Rows of datasets, the items that they become, and checked values of their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from weak2strong.tasks.task import Dialogue

Fields = Mapping[str, Any]
"""The values of a row, by field."""


@dataclass(frozen=True)
class Formatted:
    """One item of a task, with its label.

    Attributes:
        text: what the model reads.
        label: index of its class.
        completions: two, where the text is a prompt and the label says which one is preferred.
        dialogues: the two chats, where the completions are chats.
        keys: what the item is about; items with a key in common stay in one split. An empty key
            does not count.
    """

    text: str
    label: int
    keys: tuple[str, ...] = ()
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()


Form = Callable[[Fields], Formatted | None]
"""Makes the item of a row; None for a row without one. Raises `MisfitError` for a bad row."""

_TRUTHS = {False: False, True: True, "0": False, "1": True, "false": False, "true": True}
_TRUTHS |= {"no": False, "yes": True}


class MisfitError(Exception):
    """A field of a row does not have what its dataset should have there."""

    def __init__(self, field: str, value: Any, expected: str):
        text = repr(value)
        text = text if len(text) <= 40 else f"{text[:37]}..."
        super().__init__(f"{text} in field {field!r}, which is not {expected}")


def text(row: Fields, field: str) -> str:
    """The text in a field, which may be empty.

    Raises:
        MisfitError: for anything else, or half a character.
    """
    return _text(_value(row, field), field)


def texts(row: Fields, field: str) -> list[str]:
    """The texts in a field with a list of them, at least one.

    Raises:
        MisfitError: for anything else.
    """
    values = _value(row, field)
    if not isinstance(values, list) or not values:
        raise MisfitError(field, values, "a list of texts")
    return [_text(value, field) for value in values]


def whole(row: Fields, field: str, first: int, last: int) -> int:
    """The whole number in a field, from ``first`` to ``last``; it may be written as text.

    Raises:
        MisfitError: for anything else, such as the -1 of a hidden label.
    """
    value = _value(row, field)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = None
    if number is None or not first <= number <= last:
        raise MisfitError(field, value, f"a whole number from {first} to {last}")
    return number


def truth(row: Fields, field: str) -> bool:
    """The truth value in a field; it may be written as 0 and 1, as no and yes, or as text.

    Raises:
        MisfitError: for anything else, such as the -1 of a hidden label.
    """
    value = _value(row, field)
    key = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(key, (str, int)) or key not in _TRUTHS:
        raise MisfitError(field, value, "true or false")
    return _TRUTHS[key]


def _value(row: Fields, field: str) -> Any:
    """The value of a field; ``choices.text`` is the field ``text`` within ``choices``."""
    value: Any = row
    for part in field.split("."):
        if not isinstance(value, dict) or part not in value:
            raise MisfitError(field, None, "there")
        value = value[part]
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise MisfitError(field, value, "a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise MisfitError(field, value, "whole characters") from None
    return value
