"""What passing a micro-batch costs beside its tokens: by a rule on a CPU, elsewhere as measured.

A device that works by itself is as slow with a few tokens as with hundreds, and every pass reads
all weights and adds up all gradients. How many tokens that is worth differs by device, by model,
and by what of it is trained: so it is measured where a model is first used on a device, in at most
a few seconds, and kept beside the store with the device's name and driver. Batches are cut by it,
which changes no number but by rounding. On a CPU the rule is fixed, so that numbers are the same to
the bit on every machine of a kind.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from weak2strong.ground.store.paths import MEASURED, default_root
from weak2strong.ground.whole import write_whole
from weak2strong.models.loaded import Trainable
from weak2strong.models.ranks import Ranks
from weak2strong.models.text_part import embedding_of

LAUNCH = 3e7
"""On a CPU: the cost of launching the operations of a micro-batch, in tokens times weights."""

STREAM = {torch.float32: 4, torch.bfloat16: 32}
"""On a CPU: the cost of adding its gradients to the others, in tokens: more where arithmetic is
quicker."""

SIZES = (16, 256, 1024, 4096, 16384)
"""Tokens of the passes that are timed."""

TEXT = 128
"""Tokens of a text in these passes, at most."""

REPEATS, PATIENCE = 3, 4.0
"""Passes of each size, of which the quickest counts; seconds after which no larger one begins."""

LOST = 0.01
"""The part of the time that batches as large as is worth it lose, as a pass costs more than its
tokens."""

LARGEST = 2**17
"""No batch has more tokens, whatever was measured."""


@dataclass(frozen=True)
class Pace:
    """What a pass costs beside its tokens, in tokens.

    Attributes:
        floor: so many tokens take as long as the fewest.
        extra: what a pass costs beside its tokens, where there are more than these.
    """

    floor: float
    extra: float

    @property
    def enough(self) -> int:
        """Tokens of a pass from which on more of them are hardly quicker; a power of two."""
        wanted = max(2 * self.floor, self.extra / LOST, SIZES[1])
        return min(LARGEST, 2 ** math.ceil(math.log2(wanted)))


@dataclass(frozen=True)
class Passing:
    """A model whose passes are timed.

    Attributes:
        run: passes so many rows of a length; its result has gradients in a training.
        module: all of it.
        looked_up: its embedding, which costs nothing to speak of; None where it has no such table.
        longest: the length of the longest row.
        device: where it is.
        ranks: the processes that hold it together.
        about: what else its pace may depend on.
        gradients: whether it is trained.
    """

    run: Callable[[int, int], Tensor]
    module: nn.Module
    looked_up: nn.Module | None
    longest: int
    device: torch.device
    ranks: Ranks
    about: Mapping[str, Any]
    gradients: bool


def pace_of(model: Trainable, gradients: bool = True, room: int = SIZES[-1]) -> Pace:
    """What passing a micro-batch of a model costs on its device.

    Args:
        model: which is not changed; no gradients are left.
        gradients: whether it is trained.
        room: tokens that memory has room for, if the pace is measured now.
    """
    if model.device.type == "cpu":
        weights = sum(p.numel() for p in model.network.parameters())
        return Pace(0.0, LAUNCH / weights + STREAM[model.precision])

    def run(count: int, length: int) -> Tensor:
        with torch.set_grad_enabled(gradients), model.autocast():
            return model.network(*model.batch(reader.blank(count, length)))

    network, reader = model.network, model.reader
    about = {"precision": str(model.precision), "packing": model.packing, "trained": gradients}
    looked_up = embedding_of(network.trunk) if reader.filler is not None else None
    longest, ranks = reader.longest, model.ranks
    return kept(
        Passing(run, network, looked_up, longest, model.device, ranks, about, gradients), room
    )


def kept(passing: Passing, room: int = SIZES[-1]) -> Pace:
    """The pace that was measured before, by whichever process, or that is measured now and kept."""
    about = _conditions(passing)
    path = default_root().expanduser() / MEASURED / f"{_digest(about)}.json"
    # Of several processes that hold the model, the first one says what all of them do.
    if found := passing.ranks.first(_MEASURED.get(path) or _read(path)):
        return _MEASURED.setdefault(path, found)
    found = passing.ranks.first(measured(passing, room))
    if passing.ranks.rank == 0:
        # A folder that cannot be written to only means that the next process measures again.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(about | asdict(found), indent=1) + "\n")
    return _MEASURED.setdefault(path, found)


_MEASURED: dict[Path, Pace] = {}
"""What this process has measured or read."""


def measured(passing: Passing, room: int = SIZES[-1]) -> Pace:
    """The pace of a model as it is here and now."""
    times: dict[int, float] = {}
    begun = time.perf_counter()
    with _left_alone(passing.module):
        for tokens in SIZES:
            if times:
                # The next size takes four times as long, at most.
                soon = (REPEATS + 1) * 4 * times[max(times)]
                is_late = time.perf_counter() - begun + soon > PATIENCE
                if tokens > room or passing.ranks.first(is_late):
                    break
            try:
                times[tokens] = seconds(passing, tokens)
            except torch.OutOfMemoryError:
                if passing.ranks.several or not times:
                    raise
                break
    return from_times(times)


@contextmanager
def _left_alone(module: nn.Module) -> Iterator[None]:
    """A context without dropout, so that nothing is drawn; no gradients are left behind."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        module.zero_grad(set_to_none=True)
        for part, training in modes:
            part.training = training


