"""What a model's name and settings resolve to: its weights, their commit, and adaptation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.store import folder_fingerprint
from weak2strong.models.folders import folder_of, is_tiny, rungs
from weak2strong.models.hub import commit
from weak2strong.models.quantisation import check_packages, quantised

LORA_ABOVE = 1_000_000_000
"""Parameters from which on adaptation ``auto`` takes LoRA."""


def resolve_model(spec: ModelSpec) -> ModelSpec:
    """The same model with its adaptation decided, and at a commit where it is of the hub.

    Raises:
        UserError: where there is no such model (see `fingerprint`), or its weights are of few
            bits and would all be trained, or nothing installed can read them.
    """
    if folder_of(spec) is None:
        spec = replace(spec, revision=fingerprint(spec).rpartition("@")[2])
    few_bits = quantised(spec)
    if spec.adaptation == "auto":
        # Counting takes PyTorch, which a command that only names a model does not need.
        from weak2strong.models.needs import count, skeleton

        parameters = 0 if few_bits or is_tiny(spec) else count(skeleton(spec))
        spec = replace(spec, adaptation=usual_adaptation(spec, parameters))
    if few_bits and spec.adaptation == "full":
        raise UserError(
            f"Model {spec.name!r} has quantised weights, which cannot be trained themselves: "
            "choose adaptation lora or head."
        )
    if few_bits:
        check_packages(spec, few_bits)
    return spec


def usual_adaptation(spec: ModelSpec, parameters: int) -> Literal["full", "lora"]:
    """What ``auto`` is for a model whose trunk has so many parameters."""
    return "lora" if parameters > LORA_ABOVE or quantised(spec) else "full"


def fingerprint(spec: ModelSpec) -> str:
    """What identifies the weights: a hash of the files, or the commit of a hub id.

    A wrong name is noticed here, before anything is trained.

    Raises:
        UserError: where the model is neither a rung, nor a folder, nor a hub id
            that can be fetched.
    """
    check_name(spec)
    folder = folder_of(spec)
    if folder is not None:
        return _folder_fingerprint(folder, _stamp(folder))
    return _hub_fingerprint(spec)


def check_name(spec: ModelSpec) -> None:
    """Refuse what is neither a rung, nor a folder with a model, nor can be a hub id.

    Raises:
        UserError: for such a name, and for a revision of what is local.
    """
    folder = folder_of(spec)
    if folder is not None:
        if spec.revision is not None:
            raise UserError(
                f"Model {spec.name} is local and has no revisions: leave @{spec.revision} out."
            )
        if not (folder / "config.json").exists():
            raise UserError(f"Model folder {folder} has no config.json.")
    elif "/" not in spec.name and spec.name.startswith("atlas"):
        raise unknown_name("model", spec.name, rungs())
    elif spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1:
        raise UserError(f"Model folder {spec.name} does not exist.")


@cache
def _folder_fingerprint(folder: Path, stamp: tuple) -> str:
    """Hashed anew only where sizes or times (the stamp) say that a file may have changed."""
    return folder_fingerprint(folder)


def _stamp(folder: Path) -> tuple:
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)


@cache
def _hub_fingerprint(spec: ModelSpec) -> str:
    """Name and commit of a hub id; the commit is looked up once a process."""
    return f"{spec.name}@{commit(spec)}"
