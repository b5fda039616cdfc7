"""What several people say of the examples of a user's data, in a column each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.votes import NOTHING
from weak2strong.tasks.cleaning import example_of
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.task import Example, Task


def votes_of(task: Task, examples: Sequence[Example]) -> np.ndarray:
    """The classes that annotators gave to examples, ``(n, m)``, -1 where one gave none.

    Rows that repeat an example count as one: of each annotator the most frequent class, the lowest
    of equally frequent ones.

    Raises:
        UserError: where an example has none, as those of other data that are tested on.
    """
    said = _annotations(task)
    without = [e for e in examples if e.item.id not in said]
    if without:
        raise UserError(
            f"Task {task.name}: {len(without):,} examples have no classes of annotators, such as "
            f"{without[0].item.text[:60]!r}: leave --test-on out, or --weak-label-columns."
        )
    return np.array([[_most(of) for of in zip(*said[e.item.id], strict=True)] for e in examples])


@lru_cache(maxsize=2)
def _annotations(task: Task) -> dict[str, list[tuple[int | None, ...]]]:
    """What annotators say of all rows, by the id of the example."""
    said = defaultdict[str, list[tuple[int | None, ...]]](list)
    for row in task.rows if isinstance(task, FileTask) else ():
        said[example_of(row).item.id].append(row.annotations)
    return said


def _most(votes: Sequence[int | None]) -> int:
    counted = Counter(vote for vote in votes if vote is not None)
    return min(counted, key=lambda vote: (-counted[vote], vote)) if counted else NOTHING


def check_annotated(task: Task) -> None:
    """Refuse a task without classes of annotators.

    Raises:
        UserError: for such a task.
    """
    rows = task.rows if isinstance(task, FileTask) else ()
    if task.kind != "classification" or not any(row.annotations for row in rows):
        raise UserError(
            f"Task {task.name} has no columns with classes of annotators: leave "
            "--weak-label-columns out, or name a file of texts with classes that has them."
        )
