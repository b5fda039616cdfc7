"""Two completions of a prompt, of which one is preferred, in an order that tells nothing."""

from __future__ import annotations

from dataclasses import dataclass

from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import Dialogue, stable_id

PREFERRED = ("first", "second")
"""The classes of a preference task: which of the two completions is preferred."""


@dataclass(frozen=True)
class Side:
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


def pair(prompt: str, chosen: Side, rejected: Side) -> Pair:
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
