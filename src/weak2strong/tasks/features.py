"""Tasks whose items are rows of features: a folder with labels, and files of vectors by id.

The folder has ``labels.csv`` (or another table) with the columns ``id`` and ``label``, and, if
wanted, ``group`` and ``split``. Files called ``weak`` and ``strong`` hold the vectors that two
encoders, whichever they were, gave of the items; `weak2strong.models.vectors` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.account import Account
from weak2strong.tasks.files import (
    FileTask,
    cleaned_task,
    columns_of,
    question,
    reading_of,
    task_name,
    version_of,
)
from weak2strong.tasks.opening import read_file
from weak2strong.tasks.readers import listed
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.row import Row
from weak2strong.tasks.rows import read_rows
from weak2strong.tasks.splits import normalised
from weak2strong.tasks.task import stable_id

LABELS = "labels"
"""The name of the table with the labels, without its ending."""

PAIR = ("weak", "strong")
"""Names of the files of vectors that a study takes where none are named."""

ENDINGS = (".safetensors", ".npy", ".parquet")
"""Of files of vectors."""

HEEDED = (
    "label_column",
    "group_column",
    "split_column",
    "n_train",
    "n_validation",
    "n_test",
    "shrink",
    "balance",
    "strict_rows",
    "encoding",
    "unpacked_limit",
)
"""Options that a folder of features heeds; the others are about texts."""


def features_in(folder: Path) -> tuple[Path, ...]:
    """The files of vectors in a folder of features, by name; none where it is no such folder."""
    if labels_in(folder) is None:
        return ()
    files = [f for f in sorted(folder.iterdir()) if f.suffix in ENDINGS and f.is_file()]
    return tuple(f for f in files if f.suffix != ".parquet" or f.stem in PAIR)


def labels_in(folder: Path) -> Path | None:
    """The table with the labels of a folder, where there is one."""
    found = [f for f in sorted(folder.glob(f"{LABELS}.*")) if names_data(f) and f.is_file()]
    return found[0] if found else None


def features_task(folder: Path, options: DataOptions) -> FileTask:
    """The task in a folder of features; the vectors are not read.

    Items are known by their ids. What is done with texts (near-duplicates, templates, openings of
    conversations) is not done.

    Raises:
        UserError: where something is wrong with the labels, or options are about texts.
    """
    _check_options(folder, options)
    labels, files = labels_in(folder), features_in(folder)
    assert labels is not None
    content = read_file(labels)
    columns = replace(
        columns_of(options),
        text=("id",),
        id="id",
        find_split=options.split_column is None,
    )
    files_of = {str(labels): content}
    rows, classes, account = read_rows(
        files_of, columns, reading_of(options), strict=options.strict_rows
    )
    account = _account(account)
    return cleaned_task(
        [replace(row, text=_key(row)) for row in rows],
        classes,
        replace(options, near_duplicates=False, group_beginnings=False),
        str(labels),
        account,
        name=task_name(folder.resolve().name),
        summary=question(account, classes),
        source=f"{folder}, {version_of([content])}",
        licence="the user's own",
        inputs="features",
        pair=_pair(files),
    )


def _key(row: Row) -> str:
    """What the content of an item is known by: its id, told apart from those of other spelling.

    Texts that differ in case and spacing alone count as the same, and ids that do so are not.
    """
    assert row.id is not None
    return row.id if normalised(row.id) == row.id else f"{row.id} ({stable_id(row.id)})"


def _account(account: Account) -> Account:
    """The account without the text, which is the id once more."""
    read = {role: names for role, names in account.read.items() if role != "text"}
    return replace(account, read=read, what="features with classes", unread=())


def _pair(files: Sequence[Path]) -> tuple[str, ...]:
    """The names of the weak and the strong file; empty for one that the folder does not have.

    Raises:
        UserError: where it has one of them in several formats.
    """
    found = [[f for f in files if f.stem == name] for name in PAIR]
    for several in found:
        if len(several) > 1:
            raise UserError(
                f"{several[0].parent} has {listed([f.name for f in several])}, and one of them is "
                "meant: keep one, or name it with --weak or --strong."
            )
    return tuple(str(files[0]) if files else "" for files in found)


def _check_options(folder: Path, options: DataOptions) -> None:
    """Refuse options that a folder of features does not heed.

    Raises:
        UserError: naming the first one.
    """
    usual = DataOptions()
    for f in fields(options):
        if f.name not in HEEDED and getattr(options, f.name) != getattr(usual, f.name):
            raise UserError(
                f"{folder} holds features, and --{f.name.replace('_', '-')} is about texts or "
                "datasets of the hub: leave it out."
            )
