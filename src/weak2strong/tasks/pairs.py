"""Two completions of a prompt, one of which is preferred, in an order that tells nothing.

A prompt and its completions are texts, or messages of a chat. Models without a chat template read
messages as a text with a paragraph a turn: "User: ...", then "Assistant: ...".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.conversations import prompt_of
from weak2strong.tasks.readers import CHOSEN, PROMPT, REJECTED
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import Dialogue, stable_id

PREFERRED = ("first", "second")
"""The classes of a preference task: which of the two completions is preferred."""


@dataclass(frozen=True)
class Completion:
    """What stands behind the prompt; ``dialogue`` has prompt and completion as turns of a chat."""

    completion: str
    dialogue: Dialogue = ()


@dataclass(frozen=True)
class Pair:
    """A preference.

    Attributes:
        text: the prompt.
        completions: two, in an order that their content alone decides.
        label: the index of the preferred completion.
        dialogues: one for each completion; none where they are no chats.
    """

    text: str
    completions: tuple[str, str]
    label: int
    dialogues: tuple[Dialogue, ...] = ()


def pair(prompt: str, chosen: Completion, rejected: Completion) -> Pair:
    """The preference for one of two completions.

    The order of the completions does not depend on which one is preferred. So the position of a
    completion tells nothing, and two opposite preferences are seen to be about the same pair. Case
    and spacing do not count.
    """
    sides = sorted((chosen, rejected), key=lambda s: (normalised(s.completion), s.completion))
    texts = (normalised(text) for text in (prompt, *(s.completion for s in sides)))
    if int(stable_id("order", *texts), 16) % 2:
        sides.reverse()
    first, second = sides
    return Pair(
        prompt,
        (first.completion, second.completion),
        int(second is chosen),
        tuple(s.dialogue for s in sides if s.dialogue),
    )


def read_pair(
    prompt: Any,
    chosen: Any,
    rejected: Any,
    location: str,
    columns: tuple[str, str] = (CHOSEN, REJECTED),
) -> Pair:
    """The preference in a row of a user's file.

    Each value is a text, or a list of messages with ``role`` and ``content``. Where completions
    are messages, a prompt that is a text is a message of the user. The messages that both
    completions begin with belong to the prompt, which may be missing. So does what two
    conversations that are texts begin with, up to the sign of a reply, such as "Assistant:".
    Where there is no space or line break between prompt and completion, a space is put there.

    Args:
        prompt: None or blank where there is none.
        chosen: the preferred completion.
        rejected: the other completion.
        location: file and row, for errors.
        columns: of the two completions, for errors.

    Raises:
        UserError: for a value that is neither a text nor a list of messages.
    """
    if any(isinstance(value, list) for value in (prompt, chosen, rejected)):
        first = _dialogue(prompt, chosen, f"{location} has in column {columns[0]!r}")
        second = _dialogue(prompt, rejected, f"{location} has in column {columns[1]!r}")
        return chat_pair(first, second)
    before = "" if prompt is None else _said(prompt, f"{location} has in column {PROMPT!r}")
    both = [
        _said(value, f"{location} has in column {column!r}")
        for column, value in zip(columns, (chosen, rejected), strict=True)
    ]
    if not before.strip() and (shared := prompt_of(*both)):
        return pair(shared, *(Completion(text.removeprefix(shared)) for text in both))
    return pair(before, *(Completion(_behind(before, text)) for text in both))


def chat_pair(chosen: Dialogue, rejected: Dialogue) -> Pair:
    """The preference for one of two chats. The turns that both begin with are the prompt."""
    shared = list(takewhile(lambda two: two[0] == two[1], zip(chosen, rejected, strict=False)))
    # So that something is left to be preferred.
    count = min(len(shared), len(chosen) - 1, len(rejected) - 1)
    prompt = dialogue_text(chosen[:count])
    gap = "\n\n" if prompt else ""
    sides = [Completion(gap + dialogue_text(chat[count:]), chat) for chat in (chosen, rejected)]
    return pair(prompt, *sides)


def dialogue_text(dialogue: Dialogue) -> str:
    """A dialogue as a text with a paragraph a turn."""
    return "\n\n".join(f"{role.capitalize()}: {said}" for role, said in dialogue)


def _dialogue(prompt: Any, completion: Any, about: str) -> Dialogue:
    """The whole chat of one completion, with its prompt."""
    before: Dialogue = ()
    if isinstance(prompt, list):
        before = _turns(prompt, about)
    elif isinstance(prompt, str) and prompt.strip():
        before = (("user", prompt),)
    if isinstance(completion, list):
        turns = _turns(completion, about)
    else:
        turns = (("assistant", _said(completion, about)),)
    # Some files repeat the prompt in the completions, where a turn of the system may stand first.
    begins = turns[: len(before)] == before if isinstance(prompt, list) else False
    answers = turns[0][0] == "assistant"
    return turns if begins or (not answers and isinstance(prompt, str)) else (*before, *turns)


def _turns(messages: list[Any], about: str) -> Dialogue:
    turns = []
    for message in messages:
        if not isinstance(message, dict) or not {"role", "content"} <= message.keys():
            raise UserError(f"{about} a message without role and content: write both.")
        turns.append((_said(message["role"], about), _said(message["content"], about)))
    if not turns:
        raise UserError(f"{about} no message: fill it in or drop the row.")
    return tuple(turns)


def _said(value: Any, about: str) -> str:
    if not isinstance(value, str):
        value_text = "nothing" if value is None else repr(value)[:40]
        raise UserError(
            f"{about} {value_text}, which is neither text nor a list of messages: "
            "fill it in or drop the row."
        )
    try:
        value.encode()
    except UnicodeEncodeError as e:
        raise UserError(f"{about} half a character ({e.reason}): write the whole one.") from e
    return value


def _behind(prompt: str, completion: str) -> str:
    """A completion, with a space before it where it needs one behind its prompt."""
    spaced = not prompt or prompt[-1:].isspace() or completion[:1].isspace()
    return completion if spaced else f" {completion}"
