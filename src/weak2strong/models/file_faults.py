"""What is wrong with the files of a model, found where something could not be read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import first_line
from weak2strong.models.beneath import beneath, tokenizer_location
from weak2strong.models.folders import folder_of
from weak2strong.models.hub import cached_file

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"

AGAIN = "fetch or save the model again"
"""What to do about a damaged file."""

Part = Literal["configuration", "weights", "tokenizer", "image processor"]
"""What of a model is read from files of its own."""

FILES: Mapping[Part, tuple[str, ...]] = {
    "configuration": (CONFIG,),
    "weights": (CONFIG, "generation_config.json", INDEX),
    "tokenizer": (
        CONFIG,
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
    ),
    "image processor": (CONFIG, "preprocessor_config.json", "processor_config.json"),
}
"""The files of settings, each a JSON object, that a part is read from where they are there."""

SENSELESS: Mapping[Part, str] = {
    "configuration": f"its {CONFIG} does not make sense",
    "weights": f"its {CONFIG} does not make sense, or its weights do not go with it",
    "tokenizer": "its tokenizer cannot be made from tokenizer.json and tokenizer_config.json",
    "image processor": "its image processor cannot be made from preprocessor_config.json",
}
"""What is said where each file alone is sound, and what they say is not."""


def fault_of(spec: ModelSpec, part: Part) -> str:
    """The first fault of the files of a part: a clause that names the file; empty for none."""
    folder = _folder(spec, part)
    if folder is None:
        return ""
    for name in FILES[part]:
        if fault := fault_of_settings(folder / name):
            return fault
    return fault_of_weights(folder) if part == "weights" else ""


def fault_of_settings(file: Path) -> str:
    """The fault of a file of settings; empty where it has none, or is not there."""
    if not file.exists():
        return ""
    if file.is_dir():
        return f"its {file.name} is a folder"
    try:
        read: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        return f"its {file.name} cannot be read as JSON ({first_line(e)})"
    return "" if isinstance(read, dict) else f"its {file.name} holds no JSON object"


def fault_of_weights(folder: Path) -> str:
    """The fault of the files of weights in a folder; empty for none."""
    try:
        names = weight_files(folder)
    except ValueError as e:
        return str(e)
    faults = (fault_of_safetensors(folder / name) for name in names)
    return next(filter(None, faults), "")


def weight_files(folder: Path) -> list[str]:
    """The names of the files of a model's weights; none where there are none in the folder.

    Raises:
        ValueError: where the index does not tell them, with a clause that says so.
    """
    if (folder / WEIGHTS).exists():
        return [WEIGHTS]
    if not (folder / INDEX).exists():
        return []
    return listed_files(folder / INDEX)


def listed_files(index: Path) -> list[str]:
    """The files that a list of weights names, which lie beside it.

    Raises:
        ValueError: where it does not tell them, with a clause that says so.
    """
    if fault := fault_of_settings(index):
        raise ValueError(fault)
    named = json.loads(index.read_text("utf-8")).get("weight_map")
    if not isinstance(named, dict) or not all(isinstance(n, str) for n in named.values()):
        raise ValueError(f"its {index.name} has no weight_map of weights and their files")
    outside = sorted(n for n in set(named.values()) if not n or Path(n).name != n)
    if outside:
        raise ValueError(f"its {index.name} names {outside[0]!r}, which is no file beside it")
    return sorted(set(named.values()))


def fault_of_safetensors(path: Path) -> str:
    """The fault of a file: missing, or not as long as its own list of weights says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt"):
            return ""
    except (OSError, SafetensorError) as e:
        return f"its file {path.name} is missing or cut off ({first_line(e)})"


def named_weights(spec: ModelSpec) -> str:
    """What the weights of a model are called in a message: by their file, or their index."""
    folder = _folder(spec, "weights")
    names = weight_files(folder) if folder else []
    return f"its {INDEX if len(names) > 1 else (names or [WEIGHTS])[0]}"


def file_of_weight(spec: ModelSpec, weight: str) -> str:
    """The file that holds a weight, by the end of the weight's name; empty where none is found."""
    from safetensors import safe_open

    folder = _folder(spec, "weights")
    for name in weight_files(folder) if folder else ():
        with safe_open(folder / name, "pt") as read:  # pyright: ignore[reportOptionalOperand]
            if any(_same(weight, key) for key in read.keys()):  # noqa: SIM118
                return name
    return ""


def _same(weight: str, key: str) -> bool:
    """Whether two names are of one weight, of which one may have a name of what is around it."""
    return weight == key or weight.endswith(f".{key}") or key.endswith(f".{weight}")


def _folder(spec: ModelSpec, part: Part) -> Path | None:
    """Where the files of a part are on this machine, if they are."""
    if part == "tokenizer":
        location = Path(tokenizer_location(spec)[0])
        if location.is_dir():
            return location
    below = beneath(spec)
    if folder := folder_of(below):
        return folder
    config = cached_file(below, CONFIG)
    return config.parent if config else None
