"""In which precision a device multiplies matrices best."""

from __future__ import annotations

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.behaviour import behaviour
from weak2strong.models.configuration import load_config
from weak2strong.models.folders import is_tiny
from weak2strong.models.given import is_given
from weak2strong.models.reads import reads_words


def fast_precision(device: torch.device, tiny: bool = False) -> torch.dtype:
    """bfloat16 where the hardware has units for it, else float32.

    Args:
        device: where the model runs.
        tiny: whether it is so small that converting to bfloat16 costs more than it saves.
    """
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        fast = not tiny and _cpu_has_units()
    else:
        fast = False
    return torch.bfloat16 if fast else torch.float32


def precision_of(spec: ModelSpec, device: torch.device) -> torch.dtype:
    """The precision of the arithmetic that a model asks for, or that suits it and the device.

    Weights of 4 bits are computed with as with those of a model that leaves it open.
    """
    if is_given(spec):
        return torch.float32
    if _asks_for_bfloat16(spec):
        return torch.bfloat16
    if spec.precision in ("auto", "4bit"):
        fast = fast_precision(device, is_tiny(spec))
        return fast if fast == torch.float32 or takes_bfloat16(spec) else torch.float32
    return getattr(torch, spec.precision)


def takes_bfloat16(spec: ModelSpec) -> bool:
    """Whether a model computes in bfloat16, tried on a miniature of it, once a process.

    One whose configuration cannot be had is taken to: a plan may be made without it, and whoever
    loads the model says what is wrong.
    """
    if not reads_words(spec):
        return True
    try:
        config = load_config(spec)
    except UserError:
        return True
    return behaviour(config, spec.trust_remote_code).bfloat16


def check_precision(spec: ModelSpec) -> None:
    """Refuse a model that is asked to compute in bfloat16 and cannot.

    Raises:
        UserError: for such a model.
    """
    if _asks_for_bfloat16(spec) and not takes_bfloat16(spec):
        what = "its precision" if spec.precision == "bfloat16" else "trained_weights"
        raise UserError(
            f"Model {spec.name!r} fails in bfloat16, as its architecture is written for float32: "
            f"leave {what} out, and it computes in float32."
        )


def _asks_for_bfloat16(spec: ModelSpec) -> bool:
    trained = spec.trained_weights == "bfloat16" and spec.adaptation in ("auto", "full")
    return trained or spec.precision == "bfloat16"


def _cpu_has_units() -> bool:
    """AMX tiles or AVX-512 dot products of bfloat16; asking for them is not public everywhere."""
    tests = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, test, lambda: False)() for test in tests)
