"""In which precision a device multiplies matrices best."""

from __future__ import annotations

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.models.folders import is_tiny


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
    """The precision of the arithmetic that a model asks for, or that suits the device.

    Weights of 4 bits are computed with as with those of a model that leaves it open.
    """
    if spec.trained_weights == "bfloat16" and spec.adaptation in ("auto", "full"):
        return torch.bfloat16
    if spec.precision in ("auto", "4bit"):
        return fast_precision(device, is_tiny(spec))
    return getattr(torch, spec.precision)


def _cpu_has_units() -> bool:
    """AMX tiles or AVX-512 dot products of bfloat16; asking for them is not public everywhere."""
    tests = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, test, lambda: False)() for test in tests)
