"""Tasks whose items are rows of features: a folder with labels, and files of vectors by id.

The folder has ``labels.csv`` (or another table) with the columns ``id`` and ``label``, and, if
wanted, ``group`` and ``split``. Files called ``weak`` and ``strong`` hold the vectors that two
encoders, whichever they were, gave of the items; `weak2strong.models.vectors` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

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
from weak2strong.tasks.inputs import SORTS, check_options
from weak2strong.tasks.names import plain
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

HEAD = 2**16
"""Characters of the first line of a table that are looked at."""

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


def labels_at(path: Path, options: DataOptions) -> Path | None:
    """The table with the labels of a task of features; None where a path leads to no such task.

    A folder with files of vectors is one. So is a table of ids and labels without anything that
    could be read, alone or in a folder: then the files of vectors are elsewhere.

    Args:
        path: of a folder or a file.
        options: the columns that the user names.
    """
    if path.is_dir() and features_in(path):
        return labels_in(path)
    labels = labels_in(path) if path.is_dir() else path
    return labels if labels and labels.is_file() and _has_ids_alone(labels, options) else None


def _has_ids_alone(labels: Path, options: DataOptions) -> bool:
    """Whether a table has ids with labels and nothing to read, by its first line."""
    if labels.suffix.lower() not in (".csv", ".tsv") or options.text_column != ("text",):
        return False
    with labels.open(encoding="utf-8-sig", errors="replace") as file:
        # Lines of other files may have no end.
        first = file.readline(HEAD)
    columns = {plain(name.strip('" \n')) for name in first.split(max(",;\t", key=first.count))}
    named = (options.label_column, options.group_column, options.split_column)
    known = {"id", "group", "split", *(plain(name) for name in named if name)}
    return {"id", plain(options.label_column)} <= columns <= known


def labels_in(folder: Path) -> Path | None:
    """The table with the labels of a folder, where there is one."""
    found = [f for f in sorted(folder.glob(f"{LABELS}.*")) if names_data(f) and f.is_file()]
    return found[0] if found else None


def features_task(path: Path, labels: Path, options: DataOptions) -> FileTask:
    """The task in a folder of features, or in a table of their labels; the vectors are not read.

    Items are known by their ids. What is done with texts (near-duplicates, templates, openings of
    conversations) is not done.

    Args:
        path: of the folder or the table.
        labels: the table (see `labels_at`).
        options: columns, sizes and cleaning.

    Raises:
        UserError: where something is wrong with the labels, or options are about texts.
    """
    check_options(path, options, HEEDED, SORTS["features"])
    files = features_in(path) if path.is_dir() else ()
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
        name=task_name(path.resolve().name if path.is_dir() else PurePath(path).stem),
        summary=question(account, classes),
        source=f"{path}, {version_of([content])}",
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
