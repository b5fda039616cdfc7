"""What a value of a row may be, by what its column is for; whatever is wrong names the row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.labels import Label
from weak2strong.tasks.pairs import dialogue_text
from weak2strong.tasks.tables import are_messages
from weak2strong.tasks.task import Dialogue

ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "chatgpt": "assistant"}
"""What ShareGPT calls the sides of a chat, by what all others call them."""


def missing(value: Any) -> bool:
    """Whether a value says nothing."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any, location: str, column: str) -> str:
    """The text that a value is.

    Raises:
        UserError: where it is none, or blank.
    """
    if missing(value):
        raise UserError(f"{location} has no text in column {column!r}: fill it in or drop the row.")
    if not isinstance(value, str):
        raise UserError(
            f"{location} has {shown(value)} in column {column!r}, which is no text: "
            "put quotes around it, or name another column with --text-column."
        )
    return whole(value, location, column)


def whole(value: str, location: str, column: str) -> str:
    """A text that can be written.

    Raises:
        UserError: where it has half a character.
    """
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise UserError(
            f"{location} has half a character in column {column!r} ({e.reason}): write the whole "
            "character."
        ) from e
    return value


def name_of(value: Any, location: str, column: str) -> str:
    """A group or an id: text or a whole number.

    Raises:
        UserError: where it is neither.
    """
    if missing(value):
        raise UserError(f"{location} has nothing in column {column!r}: fill it in or drop the row.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int)):
        raise UserError(
            f"{location} has {shown(value)} in column {column!r}: "
            "a group or an id must be text or a whole number."
        )
    return whole(str(value), location, column)


def number_of(value: Any, location: str, column: str) -> float:
    """A number, which a format without types writes as text.

    Raises:
        UserError: where it is none.
    """
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if math.isnan(found):
        raise UserError(
            f"{location} has {shown(value)} in column {column!r}, which is no number: write one or "
            "drop the row."
        )
    return found


def label_of(value: Any, location: str, column: str) -> Label:
    """A label: a name, a whole number, or true or false.

    Raises:
        UserError: where it is none of them.
    """
    if missing(value):
        raise UserError(
            f"{location} has no label in column {column!r}: fill it in or drop the row."
        )
    if isinstance(value, str):
        return whole(value.strip(), location, column)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (bool, int)):
        return value
    kind = "not a whole number" if isinstance(value, float) else "neither text nor a number"
    raise UserError(
        f"{location} has the label {shown(value)}, which is {kind}: "
        "labels are names, whole numbers, or true and false."
    )


def targets_of(value: Any, location: str, column: str) -> tuple[str, ...]:
    """The target of a generation, and behind it what counts as right, too.

    A value is a text, a number, a chat whose last turn is the target, or a list of texts, the
    first of which is the target.

    Raises:
        UserError: where it is none of them.
    """
    if isinstance(value, Mapping) and isinstance(value.get("text"), list):
        # As answers stand in SQuAD.
        value = value["text"]
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        texts = [text_of(part, location, column).strip() for part in value]
        return tuple(dict.fromkeys(texts))
    if are_messages(value):
        value = turns_of(value, location, column)[-1][1]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    return (text_of(value, location, column).strip(),)


def accepted_of(value: Any, location: str, column: str) -> tuple[str, ...]:
    """The texts that count as right besides the target.

    Raises:
        UserError: where it is no list of texts.
    """
    if missing(value):
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise UserError(
            f"{location} has {shown(value)} in column {column!r}: write a list of texts."
        )
    return tuple(whole(text, location, column) for text in value)


def as_turns(value: Any) -> Any:
    """A value in which messages are lists with ``role`` and ``content``; others stay."""
    if isinstance(value, Mapping) and are_messages([value]):
        value = [value]
    if not are_messages(value):
        return value
    return [
        turn
        if {"role", "content"} <= turn.keys()
        else {"role": ROLES.get(turn["from"], turn["from"]), "content": turn["value"]}
        for turn in value
    ]


def turns_of(value: Any, location: str, column: str) -> Dialogue:
    """The turns of a chat, each a role and a text.

    Raises:
        UserError: where a value is no chat, or a turn says nothing that is text.
    """
    turns = as_turns(value)
    if not are_messages(turns):
        raise UserError(
            f"{location} has {shown(value)} in column {column!r}, which is no list of messages: "
            "mend it or drop the row."
        )
    return tuple(
        (text_of(turn["role"], location, column), text_of(turn["content"], location, column))
        for turn in turns
    )


def asked_in(turns: Dialogue) -> str:
    """What a chat asks, as a text: what its only turn says, or a paragraph a turn."""
    return turns[0][1] if len(turns) == 1 else dialogue_text(turns)


def shown(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
