"""Tasks and their examples, and the items without labels that methods get."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from weak2strong.ground.errors import UserError
from weak2strong.tasks.prompt import Prompt, compared, comparison_prompt, default_prompt

Kind = Literal["classification", "preference", "generation"]
"""Decides everything whose form depends on the task: targets, heads, metrics."""

Inputs = Literal["text", "features", "images"]
"""What the items of a task are, which is an axis of its own beside `Kind` (see
`weak2strong.tasks.inputs`)."""

TEXTS: Mapping[Kind, int] = {"classification": 1, "preference": 2, "generation": 1}
"""How many texts a model reads for an item, each on its own, by kind."""

Dialogue = tuple[tuple[str, str], ...]
"""The turns of a conversation; each turn is a role and a text."""

Entities = Literal["seen", "unseen"]
"""Whether a task asks about what the ladder's pretraining text speaks of, or keeps silent about."""


def stable_id(*parts: str) -> str:
    """An id that depends on content alone: 16 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Item:
    """What a model or a method may see of an example: everything but its label.

    ``id`` is stable and unique within a task. ``group`` names what must not be in two splits (an
    entity, a game, a question). ``text`` is what the model reads. In a generation and in a
    preference, ``text`` is the prompt; in a preference, the model reads the prompt twice, with
    each of the two ``completions`` behind it. ``dialogues`` has the same texts as turns of a chat,
    for models with a chat template; it is empty where an item is no chat. ``pair`` is a name that
    items share which say the same in other words, with a ``-`` before it in those that say the
    opposite, and empty where an item has no such other.

    An item of a task of features or images has in ``text`` what its content is known by: the id of
    the row of features, or the SHA-256 of the image's bytes. ``file`` is where an image lies, which
    is no part of what identifies it.
    """

    id: str
    group: str
    text: str
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    file: str = field(default="", compare=False, repr=False)
    pair: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that a model reads, each on its own (see `TEXTS`)."""
        return tuple(self.text + c for c in self.completions) or (self.text,)

    @property
    def content(self) -> str:
        """The item as one text, which does not depend on the order of its completions."""
        return "\n".join((self.text, *sorted(self.completions)))


@dataclass(frozen=True, slots=True)
class Example:
    """An item with its ground truth.

    ``label`` is the index of the class, or of the preferred completion. In a generation it is the
    target, which is a text; the texts in ``accepted`` count as right, too.

    ``subset`` names the part of a benchmark that the example is of, and ``question`` what it asks
    together with other examples: it is answered rightly if all of these are. Each is None where
    there is nothing of the kind.

    ``difficulty`` says how hard the example is, in the unit of its source, such as the rating of a
    question; harder examples have more. It is None where nobody knows. Methods do not see it.
    """

    item: Item
    label: int | str
    difficulty: float | None = None
    accepted: tuple[str, ...] = ()
    subset: str | None = None
    question: str | None = None


def texts_of(items: Iterable[Item]) -> list[str]:
    """All texts that a model reads for some items, one item after another."""
    return [text for item in items for text in item.texts]


def asked_text(item: Item, turned: bool = False) -> str:
    """An item as one text that a language model is asked about (see `weak2strong.tasks.prompt`).

    Args:
        item: of any kind of task.
        turned: whether the second completion of a preference stands first.
    """
    if not item.completions:
        return item.text
    first, second = reversed(item.completions) if turned else item.completions
    return compared(item.text, first, second)


@dataclass(frozen=True)
class Shares:
    """The share of the examples that each split gets; the four shares add up to one."""

    weak_train: float = 0.325
    strong_train: float = 0.325
    validation: float = 0.10
    test: float = 0.25


@dataclass(frozen=True, eq=False)
class Task:
    """A named question with examples.

    Attributes:
        name: as on the command line.
        kind: which form its answers have.
        classes: names of the classes, in the order of the label indices; a generation has none.
        summary: one line for lists.
        source: where the examples come from.
        licence: of the data.
        load: makes the examples, the same ones at every call.
        shares: sizes of the splits.
        given: the split of every example by id, in place of shares, where the source decides the
            splits; None elsewhere.
        load_unseen: makes examples that ask the same about entities that no model of the ladder
            has read about; None where nobody can know this.
        prompt: how a language model is asked; None for `default_prompt` (see `wording`).
        metric: which metric it is usually scored by; None for the usual metric of its kind (see
            `weak2strong.ground.metrics.METRICS`).
        inputs: what its items are; those of features and images are of kind classification.
        pair: names of the weak and the strong model that a study of it has where it names none;
            empty for the pair of the embedded ladder, and an empty name where one has to be
            named.
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
    inputs: Inputs = "text"
    pair: tuple[str, ...] = ()

    @property
    def tells_learners(self) -> bool:
        """Whether the source says who learns from which examples, and no seed decides it."""
        return self.given is not None

    @property
    def wording(self) -> Prompt:
        """The prompt of the task, or the default prompt."""
        if self.kind == "preference":
            return self.prompt or comparison_prompt()
        return self.prompt or default_prompt(self.classes)

    def about(self, entities: Entities) -> Task:
        """The task itself for seen entities, or the same task about unseen entities.

        Raises:
            UserError: where the task does not know which entities are unseen.
        """
        if entities == "seen":
            return self
        if self.load_unseen is None:
            raise UserError(
                f"Task {self.name} has no unseen entities: leave --entities out, "
                "or choose a task of the atlas (see: w2s tasks)."
            )
        return replace(self, load=self.load_unseen)
