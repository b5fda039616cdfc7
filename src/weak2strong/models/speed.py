"""How fast a device multiplies matrices: from this a training's time is guessed."""

from __future__ import annotations

import time

import torch

WIDTH = {"cpu": 1024, "other": 4096}
"""Of the square matrices: large enough that launching a product takes no part of its time."""


def matrix_rate(device: torch.device, precision: torch.dtype, times: int = 5) -> float:
    """Floating-point operations a second of a product of two large matrices, the best of several.

    Args:
        device: where.
        precision: of both matrices.
        times: how many products are timed, after one to warm up.
    """
    width = WIDTH["cpu" if device.type == "cpu" else "other"]
    one = torch.randn(width, width, device=device).to(precision)
    best = float("inf")
    for _ in range(times + 1):
        _finish(device)
        begun = time.perf_counter()
        torch.mm(one, one)
        _finish(device)
        best = min(best, time.perf_counter() - begun)
    return 2 * width**3 / best


def _finish(device: torch.device) -> None:
    """Wait until a device that works by itself has done what it was given."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()
