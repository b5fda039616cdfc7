"""The contents of a study's tasks, which a run shows before it trains, and keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.engine.reading import Reading, naming_rows, reading_of
from weak2strong.ground.folder import FolderFiles
from weak2strong.tasks.account import Account
from weak2strong.tasks.beginnings import Beginnings
from weak2strong.tasks.cleaning import Cleaning
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.table import split_table
from weak2strong.tasks.task import Inputs, Item, Task

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
        read: what each model reads of the texts.
        accounts: what was done with the columns and rows of a user's data, of those that are tested
            on, too.
        beginnings: long ones that texts of several splits share; None where groups are known.
        inputs: what its items are, such as ``"images"`` (see `weak2strong.tasks.inputs`).
    """

    name: str
    reference: str
    source: str
    licence: str
    classes: tuple[str, ...]
    splits: list[dict[str, Any]]
    truncated: dict[str, float]
    cleaning: Cleaning | None
    read: tuple[Reading, ...] = ()
    accounts: tuple[Account, ...] = ()
    beginnings: Beginnings | None = None
    inputs: Inputs = "text"


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
        UserError: where the tokenizer of a model cannot be loaded, or its chat template cannot
            write a chat.
    """
    counted = [_counted(task, splits, model) for model in dict.fromkeys(models)]
    tables = [table for table, _ in counted]
    truncated = dict[str, float]()
    for table, reading in counted:
        # Of two models of one name that read differently, the one that reads less.
        truncated[reading.model] = max(_truncated(table), truncated.get(reading.model, 0.0))
    return Contents(
        name=task.name,
        reference=reference,
        source=task.source,
        licence=task.licence,
        classes=task.classes,
        splits=next(iter(tables), None) or split_table(splits, task.classes),
        truncated=truncated,
        cleaning=task.cleaning if isinstance(task, FileTask) else None,
        read=tuple(dict.fromkeys(reading for _, reading in counted)),
        accounts=task.accounts if isinstance(task, FileTask) else (),
        beginnings=_beginnings(task, splits),
        inputs=task.inputs,
    )


def _beginnings(task: Task, splits: Splits) -> Beginnings | None:
    """Long beginnings in several splits, of data that do not say what belongs together."""
    if not isinstance(task, FileTask) or not SORTS[task.inputs].has_words:
        return None
    if all(row.group is not None for row in task.rows):
        return None
    return Beginnings.of(splits)


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


def told(entry: Mapping[str, Any]) -> list[str]:
    """What an entry of ``tasks.json`` says of the columns and rows of a user's data, in sentences.

    An entry of an older run says nothing of columns.
    """
    accounts = [Account(**account) for account in entry.get("accounts", ())]
    said = [sentence for account in accounts for sentence in account.sentences()]
    cleaning = entry.get("cleaning")
    return [*said, *(Cleaning(**cleaning).sentences() if cleaning else ())]


def _counted(task: Task, splits: Splits, model: ModelSpec) -> tuple[list[dict[str, Any]], Reading]:
    """The table with a model's tokens, and what it reads of the texts."""
    from weak2strong.models.batches import token_counts
    from weak2strong.models.configuration import load_tokenizer
    from weak2strong.models.lengths import longest_read

    tokenizer, counts = load_tokenizer(model), list[int]()

    def lengths(items: Sequence[Item]) -> list[int]:
        found = token_counts(tokenizer, items)
        counts.extend(found)
        return found

    with naming_rows(task):
        # The splits come in this order.
        table = split_table(splits, task.classes, lengths, longest_read(tokenizer))
        items = [item for split in SPLITS for item in splits.items(split)]
        return table, reading_of(items, model.name, tokenizer, counts)


def _truncated(table: Sequence[Mapping[str, Any]]) -> float:
    """The share of all texts that are cut, from the shares of the splits."""
    cut = sum(row["truncated"] * row["examples"] for row in table)
    return cut / sum(row["examples"] for row in table)
