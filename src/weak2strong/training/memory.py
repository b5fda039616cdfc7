"""How many tokens pass a model at once, so that a training does not run out of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from weak2strong.ground.errors import UserError
from weak2strong.models.adapters import enable_checkpointing
from weak2strong.models.loaded import Trainable
from weak2strong.models.needs import (
    SPARE,
    gathered_bytes,
    kept_bytes,
    training_bytes,
    usable_bytes,
)
from weak2strong.models.reader import Row
from weak2strong.training.pace import pace_of

MOST = 8192
"""Padded tokens of a micro-batch on a CPU; larger micro-batches would not be faster."""


class NoRoomError(Exception):
    """One of several ranks has no memory left, so that all of them have to begin again.

    Attributes:
        budget: padded tokens of the micro-batch that was too large.
    """

    def __init__(self, budget: int):
        super().__init__(budget)
        self.budget = budget


@dataclass(frozen=True)
class TokenBudget:
    """Padded tokens of a micro-batch, and whether activations are computed twice."""

    tokens: int
    checkpointing: bool = False


def find_token_budget(model: Trainable, rows: Sequence[Row]) -> TokenBudget:
    """Measure the memory that the longest row takes, and from it how many tokens fit.

    The result depends on the machine's whole memory, not on what is free at the moment, and is
    a power of two: so the same machine gives the same numbers.

    Args:
        model: its layers are made to compute activations twice where that is necessary.
        rows: of the model's reader, all of them.

    Raises:
        UserError: where not even weights, gradients and optimiser fit.
    """
    resting, usable = (
        training_bytes(model.network, model.optimizer_states),
        usable_bytes(model.device),
    )
    if model.ranks.several:
        resting += gathered_bytes(model.network)
    left = usable - resting
    if left <= 0:
        raise UserError(
            f"The model takes {resting / 2**30:.1f} GiB with gradients and "
            f"optimiser, and {usable / 2**30:.1f} GiB of {model.device.type} memory are there"
            f"{' for each of its processes' if model.ranks.several else ''}: "
            "adapt it by LoRA or the head alone, cut it over more GPUs, or take a smaller one."
        )
    longest = max(map(len, rows))

    blank = model.reader.batch(model.reader.blank(1, longest), model.device)

    def fitting() -> int:
        try:
            with model.autocast():
                needed = SPARE * kept_bytes(model.network, blank)
        except Exception as e:
            if not out_of_memory(e) or model.ranks.several:
                raise
            return 0
        return model.ranks.least(int(left * longest / max(1, needed)))

    # A model on several ranks is large, and none of them may run out of memory by trying.
    first = model.checkpointing == "on" or model.ranks.several
    checkpointing = first and save_memory(model)
    tokens = fitting()
    if tokens < longest and not checkpointing and save_memory(model):
        checkpointing, tokens = True, fitting()
    # Where not even one row fits by this measure, training tries one all the same.
    tokens = max(tokens, longest)
    most = MOST if model.device.type == "cpu" else pace_of(model, room=tokens).enough
    tokens = min(tokens, most)
    return TokenBudget(2 ** (tokens.bit_length() - 1), checkpointing)


def save_memory(model: Trainable) -> bool:
    """Make a model's layers compute their activations twice, if its settings allow it.

    Returns:
        Whether they do.

    Raises:
        UserError: where the settings demand it, and the layers cannot.
    """
    if model.checkpointing == "off":
        return False
    layers = enable_checkpointing(model.network.trunk)
    if not layers and model.checkpointing == "on":
        raise UserError("This model's layers cannot compute twice: leave checkpointing out.")
    return layers > 0


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device has no memory left."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "out of memory" in text
    )
