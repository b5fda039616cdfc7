"""What a model's name and settings resolve to: its weights, their commit, and adaptation."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.store import digest, file_fingerprint, folder_fingerprint
from weak2strong.models.beneath import adapters_of
from weak2strong.models.folders import (
    ADAPTER_CONFIG,
    ADAPTERS,
    KEPT_ABOUT,
    KEPT_HEAD,
    Holds,
    base_of,
    folder_of,
    is_tiny,
    shipped,
    stack_of,
)
from weak2strong.models.given import is_given
from weak2strong.models.hub import commit_once
from weak2strong.models.image_types import is_weights_file
from weak2strong.models.quantisation import check_one_gpu, check_packages, quantised

LORA_ABOVE = 1_000_000_000
"""Parameters from which on adaptation ``auto`` takes LoRA."""


def resolve_model(spec: ModelSpec) -> ModelSpec:
    """The same model with its adaptation decided, and at a commit where it is of the hub.

    Raises:
        UserError: where there is no such model (see `fingerprint`), its weights are of few bits
            and would all be trained, nothing installed can read them, or it cannot compute in the
            precision asked for.
    """
    if is_given(spec):
        return _with_head(spec)
    if base_of(spec):
        # Says what is wrong with the model beneath, before anything of it is looked for.
        fingerprint(spec)
    if folder_of(spec) is None and not is_weights_file(spec):
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
    if few_bits and adapters_of(spec):
        raise UserError(
            f"Model {spec.name!r} has adapters, which cannot be put into weights of few bits: "
            "choose another precision, or a model beneath that has none."
        )
    if few_bits:
        check_packages(spec, few_bits)
        check_one_gpu(spec)
    if "bfloat16" in (spec.precision, spec.trained_weights):
        # Trying that takes PyTorch.
        from weak2strong.models.precision import check_precision

        check_precision(spec)
    return spec


def _with_head(spec: ModelSpec) -> ModelSpec:
    """A file of what a model gives, with a head as all that can be trained.

    Raises:
        UserError: where there is no such file, or settings ask for more.
    """
    check_name(spec)
    for setting, value, only in (
        ("adaptation", spec.adaptation, ("auto", "head", "knn")),
        ("head_start", spec.head_start, ("random", "zero")),
        ("precision", spec.precision, ("auto", "float32")),
        ("pooling", spec.pooling, ("auto",)),
        ("gpus_per_fit", spec.gpus_per_fit, ("auto", 1)),
    ):
        if value not in only:
            raise UserError(
                f"Model {spec.name} is a file of features, on which a head alone is trained, in "
                f"float32: leave {setting} {value} out."
            )
    return replace(spec, adaptation="head") if spec.is_trained else spec


def usual_adaptation(spec: ModelSpec, parameters: int) -> Literal["full", "lora"]:
    """What ``auto`` is for a model whose trunk has so many parameters."""
    return "lora" if parameters > LORA_ABOVE or quantised(spec) else "full"


def holds_of(spec: ModelSpec) -> Holds:
    """What the folder of a trained model holds: its adaptation says it, but that a model which
    stands on adapters already is written whole, so that no chain of folders is needed to read it.

    Args:
        spec: with its adaptation decided.
    """
    decided = resolve_model(spec).adaptation
    assert decided != "auto", "it is decided"
    assert decided != "knn", "of what is not trained no folder is made"
    return "full" if adapters_of(spec) else decided


def fingerprint(spec: ModelSpec) -> str:
    """What identifies the weights: a hash of the files, or the commit of a hub id.

    A wrong name is noticed here, before anything is trained.

    Raises:
        UserError: where the model is neither a rung, nor a folder, nor a hub id
            that can be fetched.
    """
    check_name(spec)
    if is_given(spec):
        from weak2strong.models.vectors import fingerprint_of

        return fingerprint_of(spec)
    if is_weights_file(spec):
        path = Path(spec.name).expanduser()
        return _file_fingerprint(path, (path.stat().st_size, path.stat().st_mtime_ns))
    if base := base_of(spec):
        return _adapted_fingerprint(spec, base)
    folder = folder_of(spec)
    if folder is not None:
        return _folder_fingerprint(folder, _stamp(folder))
    return f"{spec.name}@{commit_once(spec)}"


def check_name(spec: ModelSpec) -> None:
    """Refuse what is neither a rung, nor a folder with a model, nor can be a hub id.

    Raises:
        UserError: for such a name, and for a revision of what is local.
    """
    folder = folder_of(spec)
    if is_given(spec):
        if not Path(spec.name).expanduser().is_file():
            raise UserError(f"There is no file of features {spec.name}: check the path.")
    elif is_weights_file(spec):
        if not Path(spec.name).expanduser().is_file():
            raise UserError(f"There is no file of weights {spec.name}: check the path.")
    elif folder is not None:
        if spec.revision is not None:
            raise UserError(
                f"Model {spec.name} is local and has no revisions: leave @{spec.revision} out."
            )
        if not base_of(spec) and not (folder / "config.json").exists():
            raise UserError(
                f"Model folder {folder} has no config.json, nor the {ADAPTER_CONFIG} of adapters: "
                "name a folder with one of them."
            )
    elif Path(spec.name).expanduser().is_file():
        raise UserError(
            f"Model {spec.name} is a file that holds no model: name a folder with config.json, or "
            "a model of the hub as owner/name."
        )
    elif "/" not in spec.name and spec.name.startswith(("atlas", "digits")):
        raise unknown_name("model", spec.name, shipped())
    elif spec.name.startswith((".", "/", "~")) or spec.name.count("/") > 1:
        raise UserError(f"Model folder {spec.name} does not exist.")


def _adapted_fingerprint(spec: ModelSpec, base: ModelSpec) -> str:
    """A hash of the adapters in a folder and of the model beneath, wherever that lies; where a head
    alone is in the folder, which no later study uses, that of the model beneath.

    Raises:
        UserError: where the model beneath is not here, or is not the one that was trained.
    """
    folder = folder_of(spec)
    assert folder is not None
    stack_of(spec)
    try:
        below = fingerprint(base)
    except UserError as e:
        raise UserError(
            f"Model {folder} stands on the model {base.name}, which is not to be had: {e}"
        ) from e
    about = folder / KEPT_ABOUT
    if about.is_file() and json.loads(about.read_text("utf-8"))["base"]["fingerprint"] != below:
        raise UserError(
            f"The model {base.name}, on which {folder} stands, has other weights than it had when "
            "that was trained: put the same model there again."
        )
    if not (folder / ADAPTER_CONFIG).is_file():
        return below
    if not (folder / ADAPTERS).is_file():
        raise UserError(
            f"Model folder {folder} has {ADAPTER_CONFIG} and no {ADAPTERS}, the only form of "
            "adapters that is read here: load them with PEFT and save them once more."
        )
    config = json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
    for name in ("base_model_name_or_path", "revision"):
        config.pop(name, None)
    files = _adapter_files(folder, _stamp(folder))
    return digest({"beneath": below, "config": config, "files": files})


@cache
def _adapter_files(folder: Path, stamp: tuple) -> dict[str, str]:
    """Digests of the files that decide what adapters make of a model, and what it reads."""
    told = (KEPT_ABOUT, KEPT_HEAD, ADAPTER_CONFIG, "README.md")
    names = sorted(f.name for f in folder.iterdir() if f.is_file() and f.name not in told)
    return {name: file_fingerprint(folder / name) for name in names if not name.startswith(".")}


@cache
def _file_fingerprint(file: Path, stamp: tuple) -> str:
    """Likewise, of a single file."""
    return file_fingerprint(file)


@cache
def _folder_fingerprint(folder: Path, stamp: tuple) -> str:
    """Hashed anew only where sizes or times (the stamp) say that a file may have changed."""
    return folder_fingerprint(folder)


def _stamp(folder: Path) -> tuple:
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)
