"""Where the files of a model are: of a rung of the embedded ladder, or of a local folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.given import is_given

EMBEDDED = Path(__file__).parents[1] / "embedded"
LADDER = EMBEDDED / "ladder"
DIGITS = EMBEDDED / "digits"
"""Where the models lie that are shipped: the ladder's rungs, and networks that read digits."""

ADAPTER_CONFIG, ADAPTERS = "adapter_config.json", "adapter_model.safetensors"
"""Files of a folder of PEFT."""

KEPT_ABOUT, KEPT_HEAD = "weak2strong.json", "head.safetensors"
"""Files of a model that a study kept: what it says of itself, and its head."""

Holds = Literal["full", "lora", "head"]
"""What the folder of a kept model holds: all weights, adapters, or a head alone."""

WHOLE = "model*.safetensors"
"""Files of weights that need no model beneath."""

TINY_BYTES = 64 * 2**20
"""A model whose files are smaller is finetuned on one thread, several at a time."""


@cache
def rungs() -> tuple[str, ...]:
    """Names of the shipped rungs, the smallest first."""
    folders = [f.parent for f in LADDER.glob("*/config.json")]
    return tuple(f.name for f in sorted(folders, key=weight_bytes))


@cache
def networks() -> tuple[str, ...]:
    """Names of the shipped networks that read digits."""
    return tuple(sorted(f.parent.name for f in DIGITS.glob("*/config.json")))


def shipped() -> tuple[str, ...]:
    """Names of all models that are shipped: the rungs first."""
    return (*rungs(), *networks())


def folder_of(spec: ModelSpec) -> Path | None:
    """Where the files of a shipped model or of a local folder are; None for a hub id."""
    if spec.name in rungs():
        return LADDER / spec.name
    if spec.name in networks():
        return DIGITS / spec.name
    path = Path(spec.name).expanduser()
    return path if path.is_dir() else None


def location_of(spec: ModelSpec) -> str:
    """What Transformers' ``from_pretrained`` is given."""
    return str(folder_of(spec) or spec.name)


def base_of(spec: ModelSpec) -> ModelSpec | None:
    """The model that the adapters, or the head, in a folder stand on; None for a whole model.

    Raises:
        UserError: where the folder does not say it.
    """
    folder = folder_of(spec)
    if folder is None or any(folder.glob(WHOLE)):
        return None
    about, adapters = folder / KEPT_ABOUT, folder / ADAPTER_CONFIG
    file = about if about.is_file() else adapters
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        if file is about:
            name, revision = said["base"]["name"], said["base"]["revision"]
        else:
            name, revision = said["base_model_name_or_path"], said.get("revision")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as e:
        raise UserError(
            f"{file} does not tell which model {folder} stands on, or cannot be read: "
            "take the folder from where it was made once more."
        ) from e
    if not isinstance(name, str) or not name:
        raise UserError(
            f"{file} does not tell which model the adapters stand on: write it there as "
            "base_model_name_or_path."
        )
    return replace(spec, name=name, revision=revision)


def held(about: Mapping[str, Any]) -> Holds:
    """What a folder holds; the first ones that were written do not say it."""
    return about.get("holds", about["model"]["adaptation"])


def stack_of(spec: ModelSpec) -> tuple[ModelSpec, tuple[Path, ...]]:
    """The whole model beneath, and the folders that stand on it, the lowest first.

    Raises:
        UserError: where a folder does not say what it stands on, or stands on itself.
    """
    folders = list[Path]()
    while base := base_of(spec):
        folder = folder_of(spec)
        assert folder is not None
        if folder.resolve() in folders:
            raise UserError(f"The adapters in {folder} stand on themselves: name another model.")
        folders.append(folder.resolve())
        spec = base
    return spec, tuple(reversed(folders))


def is_tiny(spec: ModelSpec) -> bool:
    """Whether one thread is the right number for a fit of this model."""
    if is_given(spec):
        return True
    folder = folder_of(stack_of(spec)[0])
    return folder is not None and weight_bytes(folder) < TINY_BYTES


def weight_bytes(folder: Path) -> int:
    """Bytes of the weights in a folder; of pickles where there are no others."""
    sizes = [f.stat().st_size for f in folder.glob("*.safetensors")]
    return sum(sizes or (f.stat().st_size for f in folder.glob("pytorch_model*.bin")))
