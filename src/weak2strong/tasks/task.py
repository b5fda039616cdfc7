"""What is asked: examples, tasks, and the label-free view that methods get."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from weak2strong.ground.errors import UserError
from weak2strong.tasks.prompt import Prompt, default_prompt

Kind = Literal["classification", "preference", "generation"]
"""Tags everything whose form depends on what a task asks for: targets, heads, scorers."""

TEXTS: Mapping[Kind, int] = {"classification": 1, "preference": 2, "generation": 1}
"""How many texts a model reads for an item, each on its own, by kind."""

Dialogue = tuple[tuple[str, str], ...]
"""The turns of a conversation, each a role and what is said."""

Entities = Literal["seen", "unseen"]
"""Whether a task asks about what the ladder's pretraining text speaks of, or keeps silent about."""


def stable_id(*parts: str) -> str:
    """An id that depends on content alone: 16 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Item:
    """What a model or a method may see of an example: everything but its label.

    ``id`` is stable and unique within a task, ``group`` names what must not be
    split (an entity, a game, a question), ``text`` is what the model reads: of a
    generation the prompt. Of a
    preference it is the prompt, too, and the model reads it twice, with each of two
    ``completions`` behind it. ``dialogues`` are what it reads as turns of a chat, one a
    text, for models with a template for these; empty where it is no chat.
    """

    id: str
    group: str
    text: str
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What a model reads, each on its own (see `TEXTS`)."""
        return tuple(self.text + c for c in self.completions) or (self.text,)

    @property
    def content(self) -> str:
        """All that the item says as one text, whatever the order of its completions."""
        return "\n".join((self.text, *sorted(self.completions)))


@dataclass(frozen=True)
class Example:
    """An item with its ground truth.

    ``label`` indexes its class, or the preferred completion, or is of a generation the
    target: a text, for which those that are ``accepted`` count as well.

    ``difficulty`` says how hard it is, more for harder, in whatever unit its source has,
    such as the rating of a question; None where nobody knows. Methods do not see it.
    """

    item: Item
    label: int | str
    difficulty: float | None = None
    accepted: tuple[str, ...] = ()


def texts_of(items: Iterable[Item]) -> list[str]:
    """All texts that a model reads for some items, one item after another, preferred or not."""
    return [text for item in items for text in item.texts]


@dataclass(frozen=True)
class Shares:
    """Which part of the examples each split gets; the four add up to one."""

    weak_train: float = 0.325
    strong_train: float = 0.325
    validation: float = 0.10
    test: float = 0.25


@dataclass(frozen=True, eq=False)
class Task:
    """A named question with examples.

    Attributes:
        name: as on the command line.
        kind: what sort of answer it has.
        classes: names of the classes, in the order of the label indices; a generation has none.
        summary: one line for lists.
        source: where the examples come from.
        licence: of the data.
        load: makes the examples, the same ones at every call.
        shares: sizes of the splits.
        given: the split of every example by id, where the source decides that, in place
            of shares; None elsewhere.
        load_unseen: makes examples that ask the same of entities which no model of
            the ladder has read about; None where nobody can know that.
        prompt: how a language model is asked; None for `default_prompt` (see `wording`).
        metric: what it is usually scored by; None for the usual one of its kind (see
            `weak2strong.ground.metrics.METRICS`).
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]
    summary: str
    source: str
    licence: str
    load: Callable[[], Sequence[Example]]
    shares: Shares = Shares()
    given: Mapping[str, str] | None = None
    load_unseen: Callable[[], Sequence[Example]] | None = None
    prompt: Prompt | None = None
    metric: str | None = None

    @property
    def wording(self) -> Prompt:
        """How a language model is asked, by the task's own prompt or the default one."""
        return self.prompt or default_prompt(self.classes)

    def about(self, entities: Entities) -> Task:
        """The same task about seen entities, as it is, or about unseen ones.

        Raises:
            UserError: for unseen ones, where the task does not know which these are.
        """
        if entities == "seen":
            return self
        if self.load_unseen is None:
            raise UserError(
                f"Task {self.name} has no unseen entities: leave --entities out, "
                "or choose a task of the atlas (see: w2s tasks)."
            )
        return replace(self, load=self.load_unseen)
