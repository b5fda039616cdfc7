"""How many tokens pass a model at once, so that a training does not die of memory on its way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from weak2strong.errors import UserError
from weak2strong.models.adapters import compute_twice
from weak2strong.models.batches import pad
from weak2strong.models.load import LoadedModel

MOST = {"cpu": 8192, "other": 65536}
"""Padded tokens of a micro-batch beyond which more would not be faster."""

USABLE = {"cpu": 0.5, "other": 0.85}
"""Share of the memory that a training may fill: a CPU's serves others too."""

SPARE = 1.5
"""Room for gradients of activations and for work space, as a multiple of what is measured."""

TRAINED_BYTES = 12
"""Gradient and two moments of a weight that is trained, in float32."""


@dataclass(frozen=True)
class Room:
    """What fits: padded tokens of a micro-batch, and whether activations are computed twice."""

    tokens: int
    twice: bool = False


def find_room(model: LoadedModel, rows: Sequence[Sequence[int]]) -> Room:
    """Measure what the longest text takes, and from it how many tokens fit.

    The answer depends on the machine's memory as a whole, not on what is free just
    now, and comes in powers of two: so the same machine gives the same numbers.

    Args:
        model: its layers are made to compute twice where it has to be.
        rows: token ids of all texts.

    Raises:
        UserError: where not even weights, gradients and optimiser fit.
    """
    kind = "cpu" if model.device.type == "cpu" else "other"
    usable = USABLE[kind] * device_bytes(model.device)
    left = usable - resting_bytes(model.network)
    if left <= 0:
        raise UserError(
            f"The model takes {resting_bytes(model.network) / 2**30:.1f} GiB with gradients and "
            f"optimiser, and {usable / 2**30:.1f} GiB of {model.device.type} memory are there: "
            "adapt it by LoRA or the head alone, or take a smaller one."
        )
    longest = max(rows, key=len)

    def fitting() -> int:
        one = pad([longest], model.tokenizer.pad_token_id, model.device)
        with model.autocast():
            needed = SPARE * activation_bytes(model.network, *one)
        return int(left * len(longest) / max(1, needed))

    twice = model.checkpointing == "on" and save_memory(model)
    tokens = fitting()
    if tokens < len(longest) and not twice and save_memory(model):
        twice, tokens = True, fitting()
    # Where even one text does not fit by this measure, it is tried all the same.
    tokens = min(max(tokens, len(longest)), MOST[kind])
    return Room(2 ** (tokens.bit_length() - 1), twice)


def save_memory(model: LoadedModel) -> bool:
    """Make a model's layers compute their activations twice, if it may and can be done."""
    if model.checkpointing == "off":
        return False
    layers = compute_twice(model.network.trunk)
    if not layers and model.checkpointing == "on":
        raise UserError("This model's layers cannot compute twice: leave checkpointing out.")
    return layers > 0


def device_bytes(device: torch.device) -> int:
    """The memory of a device as a whole."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def resting_bytes(network: nn.Module) -> int:
    """Weights, gradients and optimiser state of a network in training."""
    return sum(
        p.numel() * (p.element_size() + TRAINED_BYTES * p.requires_grad)
        for p in network.parameters()
    )


def activation_bytes(network: nn.Module, tokens: torch.Tensor, mask: torch.Tensor) -> int:
    """What a forward pass keeps for the backward one, in bytes; each storage counts once."""
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        # Alive until the count is done, or storages of the same place would count once.
        outputs = network(tokens, mask)
    del outputs
    return sum(kept.values())


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device has no memory left."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in said or "out of memory" in said
    )
