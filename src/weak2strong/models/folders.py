"""Where the files of a model are: of a rung of the embedded ladder, or of a local folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from weak2strong.config.model import ModelSpec

LADDER = Path(__file__).parents[1] / "embedded" / "ladder"

TINY_BYTES = 64 * 2**20
"""A model whose files are smaller is finetuned on one thread, several at a time."""


@cache
def rungs() -> tuple[str, ...]:
    """Names of the shipped rungs, the smallest first."""
    folders = [f.parent for f in LADDER.glob("*/config.json")]
    return tuple(f.name for f in sorted(folders, key=_weight_bytes))


def folder_of(spec: ModelSpec) -> Path | None:
    """Where the files of a rung or of a local folder are; None for a hub id."""
    if spec.name in rungs():
        return LADDER / spec.name
    path = Path(spec.name).expanduser()
    return path if path.is_dir() else None


def location_of(spec: ModelSpec) -> str:
    """What Transformers' ``from_pretrained`` is given."""
    return str(folder_of(spec) or spec.name)


def is_tiny(spec: ModelSpec) -> bool:
    """Whether one thread is the right number for a fit of this model."""
    folder = folder_of(spec)
    return folder is not None and _weight_bytes(folder) < TINY_BYTES


def _weight_bytes(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*.safetensors"))
