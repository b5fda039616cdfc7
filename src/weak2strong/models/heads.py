"""The head on a pretrained trunk, by kind of task, and how its outputs are read."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from weak2strong.models.packing import Packed
from weak2strong.tasks.task import TEXTS, Kind

HEAD_SCALE = 0.01
"""Initial weights are the usual ones times this, so that training starts near chance."""


def new_head(
    kind: Kind, width: int, classes: int, decoder: bool, generator: torch.Generator
) -> nn.Linear:
    """A fresh linear head, from the generator's draws.

    For a classification it has ``classes`` logits, for a preference one reward a text.
    As in Transformers' classes for sequence classification, a decoder's head has no bias, and an
    encoder's begins at a bias of 0. A reward has none either: two would have it in common.
    """
    outputs = {"classification": classes, "preference": 1}[kind]
    head = nn.Linear(width, outputs, bias=kind != "preference" and not decoder)
    with torch.no_grad():
        bound = width**-0.5
        uniform = torch.rand(outputs, width, generator=generator) * 2 * bound - bound
        head.weight.copy_(HEAD_SCALE * uniform)
        if head.bias is not None:
            head.bias.zero_()
    return head


def pool_last(states: Tensor, mask: Tensor | Packed) -> Tensor:
    """State of the last real token, (b, t, d) and (b, t) to (b, d), whatever the padding side."""
    if isinstance(mask, Packed):
        return states[0, mask.last]
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * positions).argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]


def pool_first(states: Tensor, mask: Tensor | Packed) -> Tensor:
    """State of the first real token, (b, t, d) and (b, t) to (b, d), whatever the padding side."""
    if isinstance(mask, Packed):
        return states[0, mask.first]
    return states[torch.arange(len(states), device=states.device), mask.argmax(dim=1)]


def pool_mean(states: Tensor, mask: Tensor | Packed) -> Tensor:
    """Mean state of the real tokens, (b, t, d) and (b, t) to (b, d), float32 at least."""
    if isinstance(mask, Packed):
        states, mask = mask.apart(states[0]), mask.mask
    # In bfloat16 the number of tokens alone could be off.
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


POOLS = {"last": pool_last, "mean": pool_mean, "cls": pool_first}
"""How a text's states become one vector, by name."""


def outputs_of_items(kind: Kind, outputs: Tensor) -> Tensor:
    """Outputs for texts (b * texts of an item, outputs), to what losses see of items, (b, classes).

    For a preference these are its two rewards: the softmax of rewards r1 and r2 is
    sigmoid(r2 - r1) for the second, so that they are the logits of two classes.
    """
    return outputs.reshape(len(outputs) // TEXTS[kind], -1)


def probed(kind: Kind, pooled: np.ndarray) -> np.ndarray:
    """What a probe sees of items, (b, d), of the pooled states of their texts.

    For a preference it is the second's less the first's: a logistic probe on it is a
    Bradley-Terry model (exactly so where its bias is 0).
    """
    readers = {"classification": lambda x: x[:, 0], "preference": lambda x: x[:, 1] - x[:, 0]}
    return readers[kind](pooled.reshape(-1, TEXTS[kind], pooled.shape[1]))


def read_outputs(logits: Tensor) -> np.ndarray:
    """What losses see of items to what `Predictions` holds: probabilities (b, classes), float64."""
    # On the CPU first: not every accelerator has float64.
    return torch.softmax(logits.cpu().double(), dim=-1).numpy()
