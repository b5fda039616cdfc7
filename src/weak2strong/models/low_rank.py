"""A frozen layer with a low-rank adapter as one operation, with few small products.

For states x (n, m), frozen weights W and b, and an adapter of A (r, m) and B (k, r), it is

    y = x W' + b + s (x A') B'        (Hu et al. 2021, section 4.1)

PEFT's own takes twice as many operations, most of which only change precisions or scale.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def pass_as_one(trunk: nn.Module) -> None:
    """Let every linear layer with an adapter of PEFT's compute both as one; in place."""
    from peft.tuners.lora import Linear

    for layer in trunk.modules():
        if isinstance(layer, Linear):
            # A bound method would be copied with its first layer where a model is copied.
            layer.forward = partial(_forward, layer)  # pyright: ignore


def _forward(layer: Any, states: Tensor) -> Tensor:
    """What PEFT's layer gives for states (..., m): (..., k)."""
    if layer.merged or layer.disable_adapters:
        return type(layer).forward(layer, states)
    (name,) = layer.active_adapters
    weight, kind = layer.base_layer.weight, states.device.type
    mixed = torch.is_autocast_enabled(kind)
    precision = torch.get_autocast_dtype(kind) if mixed else weight.dtype
    # GPT-2 keeps its weights transposed.
    weight = weight if layer.fan_in_fan_out else weight.t()
    bias = layer.base_layer.bias
    down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
    return _LowRank.apply(
        states.to(precision),
        weight.to(precision),
        None if bias is None else bias.to(precision),
        down,
        up,
        layer.scaling[name],
    )


class _LowRank(torch.autograd.Function):
    """The sum of both, with gradients for states and adapter."""

    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scale: float,
    ) -> Tensor:
        """Of states (..., m), weight (m, k), bias (k,), down (r, m) and up (k, r): (..., k)."""
        # Falcon and others add to a result in place, which PyTorch allows of no view made in here.
        flat = states.flatten(0, -2)
        inner = flat @ down.to(flat.dtype).t()
        shape = (*states.shape[:-1], weight.shape[1])
        result = torch.empty(shape, dtype=flat.dtype, device=flat.device)
        rows = result.view(-1, shape[-1])
        if bias is None:
            torch.mm(flat, weight, out=rows)
        else:
            torch.addmm(bias, flat, weight, out=rows)
        rows.addmm_(inner, (scale * up).to(flat.dtype).t())
        ctx.save_for_backward(flat, inner, weight, down, up)
        ctx.scale, ctx.shape = scale, states.shape
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gradients of all that `forward` is given; what is frozen has none."""
        flat, inner, weight, down, up = ctx.saved_tensors
        grad = grad.flatten(0, -2)
        of_inner = grad @ (ctx.scale * up).to(grad.dtype)
        of_states = None
        if ctx.needs_input_grad[0]:
            of_states = (grad @ weight.t()).addmm_(of_inner, down.to(grad.dtype)).view(ctx.shape)
        of_down = (of_inner.t() @ flat).to(down.dtype)
        of_up = ctx.scale * (grad.t() @ inner).to(up.dtype)
        return of_states, None, None, of_down, of_up, None
