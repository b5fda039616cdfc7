"""What the columns of a table are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from weak2strong.tasks import names
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.task import Kind


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are for.

    Attributes:
        kind: of the task.
        text: the columns that the text, or the prompt, is made of, in this order.
        optional: those of them that may be empty in a row.
        template: how the text is written from them; None for a blank line between them.
        system: the column of what stands before it.
        label: the column of the class; of a preference, the one that says what is preferred;
            of a generation, that of the target.
        chosen: the column of the better completion, or of the first one.
        rejected: the column of the other one.
        accepted: the column of texts that count as right, too.
        group: the column of groups.
        id: the column of ids.
        subset: the column of the part of a benchmark that a preference is of.
        pair: the column that names which texts say the same, or the opposite.
        titles: the column with the names of the classes, beside that of the class itself.
        scores: the columns of what each of two completions was given, where the higher is better.
        split: the column of the split that a row is of.
        group_found: whether the column of groups was found by its name, so that rows without an
            entry in it are groups of their own.
        chat: the column of whole chats, whose last turn is the target.
        annotators: the columns of the classes that people gave, one a person.
    """

    kind: Kind
    text: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    template: str | None = None
    system: str | None = None
    label: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    accepted: str | None = None
    group: str | None = None
    id: str | None = None
    subset: str | None = None
    pair: str | None = None
    chat: str | None = None
    titles: str | None = None
    scores: tuple[str, ...] = ()
    group_found: bool = False
    split: str | None = None
    annotators: tuple[str, ...] = ()

    @cached_property
    def alone(self) -> str | None:
        """The one column that is the text, or the prompt, as it is; None where there are others."""
        plain = len(self.text) == 1 and self.template is None and self.system is None
        return self.text[0] if plain and not self.optional else None

    def named(self) -> list[tuple[str, tuple[str, ...]]]:
        """What is read from which columns, in words."""
        prompt = "text" if self.kind == "classification" else "prompt"
        sided = self.kind == "preference" and (self.label is not None or bool(self.scores))
        better, worse = ("first", "second") if sided else ("chosen", "rejected")
        last = {"classification": "class", "preference": "preference", "generation": "target"}
        chat = (self.chat,) if self.chat else ()
        parts = [
            (prompt, (*([self.system] if self.system else []), *self.text)),
            ("prompt and target", chat),
            (better, (self.chosen,) if self.chosen else ()),
            (worse, (self.rejected,) if self.rejected else ()),
            (last[self.kind], (self.label,) if self.label else ()),
            ("class of each annotator", self.annotators),
            ("names of classes", (self.titles,) if self.titles else ()),
            ("preference (the higher one)", self.scores),
            ("accepted", (self.accepted,) if self.accepted else ()),
            ("group", (self.group,) if self.group else ()),
            ("id", (self.id,) if self.id else ()),
            ("split", (self.split,) if self.split else ()),
            ("subset", (self.subset,) if self.subset else ()),
            ("pair", (self.pair,) if self.pair else ()),
        ]
        return [(role, columns) for role, columns in parts if columns]

    def answers(self) -> dict[str, str]:
        """What each column is that a model is to find out, or that tells it."""
        words = {"classification": "label", "preference": "preference", "generation": "target"}
        found = {
            self.label: words[self.kind],
            self.titles: "label",
            self.chosen: "completion",
            self.rejected: "completion",
            **dict.fromkeys(self.scores, "preference"),
            **dict.fromkeys(self.annotators, "label"),
        }
        return {column: word for column, word in found.items() if column is not None}

    def not_taken(self, present: Sequence[str]) -> list[str]:
        """The columns that are named as the label or the preference is, and are not read."""
        known = {"classification": names.LABELS, "preference": names.PREFERENCES}
        used = {column for _, columns in self.named() for column in columns}
        words = known.get(self.kind, ())
        return [name for name in present if names.plain(name) in words and name not in used]


def candidates(present: Sequence[str], columns: Columns) -> list[str]:
    """The columns that can have a role, by their names alone."""
    asked = {name for _, name in columns.named()}
    return [name for name in present if name in asked or names.plain(name) in names.ANY]
