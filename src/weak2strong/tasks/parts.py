"""Tasks whose splits are given: one file for the supervisor, one for the student, one for the test.

What stands in two files is kept in one of them only: in ``test`` first of all, then in
``train_unlabel``. Two rows count as the same if they have a group or a text in common, or nearly a
text, directly or through other rows. ``validation`` is taken out of ``train_unlabel`` by group, and
is the same for every seed of the splits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.beginnings import sharing
from weak2strong.tasks.belonging import belonging
from weak2strong.tasks.cleaning import (
    Cleaning,
    distinct,
    example_of,
    has_equal_completions,
    opened,
)
from weak2strong.tasks.duplicates import near_duplicates
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
from weak2strong.tasks.kinds import stratum, undersampled
from weak2strong.tasks.opening import read_file, unpacked_name
from weak2strong.tasks.readers import listed
from weak2strong.tasks.reading import names_data
from weak2strong.tasks.rows import Row, read_rows
from weak2strong.tasks.sides import even_sides
from weak2strong.tasks.sizes import draw
from weak2strong.tasks.splits import Stratum, balanced, normalised, union
from weak2strong.tasks.task import Example

NAMES = ("train_label.jsonl", "train_unlabel.jsonl", "test.jsonl")
"""The files of a folder that is such a task; they may have other endings that are read."""

SPLITS_OF_FILES: tuple[str, ...] = ("weak_train", "strong_train", "test")

VALIDATION = 0.1
"""Share of ``train_unlabel`` that becomes ``validation`` where no size is given."""


def three_files(reference: str) -> tuple[Path, ...] | None:
    """The three files that a reference names; None if it names something else.

    A reference names three files if it is a folder that has `NAMES`, or three paths with commas
    between them, in that order, whose endings say how to read them.

    Raises:
        UserError: for a folder that lacks one of the three.
    """
    path = Path(reference).expanduser()
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
    files = tuple(Path(part.strip()).expanduser() for part in reference.split(","))
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
    contents = {str(path): read_file(path) for path in files}
    if len(contents) < len(files):
        raise UserError(f"{files[0]} is named twice: name three files, for training and to test.")
    rows, classes, account = read_rows(
        contents, columns_of(options), reading_of(options), strict=options.strict_rows
    )
    rows = even_sides(belonging(rows, account))
    by_file = [[row for row in rows if row.file == file] for file in contents]
    parts, cleaning = clean_parts(by_file, tuple(contents), classes, options)
    splits = _sized(parts, options, tuple(contents), stratum(rows[0].kind))
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


def clean_parts(
    rows_of_parts: Sequence[Sequence[Row]],
    names: Sequence[str],
    classes: Sequence[str],
    options: DataOptions,
) -> tuple[list[list[Example]], Cleaning]:
    """The examples of several parts that have nothing in common, and what became of their rows.

    Args:
        rows_of_parts: rows of each part; what two parts have in common stays in the later one.
        names: of the parts, for errors.
        classes: names of the classes, if there are any.
        options: whether classes are made even, and near-duplicates looked for.

    Raises:
        UserError: where nothing of a part is left.
    """
    whole: list[tuple[Example, int]] = []
    kept: list[Row] = []
    exact = contradictory = 0
    for index, rows in enumerate(rows_of_parts):
        once, repeats, contradictions = distinct([r for r in rows if not has_equal_completions(r)])
        whole.extend((example_of(row), index) for row in once)
        kept += once
        exact, contradictory = exact + repeats, contradictory + contradictions
    texts = [e.item.content for e, _ in whole]
    families = near_duplicates(texts) if options.near_duplicates else []
    begun = sharing(texts) if options.group_beginnings else []
    stays, parts = apart(whole, [*families, *begun], len(rows_of_parts))
    for name, part in zip(names, parts, strict=True):
        if not part:
            raise UserError(
                f"Nothing of {name} is left to learn from or to test on, once what contradicts "
                "itself or stands in the other data, too, is left out: name other data."
            )
    conversations = opened([row for row, stay in zip(kept, stays, strict=True) if stay])
    balance = options.balance and undersampled(rows_of_parts[0][0].kind)
    even = [balanced(part) for part in parts] if balance else parts
    near, begun = (
        [n for same in sets if (n := sum(stays[i] for i in same)) > 1] for sets in (families, begun)
    )
    cleaning = Cleaning(
        read=sum(map(len, rows_of_parts)),
        exact=exact,
        contradictory=contradictory,
        near=sum(near),
        largest=max(near, default=0),
        uneven=sum(map(len, parts)) - sum(map(len, even)),
        spare=0,
        kept=sum(map(len, even)),
        across=len(whole) - sum(stays),
        alike=sum(has_equal_completions(row) for rows in rows_of_parts for row in rows),
        begun=sum(begun),
        opened=sum(conversations),
        conversations=len(conversations),
    )
    return even, cleaning


def given_splits(splits: Mapping[str, Sequence[Example]], cleaning: Cleaning) -> dict[str, Any]:
    """Attributes of a `FileTask` whose splits are given; examples in none of them are spare."""
    examples = sorted((e for part in splits.values() for e in part), key=lambda e: e.item.id)
    return {
        "load": lambda: examples,
        "given": {e.item.id: split for split, part in splits.items() for e in part},
        "cleaning": replace(cleaning, kept=len(examples), spare=cleaning.kept - len(examples)),
    }


def apart(
    whole: Sequence[tuple[Example, int]], families: Sequence[Sequence[int]], count: int
) -> tuple[list[bool], list[list[Example]]]:
    """Which of the examples stay, and the examples of each part.

    What two parts have in common, by text or group, stays in the later part. Examples that have
    something in common get the same group.

    Args:
        whole: examples, each with the index of its part.
        families: indices of examples whose texts are nearly the same.
        count: how many parts there are.
    """
    texts = [f"text {normalised(e.item.content)}" for e, _ in whole]
    links = [(f"group {e.item.group}", text) for (e, _), text in zip(whole, texts, strict=True)]
    links += [
        (text, f"text {normalised(read)}")
        for (e, _), text in zip(whole, texts, strict=True)
        for read in e.item.texts
    ]
    links += [(texts[family[0]], texts[i]) for family in families for i in family[1:]]
    root = union(links)
    last: dict[str, int] = defaultdict(int)
    group: dict[str, str] = {}
    for (e, index), text in zip(whole, texts, strict=True):
        last[root(text)] = max(last[root(text)], index)
        group[root(text)] = min(group.get(root(text), e.item.group), e.item.group)
    stays, parts = [], [[] for _ in range(count)]
    for (e, index), text in zip(whole, texts, strict=True):
        stays.append(index == last[root(text)])
        if stays[-1]:
            parts[index].append(replace(e, item=replace(e.item, group=group[root(text)])))
    return stays, parts


def _sized(
    parts: Sequence[Sequence[Example]],
    options: DataOptions,
    files: Sequence[str],
    stratum_of: Stratum,
) -> dict[str, list[Example]]:
    """The four splits, of the sizes that are asked for, where any are."""
    splits: dict[str, list[Example]] = dict(zip(SPLITS_OF_FILES, map(list, parts), strict=True))
    strong, sizes = splits["strong_train"], sizes_of(options)
    held = sizes.get("validation", round(VALIDATION * len(strong)))
    splits["validation"] = draw(strong, held, stratum_of)
    taken = {e.item.id for e in splits["validation"]}
    splits["strong_train"] = [e for e in strong if e.item.id not in taken]
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
            splits[split] = draw(splits[split], n, stratum_of)
    return splits
