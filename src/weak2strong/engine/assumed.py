"""What a GPU that is not here would hold of a study: which trainings, with how large micro-batches.

Weights, gradients and optimiser are counted as for this machine. Activations, which a run measures,
are estimated from the model's linear layers (see `activation_bytes_of`): a plan has no weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from weak2strong.config.model import ModelSpec
from weak2strong.models.gpu_sizes import Gpu, gpu_named
from weak2strong.models.guess import guess, parameters
from weak2strong.models.needs import SPARE, USABLE

Adaptation = Literal["full", "lora", "head"]

KEPT = 34 / 32
"""Numbers kept for backward, in units of what goes into linear layers and out of them: of a layer
of width h 34 h bytes against 32 h in 16 bits (Korthikanti et al. 2022, section 4.1, without the
attention's square, which fused attention does not keep)."""

TWICE = 2 / 34
"""What is left of that where a layer keeps its input alone, and computes the rest once more."""

LONGEST = 1024
"""Tokens of a text that has to fit, where nothing says how long texts are."""


@dataclass(frozen=True)
class Held:
    """Whether a GPU holds a training.

    Attributes:
        model: its name.
        adaptation: of the training; None where nothing tells how large the model is.
        bits: of its linear layers, where they are few.
        resting: bytes of weights, gradients and optimiser.
        usable: bytes of the GPU that a training may fill.
        tokens: of a micro-batch that fit beside them; None for a head alone, for which none are
            kept, and where the model's layers are not known.
        twice: whether activations have to be computed twice for a text to fit.
        fits: whether a text of the study's fits; None where that is not known.
        instead: the settings of this model that would fit, as flags without ``--weak-`` or
            ``--strong-``; empty where it fits, or nothing does.
    """

    model: str
    adaptation: Adaptation | None
    bits: int | None
    resting: int | None
    usable: float
    tokens: int | None
    twice: bool
    fits: bool | None
    instead: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Assumed:
    """A GPU that is not here, and what it would hold.

    Attributes:
        name: of the GPU.
        memory: bytes of it.
        models: of the study's trainings, one each.
    """

    name: str
    memory: int
    models: tuple[Held, ...]


WAYS: tuple[dict[str, Any], ...] = (
    {"adaptation": "full", "trained_weights": "bfloat16", "optimizer_states": "8-bit"},
    {"adaptation": "lora"},
    {"adaptation": "lora", "precision": "4bit"},
    {"adaptation": "head"},
    {"adaptation": "head", "precision": "4bit"},
)
"""Trainings that take less memory, in the order in which they are tried."""


def assumed(name: str, models: Sequence[ModelSpec], tokens: float | None) -> Assumed:
    """What a GPU would hold of the trainings of some models.

    Args:
        name: of the GPU (see `weak2strong.models.gpu_sizes.GPUS`).
        models: of the study, as they are adapted.
        tokens: of a text of the study; None where that is not known.

    Raises:
        UserError: for a GPU of another name.
    """
    gpu = gpu_named(name)
    longest = round(tokens) if tokens else LONGEST
    held = tuple(_held(model, gpu, longest) for model in models)
    return Assumed(name.lower(), gpu.bytes, held)


def _held(spec: ModelSpec, gpu: Gpu, longest: int) -> Held:
    found = held_as_asked(spec, gpu, longest)
    if found.fits is not False:
        return found
    for way in _ways(spec, gpu):
        other = replace(spec, **way)
        if held_as_asked(other, gpu, longest).fits:
            flags = tuple((n, str(v)) for n, v in way.items() if getattr(spec, n) != v)
            return replace(found, instead=flags)
    return found


def _ways(spec: ModelSpec, gpu: Gpu) -> Iterator[dict[str, Any]]:
    """The other ways that this GPU can compute in."""
    for way in WAYS:
        if way.get("trained_weights") == "bfloat16" and not gpu.bfloat16:
            continue
        kept = {"trained_weights": "float32"} if way["adaptation"] != "full" else {}
        if way.get("precision") != "4bit" and spec.precision == "4bit":
            continue
        yield way | kept


def held_as_asked(spec: ModelSpec, gpu: Gpu, longest: int) -> Held:
    """Whether a GPU holds a training as it is asked for.

    Args:
        spec: the model, as it is adapted.
        gpu: that would train it.
        longest: tokens of a text that has to fit.
    """
    fast = gpu.bfloat16 and spec.precision != "float32"
    plain = torch.bfloat16 if fast or spec.precision == "bfloat16" else torch.float32
    told, usable = guess(spec, torch.device("cpu"), plain), USABLE["other"] * gpu.bytes
    adaptation: Any = "head" if told.adaptation == "knn" else told.adaptation
    if told.resting is None or adaptation is None:
        return Held(spec.name, adaptation, told.bits, None, usable, None, False, None)
    left, of = usable - told.resting, parameters(spec)
    if adaptation == "head" or left <= 0 or of.linear is None:
        fits = left > 0 if adaptation == "head" or left <= 0 else None
        return Held(spec.name, adaptation, told.bits, told.resting, usable, None, False, fits)
    each = activation_bytes_of(of.linear, told.precision.itemsize)
    tokens = int(left / (SPARE * each))
    twice = tokens < longest
    if twice:
        tokens = int(left / (SPARE * TWICE * each))
    return Held(
        spec.name, adaptation, told.bits, told.resting, usable, tokens, twice, tokens >= longest
    )


def activation_bytes_of(linear: int, plain: int) -> float:
    """Bytes that a forward pass keeps for backward for a token, estimated.

    Args:
        linear: widths in and out of all linear layers of the trunk, added.
        plain: bytes of a number.
    """
    return KEPT * linear * plain
