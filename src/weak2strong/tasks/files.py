"""Tasks from a user's own files: read, checked, cleaned, and cut to size."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.options import PuzzleOptions
from weak2strong.tasks.cleaning import Cleaning, clean
from weak2strong.tasks.readers import LABEL, TEXT, Columns, listed
from weak2strong.tasks.rows import Row, read_rows
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.task import Kind, Task

_NUMBER, _TRUTH = (int, "a whole number"), (bool, "true or false")

_KINDS = {
    **dict.fromkeys(("n_train", "n_validation", "n_test"), _NUMBER),
    **dict.fromkeys(("balance", "near_duplicates", "shrink"), _TRUTH),
    "puzzles": (PuzzleOptions, "a mapping"),
}
"""Options that are no text: of which type, in words too."""


@dataclass(frozen=True)
class DataOptions:
    """Where a user's data have what, and how they are made into a task."""

    text_column: str = TEXT
    """The column with what the model reads."""
    label_column: str = LABEL
    """The column with the class: names, whole numbers from 0, or true and false."""
    group_column: str | None = None
    """A column whose equal entries stay in one split, such as a question or an author."""
    id_column: str | None = None
    """A column with an id of every row's own; by default ids are made from the texts."""
    n_train: int | None = None
    """Examples of weak_train and of strong_train, each; even classes round it down."""
    n_validation: int | None = None
    """Examples of validation, likewise."""
    n_test: int | None = None
    """Examples of test, likewise."""
    shrink: bool = False
    """Where there are too few examples for these sizes, make all of them smaller alike."""
    balance: bool = True
    """Take as many examples of every class as the rarest one has."""
    near_duplicates: bool = True
    """Keep texts that are nearly the same in one split, by putting them into one group."""
    subset: str | None = None
    """Which part of a dataset repository to read, where it has several."""
    split: str = "train"
    """Which of a dataset repository's own splits to read; ours are all made of it."""
    test_on: str | None = None
    """What to test on in place of a part of the task: a file or a dataset of the same kind."""
    puzzles: PuzzleOptions = field(default_factory=PuzzleOptions)
    """Which chess puzzles to take of a file, and how to tell and to answer them."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value, (kind, what) = getattr(self, f.name), _KINDS.get(f.name, (str, "text"))
            if not isinstance(value, kind) and (value is not None or f.default is not None):
                raise UserError(f"Data: {f.name} must be {what}, not {value!r}.")
        for flag, n in (
            ("--n-train", self.n_train),
            ("--n-validation", self.n_validation),
            ("--n-test", self.n_test),
        ):
            if n is not None and n < 1:
                raise UserError(f"{flag} must be at least 1, not {n}.")
        if self.text_column == self.label_column:
            raise UserError(
                f"Text and label cannot both be in column {self.text_column!r}: "
                "name two with --text-column and --label-column."
            )

    @property
    def columns(self) -> Columns:
        """The names of the columns."""
        return Columns(self.text_column, self.label_column, self.group_column, self.id_column)

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes asked for, by the name of the split."""
        asked = (self.n_train, self.n_train, self.n_validation, self.n_test)
        return {split: n for split, n in zip(SPLITS, asked, strict=True) if n is not None}


@dataclass(frozen=True, kw_only=True, eq=False)
class FileTask(Task):
    """A task made of a user's data.

    Attributes:
        cleaning: what became of the rows.
        revision: the commit of a dataset of the hub.
        rows: as they stand in the files, before cleaning.
        split_of: the split that each file is for, where files are splits.
    """

    cleaning: Cleaning
    revision: str | None = None
    rows: tuple[Row, ...] = field(default=(), repr=False)
    split_of: Mapping[str, str] = field(default_factory=dict)


def file_task(path: Path, options: DataOptions) -> FileTask:
    """The task in a ``.jsonl``, ``.csv`` or ``.parquet`` file.

    It is a preference task where the file has columns ``chosen`` and ``rejected``, a
    generation where it has ``prompt`` and ``target`` or ``answer``, and none for texts and
    labels. The file is read and checked now; ``load`` gives the examples from memory.

    Raises:
        UserError: for a file or a row that cannot be right, before anything is trained.
    """
    content = read_file(path)
    source = f"{path}, {version_of([content])}"
    return data_task({str(path): content}, options, path.stem, source, "the user's own")


def read_file(path: Path) -> bytes:
    """The content of a user's file.

    Raises:
        UserError: where it cannot be read.
    """
    try:
        return path.expanduser().read_bytes()
    except OSError as e:
        raise UserError(f"Data file {path} cannot be read ({e.strerror}): check the path.") from e


def version_of(contents: Iterable[bytes]) -> str:
    """What tells one version of some files from another, for a task's source."""
    sha = hashlib.sha256()
    for content in contents:
        sha.update(content)
    return f"SHA-256 {sha.hexdigest()[:16]}"


def task_name(name: str) -> str:
    """A name without the signs that no file name may have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"


def question(kind: Kind, classes: Sequence[str], options: DataOptions) -> str:
    """What a task of the user's own asks, in one line for lists."""
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
) -> FileTask:
    """The task in the contents of some files, which are read as one.

    Args:
        files: content by name, as in errors; the ending says how to read it.
        options: columns, sizes and cleaning.
        name: what the task is called, once signs that no file name may have are gone.
        source: where the files come from.
        licence: of the data.
        revision: the commit of a dataset of the hub.

    Raises:
        UserError: for whatever is wrong with the data.
    """
    rows, classes = read_rows(files, options.columns)
    examples, shares, cleaning = clean(
        rows,
        classes,
        about=listed(tuple(files)),
        sizes=options.sizes,
        balance=options.balance,
        join=options.near_duplicates,
        shrink=options.shrink,
    )
    return FileTask(
        name=task_name(name),
        kind=rows[0].kind,
        classes=classes,
        summary=question(rows[0].kind, classes, options),
        source=source,
        licence=licence,
        load=lambda: examples,
        shares=shares,
        cleaning=cleaning,
        revision=revision,
        rows=tuple(rows),
    )
