"""What the card of a dataset repository says in its header: its subsets, splits and classes.

The header of ``README.md`` is YAML: https://huggingface.co/docs/hub/datasets-manual-configuration
and https://huggingface.co/docs/datasets/repository_structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

NAME = "README.md"

DEFAULT = "default"

Files = dict[str, dict[str, list[str]]]
"""Names of files by subset and split."""


@dataclass(frozen=True)
class Card:
    """What a card says.

    Attributes:
        patterns: of files, by subset and split.
        usual: the subset that is meant where none is named; None if the card names none.
        classes: names of classes by subset and column.
    """

    patterns: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    usual: str | None = None
    classes: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def files(self, names: Sequence[str]) -> Files:
        """Those of some files that the card gives to a split of a subset."""
        found: Files = {}
        for subset, splits in self.patterns.items():
            for split, patterns in splits.items():
                signs = [re.compile(_expression(pattern)) for pattern in patterns]
                if files := [n for n in sorted(names) if any(s.fullmatch(n) for s in signs)]:
                    found.setdefault(subset, {})[split] = files
        return found


def read_card(text: str) -> Card:
    """The card in a text; an empty one where the text has no header that can be read."""
    import yaml

    header = re.match(r"---[ \t]*\r?\n(.*?)\n---", text.lstrip("\ufeff"), re.DOTALL)
    try:
        about = yaml.safe_load(header[1]) if header else {}
    except yaml.YAMLError:
        about = {}
    if not isinstance(about, Mapping):
        return Card()
    configs = [c for c in _list(about.get("configs")) if isinstance(c, Mapping)]
    patterns = {_name(config): _patterns(config) for config in configs}
    usual = next((_name(config) for config in configs if config.get("default") is True), None)
    infos = [info for info in _list(about.get("dataset_info")) if isinstance(info, Mapping)]
    classes = {_name(info): dict(_classes(info.get("features"))) for info in infos}
    return Card({s: found for s, found in patterns.items() if found}, usual, classes)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _name(about: Mapping[str, Any]) -> str:
    return str(about.get("config_name", DEFAULT))


def _patterns(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Patterns of files by split; files without a split are those of ``train``."""
    folder, found = PurePosixPath(str(config.get("data_dir", "."))), {}
    data = config.get("data_files")
    if isinstance(data, Mapping):
        data = [{"split": split, "path": path} for split, path in data.items()]
    for entry in _list(data):
        split, paths = "train", entry
        if isinstance(entry, Mapping):
            split, paths = str(entry.get("split", "train")), entry.get("path")
        found.setdefault(split, []).extend(str(folder / str(path)) for path in _list(paths))
    return found


def _expression(pattern: str) -> str:
    """A pattern as a regular expression; only ``**`` goes into folders."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]/]+\])", pattern)
    return "".join(
        signs.get(part) or (part if part.startswith("[") and i % 2 else re.escape(part))
        for i, part in enumerate(parts)
    )


def _classes(features: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The columns whose values are classes, with the names of these."""
    for feature in _list(features):
        kind = feature.get("dtype") if isinstance(feature, Mapping) else None
        label = kind.get("class_label") if isinstance(kind, Mapping) else None
        names = label.get("names") if isinstance(label, Mapping) else None
        if isinstance(names, Mapping):
            # By the number of the class, which YAML has as text or as a number.
            names = [names[key] for key in sorted(names, key=lambda key: int(key))]
        if isinstance(names, list):
            yield str(feature.get("name")), tuple(map(str, names))
