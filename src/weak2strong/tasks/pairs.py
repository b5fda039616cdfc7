"""Two completions of a prompt, of which one is preferred, in an order that tells nothing.

A prompt and its completions are texts, or messages of a chat. What models without a chat
template read of messages has a paragraph a turn: "User: ...", then "Assistant: ...".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import CHOSEN, PROMPT, REJECTED
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import Dialogue, stable_id

PREFERRED = ("first", "second")
"""The classes of a preference task: which of the two completions is preferred."""


@dataclass(frozen=True)
class Completion:
    """One of the two: what stands behind the prompt; as a chat, prompt and completion in turns."""

    completion: str
    dialogue: Dialogue = ()


@dataclass(frozen=True)
class Pair:
    """A preference; ``label`` is the index of the preferred completion.

    Attributes:
        text: the prompt.
        completions: two, drawn into an order by their content alone.
        label: of the preferred one.
        dialogues: one a completion, or none.
    """

    text: str
    completions: tuple[str, str]
    label: int
    dialogues: tuple[Dialogue, ...] = ()


def pair(prompt: str, chosen: Completion, rejected: Completion) -> Pair:
    """A preference, whose order is the same for whoever prefers the other one.

    So the place of a completion tells nothing, and a pair that occurs both ways round is
    found to be the same. Case and spacing do not count.
    """
    sides = sorted((chosen, rejected), key=lambda s: (normalised(s.completion), s.completion))
    said = (normalised(text) for text in (prompt, *(s.completion for s in sides)))
    if int(stable_id("order", *said), 16) % 2:
        sides.reverse()
    first, second = sides
    return Pair(
        prompt,
        (first.completion, second.completion),
        int(second is chosen),
        tuple(s.dialogue for s in sides if s.dialogue),
    )


def read_pair(prompt: Any, chosen: Any, rejected: Any, place: str) -> Pair:
    """The preference in a row of a user's file.

    Each value is a text or a list of messages with ``role`` and ``content``. Where
    completions are messages, a prompt that is a text is what the user said, and what both
    have in common at their beginning belongs to the prompt, which may be missing. A text
    that follows another without a space or a line break gets a space before it.

    Args:
        prompt: None or blank for none.
        chosen: the preferred one.
        rejected: the other one.
        place: file and row, for errors.

    Raises:
        UserError: for a completion that is neither.
    """
    if any(isinstance(value, list) for value in (prompt, chosen, rejected)):
        first = _dialogue(prompt, chosen, f"{place} has in column {CHOSEN!r}")
        second = _dialogue(prompt, rejected, f"{place} has in column {REJECTED!r}")
        return chat_pair(first, second)
    before = "" if prompt is None else _said(prompt, f"{place} has in column {PROMPT!r}")
    sides = [
        Completion(_behind(before, _said(value, f"{place} has in column {column!r}")))
        for column, value in ((CHOSEN, chosen), (REJECTED, rejected))
    ]
    return pair(before, *sides)


def chat_pair(chosen: Dialogue, rejected: Dialogue) -> Pair:
    """The preference for one of two chats; the turns that both begin with are the prompt."""
    shared = list(takewhile(lambda two: two[0] == two[1], zip(chosen, rejected, strict=False)))
    # So that something is left to be preferred.
    count = min(len(shared), len(chosen) - 1, len(rejected) - 1)
    prompt = dialogue_text(chosen[:count])
    gap = "\n\n" if prompt else ""
    sides = [Completion(gap + dialogue_text(chat[count:]), chat) for chat in (chosen, rejected)]
    return pair(prompt, *sides)


def dialogue_text(dialogue: Dialogue) -> str:
    """A dialogue as a text: a paragraph a turn."""
    return "\n\n".join(f"{role.capitalize()}: {said}" for role, said in dialogue)


def _dialogue(prompt: Any, completion: Any, about: str) -> Dialogue:
    """The whole chat of one completion."""
    before: Dialogue = ()
    if isinstance(prompt, list):
        before = _turns(prompt, about)
    elif isinstance(prompt, str) and prompt.strip():
        before = (("user", prompt),)
    if isinstance(completion, list):
        turns = _turns(completion, about)
    else:
        turns = (("assistant", _said(completion, about)),)
    # Some files repeat the prompt in the completions; a system's turn may stand before it.
    begins = turns[: len(before)] == before if isinstance(prompt, list) else False
    answers = turns[0][0] == "assistant"
    return turns if begins or (not answers and isinstance(prompt, str)) else (*before, *turns)


def _turns(messages: list[Any], about: str) -> Dialogue:
    found = []
    for message in messages:
        if not isinstance(message, dict) or not {"role", "content"} <= message.keys():
            raise UserError(f"{about} a message without role and content: write both.")
        found.append((_said(message["role"], about), _said(message["content"], about)))
    if not found:
        raise UserError(f"{about} no message: fill it in or drop the row.")
    return tuple(found)


def _said(value: Any, about: str) -> str:
    if not isinstance(value, str):
        shown = "nothing" if value is None else repr(value)[:40]
        raise UserError(
            f"{about} {shown}, which is neither text nor a list of messages: "
            "fill it in or drop the row."
        )
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise UserError(f"{about} half a character ({e.reason}): write the whole one.") from e
    return value


def _behind(prompt: str, completion: str) -> str:
    """A completion as it stands behind its prompt."""
    apart = not prompt or prompt[-1:].isspace() or completion[:1].isspace()
    return completion if apart else f" {completion}"
