"""What is audited: a task's examples as a run would use them, and the data as they were given.

Cleaning takes duplicates and leaks out before anything is trained, so the splits of a
run do not show them; whoever uses the same files elsewhere meets them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from weak2strong.tasks.cleaning import distinct, example_of
from weak2strong.tasks.conversations import opening
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.readers import CHOSEN, REJECTED
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import SPLITS, Splits, make_splits
from weak2strong.tasks.task import Example, Task, stable_id


@dataclass(frozen=True)
class Entry:
    """A labelled text.

    Attributes:
        id: of the example; file and row, where the data have no ids.
        group: what must not be split; None where the data do not say.
        text: what the model reads; of a preference the prompt and, in an order that their content
            decides, both completions.
        label: index of its class; of a generation, the target.
        split: that it is in; None where the data do not say.
        opening: of the conversation that a preference is about; empty where there is none.
    """

    id: str
    group: str | None
    text: str
    label: int | str
    split: str | None
    opening: str = ""


@dataclass(frozen=True)
class Subject:
    """A task under audit.

    Whether outward signs tell the label is asked of `judged` texts. These are the texts of the
    examples; of preferences, both completions of each, as two classes.

    Attributes:
        reference: what the user calls it.
        task: the task.
        splits: its examples as a run has them.
        fresh: texts of the same form that no model can have read; their labels play no part.
        published: when the data were published, where a user says it.
        cutoffs: by model the date up to which it knows texts, where a user says it.
        dates: when texts were published, by text, as far as a column of the data says it.
    """

    reference: str
    task: Task
    splits: Splits
    fresh: tuple[Entry, ...] = ()
    published: str | None = None
    cutoffs: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        reference: str,
        task: Task,
        fresh: tuple[Entry, ...] = (),
        splits: Splits | None = None,
    ) -> Subject:
        """A task with the splits of a study, or else with those of seed 0.

        Raises:
            UserError: where it cannot be split.
        """
        return cls(reference, task, splits or make_splits(task), fresh)

    @cached_property
    def used(self) -> tuple[Entry, ...]:
        """The examples of a run."""
        return tuple(
            _example_entry(e, split) for split in SPLITS for e in self.splits.examples(split)
        )

    @property
    def pairs(self) -> bool:
        """Whether the examples are preferences."""
        return self.task.kind == "preference"

    @cached_property
    def judged(self) -> tuple[Entry, ...]:
        """The texts whose class is asked; the completions of one preference are of one group."""
        if not self.pairs:
            return self.used
        return tuple(
            Entry(e.item.id, e.item.group, completion, int(side == e.label), split)
            for split in SPLITS
            for e in self.splits.examples(split)
            for side, completion in enumerate(e.item.completions)
        )

    @property
    def judged_classes(self) -> tuple[str, ...]:
        """The names of their classes."""
        return (REJECTED, CHOSEN) if self.pairs else self.task.classes

    @cached_property
    def judged_labels(self) -> np.ndarray:
        """Their class indices, (n,)."""
        return np.array([e.label for e in self.judged])

    @cached_property
    def judged_groups(self) -> np.ndarray:
        """A number for the group of each of them, (n,)."""
        return group_numbers(self.judged)

    @cached_property
    def tested(self) -> tuple[Entry, ...]:
        """The texts of the test as a model reads them; of preferences, those preferred."""
        return tuple(
            Entry(e.item.id, e.item.group, text_of(e), e.label, "test") for e in self.splits.test
        )

    @cached_property
    def given(self) -> tuple[Entry, ...]:
        """The rows of the user's data, with a split where files or rows have one, if any have."""
        if not isinstance(self.task, FileTask):
            return ()
        return tuple(_entry(row, self._split_of(row)) for row in self.task.rows)

    def _split_of(self, row: Row) -> str | None:
        """The split that the data give a row."""
        assert isinstance(self.task, FileTask)
        return self.task.split_of.get(row.file, row.split)

    @property
    def parted(self) -> bool:
        """Whether the data were given with splits."""
        return any(entry.split is not None for entry in self.given)

    @cached_property
    def once(self) -> tuple[Entry, ...]:
        """What cleaning compares with one another: every text of a split once, or what is used."""
        if not isinstance(self.task, FileTask):
            return self.used
        by_split: dict[str | None, list[Row]] = {}
        for row in self.task.rows:
            by_split.setdefault(self._split_of(row), []).append(row)
        return tuple(
            _entry(row, split) for split, rows in by_split.items() for row in distinct(rows)[0]
        )

    @cached_property
    def families(self) -> tuple[tuple[Entry, ...], ...]:
        """Those of them that are near-duplicates (see `weak2strong.tasks.duplicates`)."""
        found = near_duplicates([e.text for e in self.once])
        return tuple(tuple(self.once[i] for i in family) for family in found)

    @cached_property
    def labels(self) -> np.ndarray:
        """Class indices of the examples of a run, (n,)."""
        return np.array([e.label for e in self.used])


def group_numbers(entries: Sequence[Entry]) -> np.ndarray:
    """A number for the group of each entry, (n,)."""
    return np.unique([e.group or e.id for e in entries], return_inverse=True)[1]


def text_of(example: Example) -> str:
    """A text of an example as a model reads it; of a preference, that with the preferred one."""
    item = example.item
    return item.text + (item.completions[int(example.label)] if item.completions else "")


def _example_entry(example: Example, split: str) -> Entry:
    item = example.item
    begins = opening(item.text, item.completions, item.dialogues) if item.completions else ""
    return Entry(item.id, item.group, item.content, example.label, split, begins)


def _entry(row: Row, split: str | None) -> Entry:
    example = example_of(row)
    group = row.group or row.opening
    return replace(_example_entry(example, ""), id=row.id or row.location, group=group, split=split)


def sample(entries: Sequence[Entry], most: int) -> list[Entry]:
    """At most so many of the entries, in a random order that their ids alone decide."""
    return sorted(entries, key=lambda e: stable_id("audit", e.id))[:most]
