"""Weights that are kept in few bits: which models have them, by which package, in how many bytes.

A model is rounded to 4 bits when it is loaded, where its precision is ``4bit``, or its files hold
rounded weights already. Neither takes PyTorch to know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.beneath import beneath
from weak2strong.models.folders import folder_of
from weak2strong.models.given import is_given
from weak2strong.models.hub import cached_file

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "bitsandbytes": ("bitsandbytes",),
    "gptq": ("gptqmodel", "optimum"),
    "awq": ("gptqmodel",),
}
"""By what Transformers calls a method of rounding: the packages that read such weights."""

BLOCK, BLOCKS = 64, 256
"""Weights of 4 bits that have a scale together, and scales that have one."""


@dataclass(frozen=True)
class Quantised:
    """How a model's linear layers are kept.

    Attributes:
        method: what Transformers calls it.
        bytes: of a weight with its part of the scales; None where that is not known.
        on_disk: whether its files hold them so; otherwise they are rounded when they are loaded.
    """

    method: str
    bytes: float | None
    on_disk: bool


NF4 = Quantised("bitsandbytes", 1 / 2 + (1 + 4 / BLOCKS) / BLOCK, on_disk=False)
"""NF4 with scales of 8 bits (Dettmers et al. 2023, *QLoRA*, sections 3.1 and 3.2)."""


def quantised(spec: ModelSpec) -> Quantised | None:
    """How a model's linear layers are kept in few bits; None where they are not.

    Of a model that is not on this machine, that is not known, and what is asked for counts.

    Raises:
        UserError: where weights of few bits would be rounded to 4 bits.
    """
    if is_given(spec):
        return None
    stored = _stored(spec)
    if spec.precision != "4bit":
        return stored
    if stored is not None:
        raise UserError(
            f"Model {spec.name!r} has weights of few bits already ({stored.method}): leave the "
            "precision 4bit out, or take the model that it was made of."
        )
    return NF4


def bits_of(spec: ModelSpec) -> int | None:
    """Of how many bits the weights of a model's linear layers are, where they are few and known."""
    found = quantised(spec)
    return int(8 * found.bytes) if found and found.bytes else None


def package_of(spec: ModelSpec) -> str | None:
    """The package that reads a model's weights of few bits, if it has such ones and it is known."""
    found = quantised(spec)
    return PACKAGES.get(found.method, (None,))[0] if found else None


def settings_in_keys(spec: ModelSpec) -> dict[str, Any]:
    """For keys: the settings of a model, and the package whose version counts, if there is one."""
    package = package_of(spec)
    return spec.settings | ({"package": package} if package else {})


def versions() -> Mapping[str, str]:
    """The versions of the packages for weights of few bits that are installed."""
    found = {}
    for package in sorted({name for names in PACKAGES.values() for name in names}):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_packages(spec: ModelSpec, found: Quantised) -> None:
    """Refuse weights of few bits that nothing installed can read.

    Raises:
        UserError: naming what to install.
    """
    missing = [name for name in PACKAGES.get(found.method, ()) if name not in versions()]
    if not missing:
        return
    install = "'weak2strong[quant]'" if found.method == "bitsandbytes" else " ".join(missing)
    what, instead = f"its quantised weights ({found.method}) need", "choose another model"
    if not found.on_disk:
        what, instead = "the precision 4bit needs", "choose another precision"
    raise UserError(
        f"Model {spec.name!r} cannot be loaded: {what} {' and '.join(missing)}, so run `pip "
        f"install {install}`, or {instead}."
    )


def check_one_gpu(spec: ModelSpec) -> None:
    """Refuse weights of few bits that would be cut over several GPUs.

    Raises:
        UserError: where the settings ask for it.
    """
    if spec.gpus_per_fit not in ("auto", 1):
        raise UserError(
            f"Model {spec.name!r}: weights of few bits are for fits on one GPU: set gpus_per_fit "
            "to 1, or choose a model without them."
        )


def _stored(spec: ModelSpec) -> Quantised | None:
    """What a model's files say of weights that they hold in few bits."""
    spec = beneath(spec)
    folder = folder_of(spec)
    file = folder / "config.json" if folder else cached_file(spec, "config.json")
    try:
        told = json.loads(file.read_text("utf-8"))["quantization_config"] if file else None
    # What is wrong with the file is said where it is loaded.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(told, dict):
        return None
    method = str(told.get("quant_method") or "bitsandbytes")
    return Quantised(method, _bytes(method, told), on_disk=True)


def _bytes(method: str, told: Mapping[str, Any]) -> float | None:
    """Bytes of a weight by the format of bitsandbytes; others have several."""
    if method != "bitsandbytes":
        return None
    if told.get("load_in_8bit"):
        # Scales are one for each row.
        return 1.0
    return NF4.bytes if told.get("bnb_4bit_use_double_quant") else 1 / 2 + 4 / BLOCK