def from_times(times: Mapping[int, float]) -> Pace:
    """The pace by the seconds of passes of so many tokens each, rounded to powers of two.

    A line through the two largest tells what a token takes, and where it does not begin at 0 the
    rest. Rounded, it seldom differs when it is measured again.
    """
    *_, most = sizes = sorted(times)
    before = sizes[-2] if len(sizes) > 1 else 0
    a_token = (times[most] - times.get(before, 0.0)) / (most - before)
    # Where the largest pass is hardly slower than the one before it, all were too small to tell.
    a_token = max(a_token, times[most] / most / 4)
    floor, extra = times[sizes[0]] / a_token, times[most] / a_token - most
    return Pace(_rounded(floor), _rounded(extra))


def _rounded(tokens: float) -> float:
    return float(2 ** round(math.log2(tokens))) if tokens >= 1 else 0.0


def seconds(passing: Passing, tokens: int) -> float:
    """What the quickest of some passes of so many tokens takes, after one to warm up."""
    length = min(tokens, TEXT, passing.longest)

    def one() -> float:
        _finish(passing.device)
        begun = time.perf_counter()
        outputs = passing.run(tokens // length, length)
        if passing.gradients:
            outputs.sum().backward()
        _finish(passing.device)
        return time.perf_counter() - begun

    one()
    return min(one() for _ in range(REPEATS))


def _finish(device: torch.device) -> None:
    """Wait until a device that works by itself has done what it was given."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


def _conditions(passing: Passing) -> dict[str, Any]:
    """All that a pace may depend on: device and driver, PyTorch, and the model's weights.

    Not the embedding, in which texts are looked up: of it a training may spare rows.
    """
    skipped = {id(p) for p in passing.looked_up.parameters()} if passing.looked_up else set()
    weights = [
        (name, list(p.shape), str(p.dtype), p.requires_grad)
        for name, p in passing.module.named_parameters()
        if id(p) not in skipped
    ]
    cuda = passing.device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(passing.device) if cuda else passing.device.type,
        "driver": driver() if cuda else platform.release(),
        "PyTorch": torch.__version__,
        "processes": passing.ranks.count,
        "weights": _digest(weights),
        **passing.about,
    }


@cache
def driver() -> str:
    """The version of the driver of NVIDIA's GPUs; empty where nothing tells it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.partition("\n")[0].strip()


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Pace | None:
    """What a file says; None where it is missing or damaged."""
    try:
        content = json.loads(path.read_text())
        return Pace(float(content["floor"]), float(content["extra"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
