"""On how many GPUs a model is held together: on one where it fits.

Fits in parallel are quicker than one fit in parallel.
"""

from __future__ import annotations

import math

from weak2strong.config.model import ModelSpec

ROOM = 0.2
"""Share of what a training may fill that is left for activations and gathered weights."""


def gpus_per_fit(spec: ModelSpec) -> int:
    """How many GPUs a model is cut over, as its settings say, or as many as its weights need.

    Where nothing tells how large it is, it is one; so it is on anything but CUDA.

    Args:
        spec: the model; where nothing of it is trained, with the adaptation ``head``.
    """
    if spec.gpus_per_fit != "auto":
        return spec.gpus_per_fit
    # Only what leaves it open has to ask the device.
    import torch

    from weak2strong.models.guess import guess
    from weak2strong.models.load import best_device
    from weak2strong.models.needs import usable_bytes

    if best_device().type != "cuda" or torch.cuda.device_count() < 2:
        return 1
    resting = guess(spec, best_device()).resting
    if resting is None:
        return 1
    return gpus_for(resting, usable_bytes(best_device()), torch.cuda.device_count())


def gpus_for(resting: float, usable: float, there: int) -> int:
    """How many GPUs hold weights, gradients and optimiser state together.

    Args:
        resting: bytes of these.
        usable: bytes that a training may fill of one GPU.
        there: how many GPUs there are; no more are told.
    """
    return min(there, max(1, math.ceil(resting / ((1 - ROOM) * usable))))
