"""The devices of this machine that models run on, or those that a test lets it seem to have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from weak2strong.ground.errors import UserError

FAKE = "W2S_FAKE_DEVICES"
"""A variable of the environment for tests of engines on machines without a GPU, such as ``cuda:8``:
the machine seems to have so many devices of the class. Models compute on its CPU all the same. With
``cuda:8:24000000000`` each seems to have so many bytes of memory."""

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Numbers of the GPUs that a process may see; fake ones heed it, too."""

Class = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Device:
    """A device that models run on.

    Attributes:
        of: its class.
        number: among those of its class that this process sees.
        name: in keys.
        precision: in which models compute that leave it open.
        memory: bytes of a GPU; 0 for others, and for fake ones of which nothing is told.
    """

    of: Class
    number: int
    name: str
    precision: str
    memory: int = 0


def devices() -> tuple[Device, ...]:
    """The devices of the best class that this process sees: CUDA, else Apple's MPS, else the CPU.

    Raises:
        UserError: where `FAKE` has a value that it cannot have.
    """
    import torch

    from weak2strong.models.loaded import best_device

    if fakes := _fakes():
        return fakes
    of = best_device().type
    if of != "cuda":
        return (Device("mps" if of == "mps" else "cpu", 0, of, precision(best_device())),)
    names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    fast = _precisions(tuple(names))
    return tuple(
        Device("cuda", n, name, fast[name], torch.cuda.get_device_properties(n).total_memory)
        for n, name in enumerate(names)
    )


def device_class() -> Class:
    """The class of the best devices, found without asking what these are."""
    from weak2strong.models.loaded import best_device

    if fakes := _fakes():
        return fakes[0].of
    of = best_device().type
    return "cuda" if of == "cuda" else "mps" if of == "mps" else "cpu"


def precision(device) -> str:
    """The name of the precision in which a device of torch multiplies matrices best."""
    from weak2strong.models.precision import fast_precision

    return str(fast_precision(device)).removeprefix("torch.")


@cache
def _precisions(names: tuple[str, ...]) -> Mapping[str, str]:
    """The precisions of GPUs by their names.

    PyTorch tells that of the current GPU alone. Each that was the current one once takes memory of
    it until this process ends, so one of each kind is asked.
    """
    import torch

    from weak2strong.models.loaded import best_device

    found = {names[0]: precision(best_device())}
    for number, name in enumerate(names):
        if name not in found:
            with torch.cuda.device(number):
                found[name] = precision(best_device())
    return found


def _fakes() -> tuple[Device, ...]:
    """The devices that `FAKE` tells of; none where it is not set."""
    from weak2strong.models.loaded import best_device

    if not (told := os.environ.get(FAKE)):
        return ()
    match = re.fullmatch("(cuda|mps):([1-9][0-9]{0,3})(?::([1-9][0-9]{0,14}))?", told)
    if match is None:
        raise UserError(
            f"The variable {FAKE} of the environment is {told!r}: give a class of devices and how "
            "many there are, such as cuda:8 or mps:1, and, if you like, bytes of each, such as "
            "cuda:8:24000000000, or unset it."
        )
    of, count = "mps" if match[1] == "mps" else "cuda", int(match[2])
    if of == "cuda" and os.environ.get(VISIBLE):
        count = min(count, len(os.environ[VISIBLE].split(",")))
    fast = precision(best_device())
    memory = int(match[3] or 0)
    return tuple(Device(of, number, f"fake {of}", fast, memory) for number in range(count))
