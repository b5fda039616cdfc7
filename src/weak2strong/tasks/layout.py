"""Which split of which subset a file of a dataset repository belongs to, by its name.

As the hub's own file names have it:

- ``train-00000-of-00001.parquet``: the split stands before the numbers;
- ``train/0000.parquet``: the split is the folder of a file whose name is a number;
- otherwise the split is a word in the name of the file or of a folder: ``train``,
  ``validation``, ``test`` or a usual synonym. A file without such a word belongs to ``train``.

The other parts of the path, without a folder ``data``, are the subset; a file without any belongs
to the subset "default".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from weak2strong.ground.errors import UserError
from weak2strong.tasks.opening import ending, unpacked_name
from weak2strong.tasks.readers import listed

FORMATS = (".parquet", ".jsonl", ".csv")
"""Endings of files that are read. Where a split has several of them, the first one is read."""

DEFAULT = "default"

SYNONYMS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}

_SHARD = re.compile(r"(.+?)-\d{5}-of-(\d{5})(-[0-9a-f]+)?")


def choose(
    repo: str, names: Sequence[str], subset: str | None, split: str
) -> tuple[str, list[str]]:
    """The subset, and the names of the files of its split.

    Args:
        repo: what errors call the repository.
        names: of all its files.
        subset: its name; None where there is only one, or one named "default".
        split: its name.

    Raises:
        UserError: where there is no such file, or where it is not clear which subset is meant.
    """
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in sorted(names):
        if ending(name) in FORMATS:
            title, of = subset_and_split(name)
            places[title][of].append(name)
    if not places:
        raise UserError(
            f"Dataset {repo} has no {', '.join(FORMATS)} file: "
            "convert it to one of these, and name that file with --task."
        )
    if subset is not None and subset not in places:
        raise UserError(
            f"Dataset {repo} has no subset {subset!r}; it has {listed(sorted(places))}: "
            "choose one with --subset."
        )
    among = [subset] if subset is not None else sorted(places)
    having = [title for title in among if split in places[title]]
    if not having:
        splits_there = sorted({of for title in among for of in places[title]})
        of = f", subset {subset}," if subset is not None else ""
        raise UserError(
            f"Dataset {repo}{of} has no split {split!r}; it has {listed(splits_there)}: "
            "choose one with --split."
        )
    if len(having) > 1 and DEFAULT not in having:
        raise UserError(
            f"Dataset {repo} has the subsets {listed(having)}: choose one with --subset."
        )
    chosen = DEFAULT if len(having) > 1 else having[0]
    files = places[chosen][split]
    best = next(e for e in FORMATS if any(ending(name) == e for name in files))
    files = [name for name in files if ending(name) == best]
    for name in files:
        # An interrupted download, where the cache is all there is.
        if (shard := _SHARD.fullmatch(PurePosixPath(name).stem)) and int(shard[2]) > len(files):
            raise UserError(
                f"Dataset {repo} has only {len(files)} of the {int(shard[2])} files of split "
                f"{split!r} here: download it again."
            )
    return chosen, files


def subset_and_split(name: str) -> tuple[str, str]:
    """Subset and split of a file, by its path in the repository."""
    path = PurePosixPath(name)
    folders, stem = list(path.parts[:-1]), PurePosixPath(unpacked_name(path)).stem
    if shard := _SHARD.fullmatch(stem):
        split, rest = shard[1], []
    elif stem.isdigit() and folders:
        # The hub calls a split so of which it has converted a part.
        split, rest = folders.pop().removeprefix("partial-"), []
    elif word := _split_word(stem):
        split, rest = word, [_without(stem, word)]
    elif word := next(filter(None, map(_split_word, reversed(folders))), None):
        split, rest = word, []
        folders = [f for f in folders if _split_word(f) != word]
    else:
        split, rest = "train", [stem]
    parts = [part for part in (*folders, *rest) if part not in ("", "data", split)]
    return "/".join(parts) or DEFAULT, split


def _tokens(text: str) -> list[str]:
    return [token for token in re.split(r"[\W\d_]+", text) if token]


def _split_word(text: str) -> str | None:
    """The split that a name has a word for; None without such a word, or with words for several."""
    tokens = {token.lower() for token in _tokens(text)}
    splits = [split for split, words in SYNONYMS.items() if tokens.intersection(words)]
    return splits[0] if len(splits) == 1 else None


def _without(text: str, split: str) -> str:
    return "-".join(t for t in _tokens(text) if t.lower() not in SYNONYMS[split])
