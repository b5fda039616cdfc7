"""Tasks from a user's own files: read, checked, cleaned, and cut to size."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.tasks.beginnings import with_openings
from weak2strong.tasks.cleaning import Cleaning, clean
from weak2strong.tasks.opening import GIB, Reading, read_file, unpacked_name
from weak2strong.tasks.readers import Columns, listed
from weak2strong.tasks.rows import Row, read_rows
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.task import Kind, Task


@dataclass(frozen=True, kw_only=True, eq=False)
class FileTask(Task):
    """A task made of a user's data.

    Attributes:
        cleaning: how many rows were kept and left out.
        revision: the commit of a dataset of the hub.
        rows: all rows of the data, before cleaning.
        split_of: the split of each file, where every file is one split.
    """

    cleaning: Cleaning
    revision: str | None = None
    rows: tuple[Row, ...] = field(default=(), repr=False)
    split_of: Mapping[str, str] = field(default_factory=dict)

    @property
    def tells_learners(self) -> bool:
        """Whether every file is one split; a task with other data as its test does not say more."""
        return bool(self.split_of)


def columns_of(options: DataOptions) -> Columns:
    """The names of the columns."""
    return Columns(
        options.text_column, options.label_column, options.group_column, options.id_column
    )


def reading_of(options: DataOptions) -> Reading:
    """How files are read."""
    return Reading(options.encoding, int(options.unpacked_limit * GIB))


def sizes_of(options: DataOptions) -> dict[str, int]:
    """The sizes that a user wants, by the name of the split."""
    sizes = (options.n_train, options.n_train, options.n_validation, options.n_test)
    return {split: n for split, n in zip(SPLITS, sizes, strict=True) if n is not None}


def file_task(path: Path, options: DataOptions) -> FileTask:
    """The task in a file, in any form that `weak2strong.tasks.reading` reads.

    A file with columns for texts and labels is a classification. Without these it is a preference
    task if it has columns ``chosen`` and ``rejected``, and a generation if it has ``prompt`` and
    ``target`` or ``answer``. The file is read and checked now; ``load`` gives the examples from
    memory.

    Raises:
        UserError: for a file or a row that cannot be right, before anything is trained.
    """
    content = read_file(path)
    source = f"{path}, {version_of([content])}"
    name = PurePath(unpacked_name(path)).stem
    return data_task({str(path): content}, options, name, source, "the user's own")


def version_of(contents: Iterable[bytes]) -> str:
    """A digest of some files, which tells one version of them from another."""
    sha = hashlib.sha256()
    for content in contents:
        sha.update(content)
    return f"SHA-256 {sha.hexdigest()[:16]}"


def task_name(name: str) -> str:
    """A name without the characters that no file name may have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"


def question(kind: Kind, classes: Sequence[str], options: DataOptions) -> str:
    """The question of a task of the user's own, in one line for lists."""
    if kind == "preference":
        return "Which of two completions is preferred?"
    if kind == "generation":
        return "What follows the prompt?"
    return f"Which {options.label_column} is it: {listed(classes)}?"


def data_task(
    files: Mapping[str, bytes],
    options: DataOptions,
    name: str,
    source: str,
    licence: str,
    revision: str | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> FileTask:
    """The task in some files, which are read as one.

    Args:
        files: content by name; errors use the name, and its ending says how to read the content.
        options: columns, sizes and cleaning.
        name: of the task; characters that no file name may have are replaced.
        source: where the files come from.
        licence: of the data.
        revision: the commit of a dataset of the hub.
        names: of classes by column, where a card tells them.

    Raises:
        UserError: where something is wrong with the data.
    """
    rows, classes = read_rows(files, columns_of(options), reading_of(options), names)
    return cleaned_task(
        rows,
        classes,
        options,
        about=listed(tuple(files)),
        name=task_name(name),
        summary=question(rows[0].kind, classes, options),
        source=source,
        licence=licence,
        revision=revision,
    )


def cleaned_task(
    rows: Sequence[Row], classes: tuple[str, ...], options: DataOptions, about: str, **more: Any
) -> FileTask:
    """The task in some rows, cleaned and cut to size.

    Args:
        rows: in any order.
        classes: names of their classes, if they have any.
        options: sizes and cleaning.
        about: what errors call the data.
        **more: other attributes of the task.

    Raises:
        UserError: where too few examples remain, or too many belong together.
    """
    rows = even_sides(with_openings(rows))
    examples, shares, cleaning = clean(
        rows,
        classes,
        about,
        sizes=sizes_of(options),
        balance=options.balance,
        join=options.near_duplicates,
        shrink=options.shrink,
        begin=options.group_beginnings,
    )
    attributes = {
        "kind": rows[0].kind,
        "classes": classes,
        "load": lambda: examples,
        "shares": shares,
        "cleaning": cleaning,
        "rows": tuple(rows),
    }
    return FileTask(**attributes | more)
