"""What is audited: a task's examples as a run would use them, and the data as they were given.

Cleaning takes duplicates and leaks out before anything is trained, so the splits of a
run do not show them; whoever uses the same files elsewhere meets them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import distinct
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import SPLITS, Splits, make_splits
from weak2strong.tasks.task import Task, stable_id


@dataclass(frozen=True)
class Entry:
    """A labelled text.

    Attributes:
        id: of the example; file and row, where the data have no ids.
        group: what must not be split; None where the data do not say.
        text: what the model reads.
        label: index of its class.
        split: that it is in; None where the data do not say.
    """

    id: str
    group: str | None
    text: str
    label: int
    split: str | None


@dataclass(frozen=True)
class Subject:
    """A task under audit.

    Attributes:
        reference: what the user calls it.
        task: the task.
        splits: its examples as a run has them.
        fresh: texts of the same form that no model can have read; their labels play no part.
    """

    reference: str
    task: Task
    splits: Splits
    fresh: tuple[Entry, ...] = ()

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
            UserError: where it cannot be split, or has no classes.
        """
        if not task.classes:
            raise UserError(
                f"Task {task.name} is answered in words, and an audit looks at classes: "
                "leave it out."
            )
        return cls(reference, task, splits or make_splits(task), fresh)

    @cached_property
    def used(self) -> tuple[Entry, ...]:
        """The examples of a run."""
        return tuple(
            Entry(e.item.id, e.item.group, e.item.text, int(e.label), split)
            for split in SPLITS
            for e in self.splits.examples(split)
        )

    @cached_property
    def given(self) -> tuple[Entry, ...]:
        """The rows of the user's data, with a split where the files have one; none otherwise."""
        if not isinstance(self.task, FileTask):
            return ()
        split_of = self.task.split_of
        return tuple(_entry(row, split_of.get(row.file)) for row in self.task.rows)

    @property
    def parted(self) -> bool:
        """Whether the data were given with splits."""
        return isinstance(self.task, FileTask) and bool(self.task.split_of)

    @cached_property
    def once(self) -> tuple[Entry, ...]:
        """What cleaning compares with one another: every text of a file once, or what is used."""
        if not isinstance(self.task, FileTask):
            return self.used
        files = self.task.split_of or {None: None}
        entries = []
        for file, split in files.items():
            rows = [r for r in self.task.rows if file in (None, r.file)]
            entries += [_entry(row, split) for row in distinct(rows)[0]]
        return tuple(entries)

    @cached_property
    def labels(self) -> np.ndarray:
        """Class indices of the examples of a run, (n,)."""
        return np.array([e.label for e in self.used])

    @cached_property
    def groups(self) -> np.ndarray:
        """A number for the group of each of them, (n,)."""
        return np.unique([e.group or e.id for e in self.used], return_inverse=True)[1]


def _entry(row: Row, split: str | None) -> Entry:
    return Entry(row.id or row.location, row.group, row.text, int(row.label), split)


def sample(entries: Sequence[Entry], most: int) -> list[Entry]:
    """At most so many of the entries, in a random order that their ids alone decide."""
    return sorted(entries, key=lambda e: stable_id("audit", e.id))[:most]
