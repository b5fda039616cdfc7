"""The opening of a conversation: what stands before its first reply.

Comparisons of one conversation at its first, second and third turn have other prompts, and one
opening.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from weak2strong.tasks.task import Dialogue

REPLIES = frozenset({"assistant", "model", "gpt", "chatgpt", "bot", "ai"})
"""Roles of whoever answers."""

_REPLY = re.compile(
    r"^[ \t]*(?:#+[ \t]*|\*\*)?(?:assistant|chatgpt|gpt|bot|ai|model|response)[ \t]*:(?:\*\*)?"
    r"|<\|im_start\|>assistant|<\|start_header_id\|>assistant<\|end_header_id\|>"
    r"|<\|assistant\|>|<start_of_turn>model|\[/INST\]",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a reply begins in a conversation that is a text."""


def opening(text: str, completions: Sequence[str], dialogues: Sequence[Dialogue] = ()) -> str:
    """What stands before the first reply of the conversation that a preference is about.

    Args:
        text: the prompt.
        completions: behind it.
        dialogues: the same as chats, where they are chats.

    Returns:
        The opening; empty where a preference is about no conversation, or about two that differ
        there.
    """
    if dialogues:
        found = {_opening_of_chat(chat) for chat in dialogues}
    else:
        found = {_opening_of_text(text + completion) for completion in completions}
    return found.pop() if len(found) == 1 else ""


def prompt_of(chosen: str, rejected: str) -> str:
    """What two conversations begin with, up to and with the sign of the last reply in it.

    It is empty where there is no such sign.
    """
    same = takewhile(lambda two: two[0] == two[1], zip(chosen, rejected, strict=False))
    shared = chosen[: sum(1 for _ in same)]
    # A sign at the very end may be cut: "Assistant:" of one, and of the other "Assistants".
    ends = [sign.end() for sign in _REPLY.finditer(chosen) if sign.end() <= len(shared)]
    return shared[: ends[-1]] if ends else ""


def _opening_of_chat(chat: Dialogue) -> str:
    before = list(takewhile(lambda turn: turn[0].lower() not in REPLIES, chat))
    return "\n\n".join(said for _, said in before) if len(before) < len(chat) else ""


def _opening_of_text(text: str) -> str:
    found = _REPLY.search(text)
    return text[: found.start()].strip() if found else ""
