"""Attention of short texts on a CPU, in bfloat16: by plain products, whose gradients are quicker.

PyTorch's fused attention for CPUs computes gradients in small blocks. In bfloat16 it takes two to
three times as long for them as products of whole matrices do, as long as the texts are short.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

NAME = "weak2strong_plain"
"""By which a configuration of Transformers names it."""

LONGEST = 384
"""Tokens beyond which the fused one is as quick; it also takes less memory."""


def use_plain_attention(model: Any, device: torch.device, precision: torch.dtype) -> None:
    """Let a model's short texts pass plain attention where they leave gradients; in place.

    The rule is fixed: on the CPU, in bfloat16, for models that would use PyTorch's fused attention.

    Args:
        model: of Transformers.
        device: where it will run.
        precision: of its matrix products.
    """
    if device.type != "cpu" or precision != torch.bfloat16:
        return
    if model.config._attn_implementation != "sdpa":
        return
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as Transformers asks for it: of (b, heads, t, d) to (b, t, heads, d).

    Args:
        module: the layer that asks.
        query: of all heads.
        key: of as many heads, or of fewer that several heads of the query share.
        value: as the key.
        attention_mask: true, or 0, where a query may look, (b, 1, t, s); None for all, or, with
            ``is_causal``, for all before it.
        dropout: of the weights.
        scaling: of the scores; by default the inverse root of d.
        is_causal: by default as the layer says.
        **options: of Transformers.
    """
    rest = (options.get(name) for name in ("position_bias", "cache", "softcap"))
    if not is_plain(query, key, dropout) or any(option is not None for option in rest):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, is_causal, **options
        )
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    causal = causal and attention_mask is None
    attended = attend_within(query, key, value, attention_mask, dropout, causal, scaling)
    return attended.transpose(1, 2).contiguous(), None


def attend_within(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """PyTorch's `scaled_dot_product_attention`, by plain products where these are quicker.

    Args:
        query: (b, heads, t, d).
        key: (b, heads, s, d).
        value: as the key.
        mask: true, or 0, where a query may look, as (b, heads, t, s), or of length 1 in some of
            these; None for all.
        dropout: of the weights.
        is_causal: whether a query looks only at what is not after it.
        scale: of the scores; by default the inverse root of d.

    Returns:
        What is attended to, (b, heads, t, d).
    """
    if not is_plain(query, key, dropout):
        return functional.scaled_dot_product_attention(
            query, key, value, mask, dropout, is_causal=is_causal, scale=scale
        )
    # Queries and keys whose positions were turned in float32 are rounded by the fused one, too.
    query, key, value = query.bfloat16(), key.bfloat16(), value.bfloat16()
    if is_causal:
        mask = query.new_ones(query.shape[2], key.shape[2], dtype=torch.bool).tril()
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = torch.matmul(query * factor, key.transpose(-1, -2))
    if mask is not None:
        scores = scores.add_(_added(mask, scores.dtype))
    return torch.matmul(scores.softmax(-1), value)


def is_plain(query: Tensor, key: Tensor, dropout: float) -> bool:
    """Whether gradients in bfloat16 will be asked for on a CPU, of texts as short as that."""
    mixed = torch.is_autocast_enabled("cpu")
    return (
        query.device.type == "cpu"
        and torch.is_grad_enabled()
        and query.requires_grad
        and not dropout
        and (torch.get_autocast_dtype("cpu") if mixed else query.dtype) == torch.bfloat16
        and query.shape[2] == key.shape[2] <= LONGEST
    )


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to scores: 0 where a query may look, and next to minus infinity elsewhere."""
    if mask.dtype != torch.bool:
        return mask
    return mask.new_zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)
