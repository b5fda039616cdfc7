"""Devices, driver, precision, kernels and memory."""

from __future__ import annotations

import os
import platform
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from weak2strong.engine.doctor.finding import Finding, gib
from weak2strong.ground.errors import first_line
from weak2strong.models.capacity import available_bytes, device_bytes
from weak2strong.models.devices import Device, devices
from weak2strong.models.packing import varlen_options
from weak2strong.training.pace import driver

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux tells how much memory a container may take, in its newer and older form."""

FUSED = ("mamba_ssm", "causal_conv1d")
"""Packages with kernels of state-space models for CUDA."""

LITTLE = 0.5
"""The share of a GPU's memory that others leave, below which a line says so."""


def machine() -> Iterator[Finding]:
    """A line about each."""
    found = devices()
    yield _devices(found)
    yield _driver(found)
    yield _precision(found)
    yield from _kernels(found)
    yield from _memory(found)


def _devices(found: tuple[Device, ...]) -> Finding:
    import torch

    of = found[0].of
    if of == "cpu":
        threads = torch.get_num_threads()
        return Finding("device", f"CPU, {os.cpu_count()} cores, {threads} threads of PyTorch")
    if of == "mps":
        return Finding("device", f"GPU of Apple ({platform.machine()})")
    kinds = Counter((device.name, device.memory) for device in found)
    texts = (f"{count} x {name}, {gib(memory)}" for (name, memory), count in kinds.items())
    return Finding("device", "; ".join(texts))


def _driver(found: tuple[Device, ...]) -> Finding:
    """The driver of NVIDIA's GPUs, and whether PyTorch goes with it."""
    import torch

    version, built = driver(), torch.version.cuda
    if not version:
        return Finding("driver", "none of NVIDIA's" if found[0].of != "cuda" else "not told")
    if found[0].of == "cuda":
        return Finding("driver", f"{version}; PyTorch is built for CUDA {built}")
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        todo = "unset CUDA_VISIBLE_DEVICES, which hides all GPUs"
        return Finding("driver", f"{version}, and no GPU is visible", "problem", todo)
    if not built:
        todo = "install PyTorch for CUDA: https://pytorch.org/get-started/locally"
        said = f"{version}, and PyTorch {torch.__version__} is built without CUDA"
        return Finding("driver", said, "problem", todo)
    todo = f"take a driver for CUDA {built}, or a PyTorch for an older CUDA"
    return Finding("driver", f"{version}, and CUDA fails: {_why_no_cuda()}", "problem", todo)


def _why_no_cuda() -> str:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.init()
    # Whatever it is, it is told.
    except Exception as e:
        return first_line(e)
    return "it has no GPU"


def _precision(found: tuple[Device, ...]) -> Finding:
    names = dict.fromkeys(device.precision for device in found)
    if names.keys() == {"bfloat16"}:
        return Finding("precision", "bfloat16, which the hardware is fast at")
    said = f"{' and '.join(names)}, as not all hardware here has units for bfloat16"
    return Finding("precision", said)


def _kernels(found: tuple[Device, ...]) -> Iterator[Finding]:
    """Attention without padding, and the kernels of state-space models, which are for CUDA."""
    import torch

    if found[0].of != "cuda":
        yield Finding("kernels", "those of PyTorch for this device")
        return
    able = torch.cuda.is_available() and torch.cuda.get_device_capability(0) >= (8, 0)
    if able and varlen_options() is not None:
        yield Finding("kernels", "attention without padding (varlen_attn)")
    elif able:
        todo = "take PyTorch 2.10 or later"
        yield Finding("kernels", "no attention without padding", "note", todo)
    else:
        yield Finding("kernels", "this GPU has no attention without padding: texts are padded")
    missing = [name for name in FUSED if find_spec(name) is None]
    if missing:
        todo = f"only for such models: pip install {' '.join(missing).replace('_', '-')}"
        yield Finding("kernels", "state-space models (Mamba) run without theirs", "note", todo)


def _memory(found: tuple[Device, ...]) -> Iterator[Finding]:
    import torch

    whole, limit = device_bytes(torch.device("cpu")), _limit()
    said = f"{gib(whole)}, of which {gib(available_bytes())} are free"
    if limit is not None and limit < whole:
        todo = "models and batches are fitted to the machine: take smaller ones, or a larger limit"
        yield Finding("memory", f"{said}; this container may take {gib(limit)}", "note", todo)
    else:
        yield Finding("memory", said)
    if found[0].of != "cuda" or not torch.cuda.is_available():
        return
    for device in found:
        free, total = torch.cuda.mem_get_info(device.number)
        text = f"{gib(total)}, of which {gib(free)} are free"
        if free < LITTLE * total:
            todo = "end what else computes there, or hide it by CUDA_VISIBLE_DEVICES"
            yield Finding(f"memory of GPU {device.number}", text, "note", todo)
        else:
            yield Finding(f"memory of GPU {device.number}", text)


def _limit() -> int | None:
    """The memory that the container of this process may take; None where none is told."""
    for name in LIMITS:
        with suppress(OSError, ValueError):
            return int(Path(name).read_text())
    return None
