"""Tasks from a user's own files: read, checked, cleaned, and cut to size."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from weak2strong.config.data import NONE, DataOptions
from weak2strong.ground.file_names import shown_name
from weak2strong.tasks.account import Account
from weak2strong.tasks.belonging import belonging
from weak2strong.tasks.cleaning import Cleaning, clean
from weak2strong.tasks.columned import by_column
from weak2strong.tasks.opening import GIB, Reading, read_file, unpacked_name
from weak2strong.tasks.readers import Columns, listed
from weak2strong.tasks.rows import Row, read_rows
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.splits import SPLITS
from weak2strong.tasks.task import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class FileTask(Task):
    """A task made of a user's data.

    Attributes:
        cleaning: how many rows were kept and left out.
        revision: the commit of a dataset of the hub.
        accounts: what was done with the columns of the data, and of those that are tested on.
        rows: all rows of the data, before cleaning.
        split_of: the split of each file, where every file is one split.
        learners_given: whether a column of the data says who learns from which rows.
    """

    cleaning: Cleaning
    revision: str | None = None
    accounts: tuple[Account, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    split_of: Mapping[str, str] = field(default_factory=dict)
    learners_given: bool = False

    @property
    def tells_learners(self) -> bool:
        """Whether files or rows say who learns from them; test data alone do not."""
        return bool(self.split_of) or self.learners_given


def columns_of(options: DataOptions) -> Columns:
    """The names of the columns."""
    return Columns(
        text=options.text_column,
        label=options.label_column,
        group=None if options.group_column == NONE else options.group_column,
        id=options.id_column,
        prompt=options.prompt_column,
        chosen=options.chosen_column,
        rejected=options.rejected_column,
        preference=options.preference_column,
        target=options.target_column,
        template=options.template,
        annotators=options.weak_label_columns,
        find_group=options.group_column is None,
        split=None if options.split_column == NONE else options.split_column,
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
    shown = shown_name(str(path))
    source = f"{shown}, {version_of([content])}"
    name = PurePath(unpacked_name(path)).stem
    find_split = options.split_column is None
    content = {shown: content}
    return data_task(content, options, name, source, "the user's own", find_split=find_split)


def version_of(contents: Iterable[bytes]) -> str:
    """A digest of some files, which tells one version of them from another."""
    sha = hashlib.sha256()
    for content in contents:
        sha.update(content)
    return f"SHA-256 {sha.hexdigest()[:16]}"


def task_name(name: str) -> str:
    """A name without the characters that no file name may have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data"


def question(account: Account, classes: Sequence[str]) -> str:
    """The question of a task of the user's own, in one line for lists."""
    if account.kind == "preference":
        return "Which of two completions is preferred?"
    if account.kind == "generation":
        return "What follows the prompt?"
    label = account.read["class"][0]
    return f"Which {label} is it: {listed(classes)}?"


def data_task(
    files: Mapping[str, bytes],
    options: DataOptions,
    name: str,
    source: str,
    licence: str,
    revision: str | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
    find_split: bool = False,
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
        find_split: whether a column that is called ``split`` gives splits.

    Raises:
        UserError: where something is wrong with the data.
    """
    columns = replace(columns_of(options), find_split=find_split)
    rows, classes, account = read_rows(
        files, columns, reading_of(options), names, options.strict_rows
    )
    return cleaned_task(
        rows,
        classes,
        options,
        about=listed(tuple(files)),
        name=task_name(name),
        summary=question(account, classes),
        source=source,
        licence=licence,
        revision=revision,
        account=account,
    )


def counted_too(cleaning: Cleaning, account: Account | None) -> Cleaning:
    """The cleaning, with the rows that were left out when the data were read."""
    if account is None:
        return cleaning
    undecided = "as they do not prefer one completion"
    reason = undecided if account.kind == "preference" else "as they have no label"
    return replace(
        cleaning,
        read=account.rows,
        malformed=account.malformed,
        named=account.named,
        by_source={
            **({reason: account.unlabelled} if account.unlabelled else {}),
            **cleaning.by_source,
        },
    )


def cleaned_task(
    rows: Sequence[Row],
    classes: tuple[str, ...],
    options: DataOptions,
    about: str,
    account: Account | None = None,
    **more: Any,
) -> FileTask:
    """The task in some rows, cleaned and cut to size.

    Args:
        rows: in any order.
        classes: names of their classes, if they have any.
        options: sizes and cleaning.
        about: what errors call the data.
        account: what was done with columns and rows before; None where a source has its own.
        **more: other attributes of the task.

    Raises:
        UserError: where too few examples remain, or too many belong together.
    """
    rows = even_sides(belonging(rows, account))
    found = _given(rows, classes, account, options) or _drawn(rows, classes, about, options)
    attributes = {
        "kind": rows[0].kind,
        "classes": classes,
        "accounts": (account,) if account else (),
        "rows": tuple(rows),
        **found,
        "cleaning": counted_too(found["cleaning"], account),
    }
    return FileTask(**attributes | more)


def _given(
    rows: Sequence[Row], classes: tuple[str, ...], account: Account | None, options: DataOptions
) -> dict[str, Any]:
    """Examples with the splits that a column gives; nothing where there is no such column."""
    if account is None or "split" not in account.read:
        return {}
    return by_column(rows, classes, account, options, sizes_of(options))


def _drawn(
    rows: Sequence[Row], classes: tuple[str, ...], about: str, options: DataOptions
) -> dict[str, Any]:
    """Examples whose splits are drawn."""
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
    return {"load": lambda: examples, "shares": shares, "cleaning": cleaning}
