"""Which layers of a trunk get low-rank adapters: one rule for all architectures."""

from __future__ import annotations

import inspect
import re
from functools import cache

from torch import nn


def adapted_layers(trunk: nn.Module) -> list[str]:
    """Names of the linear layers that get adapters; a trunk on the meta device will do.

    They are all but those of routed experts, which see a part of the tokens and are often one
    tensor together, and of what routes tokens to them (in most families no linear layer at all),
    and those whose weight the module around them reads itself, as the fused kernels of state-space
    layers do: an adapter on such a layer would not be heard. Nor would one on a pooler, which comes
    after the states that a head reads.
    """
    from transformers.pytorch_utils import Conv1D

    modules = dict(trunk.named_modules())
    found = []
    # GPT-2 has linear layers of its own making.
    for name, module in modules.items():
        if not isinstance(module, (nn.Linear, Conv1D)):
            continue
        parent, _, own = name.rpartition(".")
        left_out = {"experts", "pooler"} & set(parent.split("."))
        if left_out or own in _read_past_it(type(modules[parent])):
            continue
        if _routes(module, modules[parent]):
            continue
        found.append(name)
    return found


def _routes(layer: nn.Module, around: nn.Module) -> bool:
    """Whether a linear layer gives a number for each of the routed experts beside it."""
    experts = getattr(around, "experts", None)
    if not isinstance(experts, nn.Module):
        return False
    count = getattr(experts, "num_experts", None) or len(list(experts.children()))
    return getattr(layer, "out_features", None) == count


@cache
def _read_past_it(around: type) -> frozenset[str]:
    """Names of the layers in a module of a class whose weight its own code uses."""
    try:
        source = inspect.getsource(around)
    except (OSError, TypeError):
        return frozenset()
    # What asks for its kind or type alone does not compute with it.
    asked = r"(?!\.(?:dtype|device|shape|size|data|requires_grad))"
    used = r"(?<!isinstance\()self\.(\w+)\.weight\b" + asked
    return frozenset(re.findall(used, source))
