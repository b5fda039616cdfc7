"""What is put on a pretrained trunk, by kind of task, and how its outputs are read."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from weak2strong.tasks.task import Kind

HEAD_SCALE = 0.01
"""Initial weights are the usual ones times this, so that training starts near chance."""


def new_head(kind: Kind, width: int, classes: int, generator: torch.Generator) -> nn.Linear:
    """A fresh linear head, from the generator's draws: ``classes`` logits for a classification."""
    outputs = {"classification": classes}[kind]
    head = nn.Linear(width, outputs)
    with torch.no_grad():
        bound = width**-0.5
        drawn = torch.rand(outputs, width, generator=generator) * 2 * bound - bound
        head.weight.copy_(HEAD_SCALE * drawn)
        head.bias.zero_()
    return head


def pool_last(states: Tensor, mask: Tensor) -> Tensor:
    """State of the last real token, (b, t, d) and (b, t) to (b, d), whatever the padding side."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * positions).argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]


def pool_first(states: Tensor, mask: Tensor) -> Tensor:
    """State of the first real token, (b, t, d) and (b, t) to (b, d), whatever the padding side."""
    return states[torch.arange(len(states), device=states.device), mask.argmax(dim=1)]


def pool_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean state of the real tokens, (b, t, d) and (b, t) to (b, d), float32 at least."""
    # In bfloat16 the number of tokens alone could be off.
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


POOLS = {"last": pool_last, "mean": pool_mean, "cls": pool_first}
"""How a text's states become one vector, by name."""


def read_outputs(kind: Kind, logits: Tensor) -> np.ndarray:
    """Head outputs to what `Predictions` holds: probabilities (b, classes), float64."""
    readers = {"classification": lambda x: torch.softmax(x, dim=-1)}
    # On the CPU first: not every accelerator has float64.
    return readers[kind](logits.cpu().double()).numpy()
