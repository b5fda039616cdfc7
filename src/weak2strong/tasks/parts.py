"""Tasks whose splits are given: one file for the supervisor, one for the student, one to test on.

What is in two files is kept in one of them only: in ``test`` before all, then in
``train_unlabel``. Two rows are the same here if they have a text (or nearly) or a
group in common, directly or through others. ``validation`` is taken out of
``train_unlabel``, by group, and is the same for every seed of the splits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import Cleaning, distinct, example_of, has_equal_completions
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.files import (
    FileTask,
    columns_of,
    question,
    read_file,
    sizes_of,
    task_name,
    version_of,
)
from weak2strong.tasks.kinds import stratum
from weak2strong.tasks.readers import READERS, ending, listed
from weak2strong.tasks.rows import read_rows
from weak2strong.tasks.sizes import draw
from weak2strong.tasks.splits import Stratum, balanced, normalised, union
from weak2strong.tasks.task import Example

NAMES = ("train_label.jsonl", "train_unlabel.jsonl", "test.jsonl")
"""The files of a folder that is such a task."""

SPLITS_OF_FILES: tuple[str, ...] = ("weak_train", "strong_train", "test")

VALIDATION = 0.1
"""Share of ``train_unlabel`` that becomes ``validation`` where no size is given."""


def three_files(reference: str) -> tuple[Path, ...] | None:
    """The files that a reference names, if it is such a task.

    That is a folder with `NAMES` in it, or three paths in that order, commas between
    them, whose endings say how to read them.

    Raises:
        UserError: for a folder that lacks one of the three.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        files = tuple(path / name for name in NAMES)
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
    named = len(files) == 3 and all(ending(f) in READERS for f in files)
    return files if named and not path.is_file() else None


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
    rows, classes = read_rows(contents, columns_of(options))
    whole: list[tuple[Example, int]] = []
    exact = contradictory = 0
    for place, file in enumerate(contents):
        mine = [row for row in rows if row.file == file and not has_equal_completions(row)]
        once, repeats, contradictions = distinct(mine)
        whole.extend((example_of(row), place) for row in once)
        exact, contradictory = exact + repeats, contradictory + contradictions
    texts = [e.item.content for e, _ in whole]
    families = near_duplicates(texts) if options.near_duplicates else []
    stays, parts = apart(whole, families, len(contents))
    even = [balanced(part) for part in parts] if options.balance and classes else parts
    splits = _sized(even, options, tuple(contents), stratum(rows[0].kind))
    kept = sum(map(len, splits.values()))
    near = [n for family in families if (n := sum(stays[i] for i in family)) > 1]
    examples = sorted((e for part in splits.values() for e in part), key=lambda e: e.item.id)
    return FileTask(
        name=task_name(files[-1].resolve().parent.name),
        kind=rows[0].kind,
        classes=classes,
        summary=question(rows[0].kind, classes, options),
        source=f"{listed(tuple(contents))}, {version_of(contents.values())}",
        licence="the user's own",
        load=lambda: examples,
        given={e.item.id: split for split, part in splits.items() for e in part},
        rows=tuple(rows),
        split_of=dict(zip(contents, SPLITS_OF_FILES, strict=True)),
        cleaning=Cleaning(
            read=len(rows),
            exact=exact,
            contradictory=contradictory,
            near=sum(near),
            largest=max(near, default=0),
            uneven=sum(map(len, parts)) - sum(map(len, even)),
            spare=sum(map(len, even)) - kept,
            kept=kept,
            across=len(whole) - sum(stays),
            alike=sum(map(has_equal_completions, rows)),
        ),
    )


def apart(
    whole: Sequence[tuple[Example, int]], families: Sequence[Sequence[int]], count: int
) -> tuple[list[bool], list[list[Example]]]:
    """Which of the examples stay, and those of each part, groups named so that they do not touch.

    What two parts have in common, by text or group, stays in the later one.

    Args:
        whole: examples, each with the position of its part.
        families: positions of examples whose texts are nearly the same.
        count: of the parts.
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
    name: dict[str, str] = {}
    for (e, place), text in zip(whole, texts, strict=True):
        last[root(text)] = max(last[root(text)], place)
        name[root(text)] = min(name.get(root(text), e.item.group), e.item.group)
    stays, parts = [], [[] for _ in range(count)]
    for (e, place), text in zip(whole, texts, strict=True):
        stays.append(place == last[root(text)])
        if stays[-1]:
            parts[place].append(replace(e, item=replace(e.item, group=name[root(text)])))
    return stays, parts


def _sized(
    parts: Sequence[Sequence[Example]], options: DataOptions, files: Sequence[str], of: Stratum
) -> dict[str, list[Example]]:
    """The four splits, of the sizes asked for, as far as there are any."""
    found: dict[str, list[Example]] = dict(zip(SPLITS_OF_FILES, map(list, parts), strict=True))
    strong = found["strong_train"]
    held = sizes_of(options).get("validation", round(VALIDATION * len(strong)))
    found["validation"] = draw(strong, held, of)
    taken = {e.item.id for e in found["validation"]}
    found["strong_train"] = [e for e in strong if e.item.id not in taken]
    for split, n in sizes_of(options).items():
        have = len(strong if split == "validation" else found[split])
        if have < n and not options.shrink:
            file = "strong_train" if split == "validation" else split
            raise UserError(
                f"{files[SPLITS_OF_FILES.index(file)]} has {have:,} examples for {split}, "
                f"and {n:,} are asked for: lower --n-train, --n-validation or --n-test, "
                "or add examples."
            )
        if split != "validation":
            found[split] = draw(found[split], n, of)
    return found
