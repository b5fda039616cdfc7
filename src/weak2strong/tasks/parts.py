"""Tasks whose splits are given: one file for the supervisor, one for the student, one for the test.

What stands in two files is kept in one of them only: in ``test`` first of all, then in
``train_unlabel``. Two rows count as the same if they have a group or a text in common, or nearly a
text, directly or through other rows. ``validation`` is taken out of ``train_unlabel`` by group, and
is the same for every seed of the splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from weak2strong.config.data import NONE, DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.ground.file_names import real_path, shown_name
from weak2strong.tasks.apart import clean_parts, given_splits
from weak2strong.tasks.belonging import belonging
from weak2strong.tasks.dealt import held_from
from weak2strong.tasks.files import (
    FileTask,
    columns_of,
    counted_too,
    question,
    reading_of,
    sizes_of,
    task_name,
    version_of,
)
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.opening import read_file, unpacked_name
from weak2strong.tasks.readers import listed
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.rows import read_rows
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.sizes import draw
from weak2strong.tasks.task import Example, Kind

NAMES = ("train_label.jsonl", "train_unlabel.jsonl", "test.jsonl")
"""The files of a folder that is such a task; they may have other endings that are read."""

SPLITS_OF_FILES: tuple[str, ...] = ("weak_train", "strong_train", "test")


def three_files(reference: str) -> tuple[Path, ...] | None:
    """The three files that a reference names; None if it names something else.

    A reference names three files if it is a folder that has `NAMES`, or three paths with commas
    between them, in that order, whose endings say how to read them.

    Raises:
        UserError: for a folder that lacks one of the three.
    """
    path = real_path(reference)
    if path.is_dir():
        files = tuple(_file_called(path, name) for name in NAMES)
        missing = [f.name for f in files if not f.is_file()]
        if len(missing) == len(files) or not any(f.is_file() for f in files[:2]):
            return None
        if missing:
            raise UserError(
                f"Folder {reference} has no {listed(missing)}: a task whose splits are given "
                f"takes {listed(NAMES)}."
            )
        return files
    files = tuple(real_path(part.strip()) for part in reference.split(","))
    named = len(files) == 3 and all(map(names_data, files))
    return files if named and not path.is_file() else None


def _file_called(folder: Path, name: str) -> Path:
    """The file of this name, or else the one with the same name and another ending that is read.

    Raises:
        UserError: where there are several such files.
    """
    if (folder / name).is_file():
        return folder / name
    stem = PurePath(name).stem
    found = [
        file
        for file in sorted(folder.glob(f"{stem}.*"))
        if PurePath(unpacked_name(file)).stem == stem and names_data(file) and file.is_file()
    ]
    if len(found) > 1:
        raise UserError(
            f"Folder {folder} has {listed([file.name for file in found])}, which are one part of "
            "a task: keep one of them."
        )
    return found[0] if found else folder / name


def parted_task(files: Sequence[Path], options: DataOptions) -> FileTask:
    """The task in three files: for the supervisor, for the student, to test on.

    All three have labels: those of the second are what the ceiling learns, and no
    student sees them.

    Raises:
        UserError: for a file or a row that cannot be right, or a size that a file has
            not enough examples for.
    """
    if options.split_column not in (None, NONE):
        raise UserError(
            f"{files[0]} and two other files are a split each: leave --split-column out, or name "
            "one file."
        )
    contents = {shown_name(str(path)): read_file(path) for path in files}
    if len(contents) < len(files):
        raise UserError(f"{files[0]} is named twice: name three files, for training and to test.")
    rows, classes, account = read_rows(
        contents, columns_of(options), reading_of(options), strict=options.strict_rows
    )
    rows = even_sides(belonging(rows, account))
    by_file = [[row for row in rows if row.file == file] for file in contents]
    parts, cleaning = clean_parts(by_file, tuple(contents), classes, options)
    splits = _sized(parts, options, tuple(contents), rows[0].kind)
    return FileTask(
        name=task_name(files[-1].resolve().parent.name),
        kind=rows[0].kind,
        classes=classes,
        summary=question(account, classes),
        source=f"{listed(tuple(contents))}, {version_of(contents.values())}",
        licence="the user's own",
        rows=tuple(rows),
        split_of=dict(zip(contents, SPLITS_OF_FILES, strict=True)),
        accounts=(account,),
        **given_splits(splits, counted_too(cleaning, account)),
    )


def _sized(
    parts: Sequence[Sequence[Example]],
    options: DataOptions,
    files: Sequence[str],
    kind: Kind,
) -> dict[str, list[Example]]:
    """The four splits, of the sizes that are asked for, where any are."""
    splits: dict[str, list[Example]] = dict(zip(SPLITS_OF_FILES, map(list, parts), strict=True))
    strong, sizes = splits["strong_train"], sizes_of(options)
    splits["strong_train"], splits["validation"] = held_from(strong, sizes, kind)
    for split, n in sizes.items():
        have = len(strong if split == "validation" else splits[split])
        if have < n and not options.shrink:
            file = "strong_train" if split == "validation" else split
            raise UserError(
                f"{files[SPLITS_OF_FILES.index(file)]} has {have:,} examples for {split}, "
                f"and {n:,} are asked for: lower --n-train, --n-validation or --n-test, "
                "or add examples."
            )
        if split != "validation":
            splits[split] = draw(splits[split], n, stratum(kind))
    return splits
