"""One checked row of a user's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from weak2strong.tasks.readers import row_name
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import Dialogue, Kind


@dataclass(slots=True)
class Row:
    """One row; ``group`` and ``id`` are None where the data have no such column.

    It is not frozen, since the class of a row is known when all labels have been read, and a
    million rows would be made twice. Nothing else changes a row.

    ``opening`` names the conversation of a preference without a group (see
    `weak2strong.tasks.conversations`). ``question`` names what is asked where several preferences
    ask it together (see `weak2strong.tasks.several`), and ``subset`` the part of a benchmark.
    ``pair`` is as in `weak2strong.tasks.task.Item`.

    ``split`` is that which a column of the data gives.

    ``label`` is the index of a class. In a preference, ``text`` is the prompt and ``label`` the
    index of the preferred completion. In a generation, ``text`` is the prompt, ``label`` the
    target, and the texts in ``accepted`` count as right, too.

    ``annotations`` has what each annotator says: the index of a class, or None for nothing (see
    `weak2strong.tasks.annotators`).
    """

    file: str
    number: int
    text: str
    label: int | str
    group: str | None
    id: str | None
    completions: tuple[str, ...] = ()
    dialogues: tuple[Dialogue, ...] = ()
    accepted: tuple[str, ...] = ()
    difficulty: float | None = None
    opening: str | None = None
    question: str | None = None
    subset: str | None = None
    split: str | None = None
    annotations: tuple[Any, ...] = ()
    pair: str = ""

    @property
    def kind(self) -> Kind:
        """The kind of a task with such rows."""
        if isinstance(self.label, str):
            return "generation"
        return "preference" if self.completions else "classification"

    @property
    def compared(self) -> tuple[str, ...]:
        """All texts of the row, in the form in which texts are compared."""
        return tuple(map(normalised, (self.text, *self.completions)))

    @property
    def location(self) -> str:
        """File and row, for errors."""
        return row_name(self.file, self.number)
