"""How tasks differ in what their items are: texts, rows of features, or images.

The table has one entry for each sort of items. What turns items into what a network reads stands in
`weak2strong.models.reader`, and how models of each sort are loaded in `weak2strong.models.load`.
Nothing else may ask what the items of a task are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.config.training import BATCH_SIZE, EPOCHS
from weak2strong.ground.errors import UserError
from weak2strong.tasks.task import Inputs


@dataclass(frozen=True)
class Sort:
    """A sort of items.

    Attributes:
        title: what people call several of them.
        has_words: whether an item is words, so that there are n-grams, prompts, conversations, and
            texts that are nearly the same.
        epochs: of a training on such items, where the user gives no number.
        batch_size: examples of its optimiser steps, likewise.
    """

    title: str
    has_words: bool
    epochs: int = EPOCHS
    batch_size: int = BATCH_SIZE


SORTS: Mapping[Inputs, Sort] = {
    "text": Sort("texts", has_words=True),
    # As in appendix D.1 of Burns et al. 2023, whose larger student has 5 epochs; a head alone on
    # vectors that are there is quick to train, and small data need the steps.
    "features": Sort("features", has_words=False, epochs=20, batch_size=128),
    "images": Sort("images", has_words=False),
}
"""The sorts of items."""


def check_options(path: Path, options: DataOptions, heeded: Sequence[str], sort: Sort) -> None:
    """Refuse options that a task without texts does not heed.

    Args:
        path: of the task.
        options: of the user.
        heeded: those that it heeds.
        sort: of its items.

    Raises:
        UserError: naming the first one.
    """
    usual = DataOptions()
    for f in fields(options):
        if f.name not in heeded and getattr(options, f.name) != getattr(usual, f.name):
            raise UserError(
                f"{path} holds {sort.title}, and --{f.name.replace('_', '-')} does nothing for "
                "these: leave it out."
            )
