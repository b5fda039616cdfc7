"""On how many GPUs a model is held together: on one where it fits.

Fits in parallel are quicker than one fit in parallel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from weak2strong.config.model import ModelSpec
from weak2strong.models.quantisation import quantised

ROOM = 0.2
"""Share of what a training may fill that is left for activations and gathered weights."""


@dataclass(frozen=True)
class Gpus:
    """The GPUs that a fit may be on.

    Attributes:
        count: how many.
        memory: bytes of each; 0 where that is not known.
        precision: in which models compute there that leave it open.
    """

    count: int
    memory: int
    precision: str


_ELSEWHERE = ContextVar[Gpus | None]("gpus", default=None)
_RESTING = dict[ModelSpec, int]()


@contextmanager
def fits_on(gpus: Gpus | None) -> Iterator[None]:
    """In here fits are on these GPUs, as where a cluster does them, and not on those that this
    process sees; None stands for these."""
    token = _ELSEWHERE.set(gpus)
    try:
        yield
    finally:
        _ELSEWHERE.reset(token)


def gpus_per_fit(spec: ModelSpec) -> int:
    """How many GPUs a model is cut over, as its settings say, or as many as its weights need.

    Where nothing tells how large it is, it is one; so it is on anything but CUDA, and of weights of
    few bits.

    Args:
        spec: the model; where nothing of it is trained, with the adaptation ``head``.
    """
    if spec.gpus_per_fit != "auto":
        return spec.gpus_per_fit
    if quantised(spec):
        return 1
    gpus = _ELSEWHERE.get() or _here()
    if gpus.count < 2 or not gpus.memory:
        return 1
    # Only what leaves it open has to count weights.
    from weak2strong.models.needs import USABLE

    resting = _resting(spec, gpus.precision)
    return 1 if resting is None else gpus_for(resting, USABLE["other"] * gpus.memory, gpus.count)


def gpus_for(resting: float, usable: float, there: int) -> int:
    """How many GPUs hold weights, gradients and optimiser state together.

    Args:
        resting: bytes of these.
        usable: bytes that a training may fill of one GPU.
        there: how many GPUs there are; no more are told.
    """
    return min(there, max(1, math.ceil(resting / ((1 - ROOM) * usable))))


def _here() -> Gpus:
    """The GPUs that this process sees; the first one stands for all."""
    from weak2strong.models.devices import devices

    found = [device for device in devices() if device.of == "cuda"]
    return Gpus(len(found), found[0].memory, found[0].precision) if found else Gpus(0, 0, "")


def _resting(spec: ModelSpec, precision: str) -> int | None:
    """Bytes that rest in a training, counted once for each model; None where nothing tells them."""
    import torch

    from weak2strong.models.guess import guess

    if spec.precision == "auto":
        spec = replace(spec, precision=precision)  # pyright: ignore[reportArgumentType]
    if spec not in _RESTING and (resting := guess(spec, torch.device("cpu")).resting) is not None:
        _RESTING[spec] = resting
    return _RESTING.get(spec)
