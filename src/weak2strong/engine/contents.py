"""The contents of a study's tasks, which a run shows before it trains, and keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.folder import FolderFiles
from weak2strong.tasks.cleaning import Cleaning
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.splits import Splits
from weak2strong.tasks.table import split_table
from weak2strong.tasks.task import Task

FILE = "tasks.json"

FORM = [
    {
        "name": str,
        "reference": str,
        "source": str,
        "licence": str,
        "classes": [str],
        "splits": [{}],
        "truncated": {},
    }
]


@dataclass(frozen=True)
class Contents:
    """What one task holds.

    Attributes:
        name: of the task.
        reference: the user's name of it.
        source: where the examples come from.
        licence: of the data.
        classes: names of the classes.
        splits: a row a split (see `weak2strong.tasks.table`), with tokens of the first model.
        truncated: share of all texts that a model does not read to their end, by model.
        cleaning: how many rows of a user's data were used or left out; None for other tasks.
    """

    name: str
    reference: str
    source: str
    licence: str
    classes: tuple[str, ...]
    splits: list[dict[str, Any]]
    truncated: dict[str, float]
    cleaning: Cleaning | None


def contents(
    reference: str, task: Task, splits: Splits, models: Sequence[ModelSpec] = ()
) -> Contents:
    """Count what a task holds.

    Args:
        reference: the user's name of the task.
        task: the task.
        splits: its examples.
        models: whose tokens to count; without models no tokens are counted.

    Raises:
        UserError: where the tokenizer of a model cannot be loaded.
    """
    tables = {model.name: _token_table(task, splits, model) for model in models}
    return Contents(
        name=task.name,
        reference=reference,
        source=task.source,
        licence=task.licence,
        classes=task.classes,
        splits=next(iter(tables.values()), None) or split_table(splits, task.classes),
        truncated={name: _truncated(table) for name, table in tables.items()},
        cleaning=task.cleaning if isinstance(task, FileTask) else None,
    )


def contents_file(tasks: Sequence[Contents]) -> bytes:
    """The content of ``tasks.json``, a list with an entry a task."""
    text = json.dumps([asdict(task) for task in tasks], indent=1, ensure_ascii=False)
    return (text + "\n").encode()


def read_contents(files: FolderFiles) -> list[Mapping[str, Any]]:
    """The entries of ``tasks.json``; none for a run that is older than the file.

    Raises:
        UserError: where the file is damaged.
    """
    return files.json(FILE, FORM) or []


def _token_table(task: Task, splits: Splits, model: ModelSpec) -> list[dict[str, Any]]:
    from weak2strong.models.batches import longest_read, token_counts
    from weak2strong.models.configuration import load_tokenizer

    tokenizer = load_tokenizer(model)
    lengths = partial(token_counts, tokenizer)
    return split_table(splits, task.classes, lengths, longest_read(tokenizer))


def _truncated(table: Sequence[Mapping[str, Any]]) -> float:
    """The share of all texts that are cut, from the shares of the splits."""
    cut = sum(row["truncated"] * row["examples"] for row in table)
    return cut / sum(row["examples"] for row in table)
