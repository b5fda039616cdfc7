"""Tasks whose items are images: a folder with one folder for each class, or a list with labels.

A list is a file of rows, such as ``labels.csv``, with a column of paths, which begin where the list
lies, and a column of labels. Two images are the same where their files have the same bytes; that
they look alike is not looked for.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.account import NAMED, Account, check_malformed, parted
from weak2strong.tasks.files import FileTask, cleaned_task, columns_of, reading_of, task_name
from weak2strong.tasks.image_files import ENDINGS
from weak2strong.tasks.image_index import keys_of
from weak2strong.tasks.inputs import SORTS, check_options
from weak2strong.tasks.opening import read_file, unpacked_name
from weak2strong.tasks.readers import listed
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.row import Row
from weak2strong.tasks.rows import rows_of_tables
from weak2strong.tasks.tables import Table, kinds_of
from weak2strong.tasks.task import Example, stable_id

LISTS = ("labels.csv", "metadata.csv", "labels.tsv", "labels.jsonl", "metadata.jsonl")
"""Files of a folder of images that tell their labels."""

PATHS = ("path", "file", "file_name", "filename", "image", "image_path", "image_file")
"""What a column of paths is called."""

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
"""Folders that are parts of a dataset and no classes."""

HEEDED = ("n_train", "n_validation", "n_test", "shrink", "balance", "strict_rows", "split")
"""Options that a folder of images heeds; the others are about texts or columns."""

OF_LISTS = (
    *("label_column", "group_column", "split_column", "id_column"),
    *("weak_label_columns", "weak_label_rule", "encoding", "unpacked_limit"),
)
"""Those that a list of images heeds, too."""

HEAD = 2**16
"""Bytes of a list in which the name of an image is looked for."""


def images_below(folder: Path) -> list[Path]:
    """The images below a folder, sorted, without hidden ones."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in names
            if PurePath(name).suffix.lower() in ENDINGS and not name.startswith(".")
        ]
    return sorted(found)


def list_of(path: Path) -> Path | None:
    """The list of images that a path is, or that the folder at it holds; None if there is none."""
    if path.is_dir():
        files = [path / name for name in LISTS if (path / name).is_file()]
        return next((file for file in files if names_images(file)), None)
    return path if path.is_file() and names_images(path) else None


def names_images(file: Path) -> bool:
    """Whether a file of rows is a list of images, by its first rows."""
    if file.suffix.lower() not in (".csv", ".tsv", ".jsonl"):
        return False
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    first = head.partition(b"\n")[0].decode("utf-8", "replace").lower()
    named = any(name in re.split(r"[^\w]+", first) for name in PATHS)
    ends = "|".join(re.escape(end) for end in ENDINGS)
    return named and bool(re.search(ends.encode(), head.lower()))


def is_image_folder(path: Path) -> bool:
    """Whether a folder is a task of images: it has a list of them, or images in its folders."""
    if list_of(path) is not None:
        return True
    for place, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if any(PurePath(name).suffix.lower() in ENDINGS for name in names):
            return Path(place) != path or not folders
    return False


def image_task(path: Path, options: DataOptions) -> FileTask:
    """The task in a folder of images, or in a list of them.

    Args:
        path: of the folder, or of the list.
        options: sizes, columns of a list, and, where the folder has parts such as ``train`` and
            ``val``, which part.

    Raises:
        UserError: where there are no images, a class has none, or more than a few cannot be read.
    """
    file = list_of(path)
    heeded = (*HEEDED, *OF_LISTS) if file else HEEDED
    check_options(path, options, heeded, SORTS["images"])
    table, folder = _listed(file, options) if file else _by_folder(path, options)
    columns = replace(
        columns_of(options), text=path_column(table), find_split=options.split_column is None
    )
    rows, classes, account = rows_of_tables([table], columns, options.strict_rows)
    rows, account, files = _read(rows, folder, account, options.strict_rows)
    name = PurePath(unpacked_name(path)).stem if path.is_file() else path.resolve().name
    part = options.split if file is None and options.split in _parts(path) else ""
    task = cleaned_task(
        rows,
        classes,
        replace(options, near_duplicates=False, group_beginnings=False),
        about=str(path),
        name=task_name("-".join([name, *([part] if part not in ("", "train") else [])])),
        summary=f"Which class is it: {listed(classes)}?",
        source=f"{path}, {len(files):,} images, SHA-256 {_version(files)}",
        licence="the user's own",
        account=account,
        inputs="images",
    )
    examples = tuple(_with_file(example, files) for example in task.load())
    return replace(task, load=lambda: examples)


