"""Which split of which subset a file of a dataset repository belongs to.

The card of the repository says it, or else the names of the files, as the hub has them:

- ``train-00000-of-00001.parquet``: the split stands before the numbers;
- ``train/0000.parquet``: the split is the folder of a file whose name is a number;
- ``dataset_dict.json`` with ``train/data-00000-of-00001.arrow``: as ``save_to_disk`` of
  ``datasets`` writes several splits; one split has no folder of its own;
- otherwise the split is a word in the name of the file or of a folder: ``train``,
  ``validation``, ``test`` or a usual synonym. A file without such a word belongs to ``train``.

The other parts of the path, without a folder ``data``, are the subset; a file without any belongs
to the subset "default".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from weak2strong.ground.errors import UserError
from weak2strong.tasks.card import Card
from weak2strong.tasks.opening import ending, unpacked_name
from weak2strong.tasks.readers import listed

FORMATS = (".parquet", ".arrow", ".feather", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
"""Endings of files that are read. Where a split has several of them, the first one is read."""

DEFAULT, ALL = "default", "all"
"""The subset of files that say none, and that of all files together."""

SYNONYMS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}

ABOUT = ("dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json")
"""Files of JSON that tell of data, and hold none."""

SAVED = "dataset_dict.json"
"""The file by which `save_to_disk` lists splits; each is a folder beside it."""

_NO_SPLITS = ("data", "dataset", "part", "shard", "chunk")
"""What stands before the numbers of files where it is no split."""

_SHARD = re.compile(r"(.+?)-\d{5}-of-(\d{5})(-[0-9a-f]+)?")


def choose(
    repo: str,
    names: Sequence[str],
    subset: str | None,
    split: str,
    card: Card | None = None,
    pooled: bool = False,
) -> tuple[str, list[str]]:
    """The subset, and the names of the files of its split.

    Args:
        repo: what errors call the repository.
        names: of all its files.
        subset: its name; None where there is only one, or one named "default".
        split: its name.
        card: of the repository, if it has one.
        pooled: whether all subsets are meant where none is named and there are several.

    Raises:
        UserError: where there is no such file, or where it is not clear which subset is meant.
    """
    data = [name for name in sorted(names) if _holds_data(name)]
    if not data:
        raise UserError(
            f"Dataset {repo} has no {', '.join(FORMATS)} file: "
            "convert it to one of these, and name that file with --task."
        )
    places = _places(names, data, subset, split, card)
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
    usual = card.usual if card and card.usual in having else DEFAULT
    if len(having) > 1 and usual not in having and pooled:
        places[ALL][split] = sorted(name for title in having for name in places[title][split])
        having = [ALL]
    if len(having) > 1 and usual not in having:
        raise UserError(
            f"Dataset {repo} has the subsets {listed(having)}: choose one with --subset."
        )
    chosen = usual if len(having) > 1 else having[0]
    files = places[chosen][split]
    best = next(e for e in FORMATS if any(ending(name) == e for name in files))
    files = [name for name in files if ending(name) == best]
    for name in files:
        # An interrupted download, where the cache is all there is.
        if (shard := _SHARD.fullmatch(_stem(name))) and int(shard[2]) > len(files):
            raise UserError(
                f"Dataset {repo} has only {len(files)} of the {int(shard[2])} files of split "
                f"{split!r} here: download it again."
            )
    return chosen, files


def _holds_data(name: str) -> bool:
    """Whether a file is read: not what tells of data, or what `datasets` keeps beside them."""
    title = PurePosixPath(name).name
    kept = title.startswith(("cache-", "indices")) and ending(name) == ".arrow"
    return ending(name) in FORMATS and title not in ABOUT and not kept


def _places(
    names: Sequence[str], data: Sequence[str], subset: str | None, split: str, card: Card | None
) -> dict[str, dict[str, list[str]]]:
    """Names of files by subset and split: as the card has it, if it has what is wanted."""
    if card is not None:
        told = card.files(data)
        having = [title for title in told if split in told[title] and subset in (None, title)]
        if having:
            return defaultdict(dict, told)
    saved = [PurePosixPath(n).parent for n in names if PurePosixPath(n).name == SAVED]
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in data:
        title, of = subset_and_split(name, saved)
        places[title][of].append(name)
    return places


def subset_and_split(name: str, saved: Collection[PurePosixPath] = ()) -> tuple[str, str]:
    """Subset and split of a file, by its path in the repository.

    Args:
        name: the path.
        saved: folders whose folders are a split each.
    """
    path = PurePosixPath(name)
    folders, stem = list(path.parts[:-1]), _stem(name)
    shard = _SHARD.fullmatch(stem)
    if shard and shard[1] in _NO_SPLITS:
        shard, stem = None, shard[1]
    if folders and path.parent.parent in saved:
        split, rest = folders.pop(), []
    elif shard:
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
        split, rest = "train", [] if stem in _NO_SPLITS else [stem]
    parts = [part for part in (*folders, *rest) if part not in ("", "data", split)]
    return "/".join(parts) or DEFAULT, split


def _stem(name: str) -> str:
    return PurePosixPath(unpacked_name(name)).stem


def _tokens(text: str) -> list[str]:
    return [token for token in re.split(r"[\W\d_]+", text) if token]


def _split_word(text: str) -> str | None:
    """The split that a name has a word for; None without such a word, or with words for several."""
    tokens = {token.lower() for token in _tokens(text)}
    splits = [split for split, words in SYNONYMS.items() if tokens.intersection(words)]
    return splits[0] if len(splits) == 1 else None


def _without(text: str, split: str) -> str:
    return "-".join(t for t in _tokens(text) if t.lower() not in SYNONYMS[split])
