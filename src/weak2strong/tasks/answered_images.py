"""Images for a trained model to answer: a folder, a list of paths, or one file; with labels or not.

What tells an image's class is the same as in a study: the folder that it lies in, or a column of a
list. Where neither tells a class of the model, there are answers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.account import as_malformed, check_malformed
from weak2strong.tasks.files import columns_of, reading_of
from weak2strong.tasks.image_files import ENDINGS
from weak2strong.tasks.image_index import keys_of
from weak2strong.tasks.images import images_below, list_of, path_column
from weak2strong.tasks.known_classes import known_labels
from weak2strong.tasks.opening import read_file
from weak2strong.tasks.readers import ID, row_name
from weak2strong.tasks.reading import read_table
from weak2strong.tasks.task import Item, stable_id
from weak2strong.tasks.texts import Texts
from weak2strong.tasks.values import name_of

Row = tuple[str, int | None, str | None]
"""The path of an image as a user knows it, the index of its class, and its id in a list."""


def read_images(path: Path, classes: Sequence[str], options: DataOptions) -> Texts:
    """The images at a path, in the order of a list, or of their names.

    Args:
        path: of a folder, of a list, or of an image.
        classes: of the model.
        options: columns of a list.

    Raises:
        UserError: where there are no images, or more than a few cannot be read.
    """
    file = list_of(path) if path.exists() else None
    if file is not None:
        rows, said = _listed(file, classes, options)
        folder = file.parent
    else:
        rows, said = _in_folder(path, classes)
        folder = path if path.is_dir() else path.parent
    found = keys_of(sorted({folder / name for name, _, _ in rows}))
    items, labels, paths, errors = list[Item](), list[int | None](), list[str](), list[UserError]()
    for name, label, id in rows:
        key, fault = found[folder / name]
        if key is None:
            errors.append(UserError(fault))
            continue
        id = id or stable_id(key, "")
        items.append(Item(id, id, key, file=str(folder / name)))
        labels.append(label)
        paths.append(name)
    check_malformed(errors, len(rows), options.strict_rows)
    left = [f"Left out {as_malformed(errors)}: {len(errors):,}."] if errors else []
    _check_ids(items)
    return Texts(tuple(items), tuple(labels), False, (*said, *left), tuple(paths))


def _listed(
    file: Path, classes: Sequence[str], options: DataOptions
) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of a list, and how it was read."""
    table = read_table(str(file), read_file(file), reading_of(options))
    columns = columns_of(options)
    paths, label = path_column(table), columns.label
    if columns.label_named and label not in table.columns:
        raise UserError(
            f"{file} has no column {label!r}: name the one of the labels with --label-column."
        )
    labels, said = (None,) * len(table.rows), ("There is no column of labels: answers only.",)
    if label in table.columns:
        labels, said = known_labels(table, label, classes)
    own = options.id_column or ID
    if options.id_column and own not in table.columns:
        raise UserError(f"{file} has no column {own!r}: name that of the ids with --id-column.")
    rows = list[Row]()
    for (number, values), of_row in zip(table.rows, labels, strict=True):
        where = row_name(table.name, number)
        if not isinstance(values.get(paths), str):
            raise UserError(f"{where} has no path in column {paths!r}: write the path of an image.")
        id = name_of(values[own], where, own) if values.get(own) is not None else None
        rows.append((values[paths], of_row, id))
    return rows, (f"{file}: {len(rows):,} images in column {paths!r}.", *said)


def _in_folder(path: Path, classes: Sequence[str]) -> tuple[list[Row], tuple[str, ...]]:
    """The images below a folder, or the one that a path is."""
    if path.is_file() and path.suffix.lower() in ENDINGS:
        return [(path.name, None, None)], ()
    files = images_below(path) if path.is_dir() else []
    if not files:
        raise UserError(
            f"There are no images at {path} ({', '.join(ENDINGS)}): name a folder of images, a "
            "list with a column path, or an image."
        )
    number = {name: i for i, name in enumerate(classes)}
    rows = list[Row]()
    for file in files:
        inside = file.relative_to(path)
        above = reversed(PurePath(inside).parts[:-1])
        rows.append((str(inside), next((number[n] for n in above if n in number), None), None))
    told = sum(label is not None for _, label, _ in rows)
    said = f"{path}: {len(rows):,} images, of which {told:,} lie in a folder named as a class."
    return rows, (said,)


def _check_ids(items: Sequence[Item]) -> None:
    """Refuse ids that a list gives to several images."""
    seen = dict[str, str]()
    for item in items:
        if seen.setdefault(item.id, item.text) != item.text:
            raise UserError(
                f"The id {item.id!r} is that of several images: give every image an id of its own."
            )