def _with_file(example: Example, files: Mapping[str, Path]) -> Example:
    """An example that says where its image lies."""
    return replace(example, item=replace(example.item, file=str(files[example.item.text])))


def _version(files: Mapping[str, Path]) -> str:
    return stable_id(*sorted(files))


def _listed(file: Path, options: DataOptions) -> tuple[Table, Path]:
    """The table of a list, and where its paths begin."""
    return read_table(str(file), read_file(file), reading_of(options)), file.parent


def path_column(table: Table) -> str:
    """The column of paths."""
    return next(name for name in table.columns if name.lower() in PATHS)


def _parts(folder: Path) -> tuple[str, ...]:
    """The parts of a dataset, where all folders in a folder are that; else nothing."""
    if not folder.is_dir():
        return ()
    inner = [p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return tuple(sorted(inner)) if inner and all(n.lower() in SPLITS for n in inner) else ()


def _by_folder(path: Path, options: DataOptions) -> tuple[Table, Path]:
    """The same table of a folder in which each class has a folder."""
    parts = _parts(path)
    if parts:
        if options.split not in parts:
            raise UserError(
                f"Folder {path} has {listed(parts)}, and no {options.split}: choose one of them "
                f"with --split, such as --split {parts[0]}."
            )
        path = path / options.split
    _check_classes(path)
    rows = [
        (number, {"path": str(file.relative_to(path)), "label": file.relative_to(path).parts[0]})
        for number, file in enumerate(images_below(path), start=1)
        if file.parent != path
    ]
    return Table(str(path), kinds_of(("path", "label"), rows), rows, form="images"), path


def _check_classes(folder: Path) -> None:
    """Refuse a folder without classes, and a class without images.

    Raises:
        UserError: for such a folder.
    """
    inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(inner) < 2:
        raise UserError(
            f"Folder {folder} has images and {len(inner)} folders in it: put the images of each "
            f"class into a folder of its own, or write {LISTS[0]} with the columns path and label."
        )
    counts = Counter(file.relative_to(folder).parts[0] for file in images_below(folder))
    if empty := [place.name for place in inner if not counts[place.name]]:
        raise UserError(
            f"Class {empty[0]} of {folder} has no images ({', '.join(ENDINGS)}): add some, or take "
            "the folder out."
        )


def _read(
    rows: Sequence[Row], folder: Path, account: Account, strict: bool
) -> tuple[list[Row], Account, dict[str, Path]]:
    """The rows with keys of images in place of paths, without those that cannot be read.

    Returns:
        The rows; the account of these, too; and where the image of each key lies.
    """
    paths = [folder / row.text for row in rows]
    found = keys_of(sorted({*paths}))
    files, kept, errors = dict[str, Path](), list[Row](), list[UserError]()
    for row, path in zip(rows, paths, strict=True):
        key, fault = found[path]
        if key is None:
            errors.append(
                UserError(f"{row.location}: {fault}" if row.file.endswith(LISTS) else fault)
            )
            continue
        files[key] = min(files.get(key, path), path)
        kept.append(replace(row, text=key))
    check_malformed(errors, account.rows, strict)
    more = tuple(parted(e)[0] for e in errors)
    account = replace(
        account,
        malformed=account.malformed + len(errors),
        named=(*account.named, *more)[:NAMED],
        read={"image" if role == "text" else role: of for role, of in account.read.items()},
        what="images with classes",
    )
    return kept, account, files


def names_images_at(path: Path) -> bool:
    """Whether there are images at a path (see `image_task`)."""
    return is_image_folder(path) if path.is_dir() else list_of(path) is not None


def stamped_files(path: Path) -> list[Path]:
    """The files by whose size and time a change is noticed: of a list it alone."""
    return images_below(path) if path.is_dir() else [path]
