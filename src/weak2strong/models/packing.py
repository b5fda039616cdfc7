"""Texts that pass a model one after another in one row, so that nothing is padding.

Each text has positions of its own, and its tokens attend to it alone. All but attention works on
tokens one by one anyway. On a GPU, attention over texts of any length is PyTorch's `varlen_attn`
(FlashAttention, Dao 2023); elsewhere the texts are padded for attention alone, which is exact, too.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.attention import attend_within, attention
from weak2strong.models.batches import on_device
from weak2strong.models.folders import is_tiny
from weak2strong.models.text_part import text_config

NAME = "weak2strong_packed"
"""Of the attention in Transformers' table."""

PACKED = ("bert", "gemma", "gpt2", "gpt_neox", "granite", "llama", "mistral", "olmo2", "phi3")
PACKED += ("qwen2", "qwen3")
"""Types of models, as their configurations call them, whose packed pass is tested to equal the
padded one. Others have attention, positions or layers of another kind."""

WIDEST = 256
"""Numbers of a head that the attention of a GPU can have at most."""


@dataclass(frozen=True)
class Packed:
    """Where each of some texts is in a row of all their tokens.

    It stands where a padded batch has its mask.

    Attributes:
        lengths: of the texts, in tokens.
        device: that the row is on.
    """

    lengths: tuple[int, ...]
    device: torch.device

    @cached_property
    def begins(self) -> tuple[int, ...]:
        """Where each text begins in the row."""
        return (0, *accumulate(self.lengths[:-1]))

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest text."""
        return max(self.lengths)

    @cached_property
    def bounds(self) -> Tensor:
        """Where texts begin, and where the last one ends, (texts + 1,) int32."""
        return self._there((*self.begins, sum(self.lengths))).int()

    @cached_property
    def positions(self) -> Tensor:
        """Of each token in its text, (1, tokens)."""
        return self._there([i for length in self.lengths for i in range(length)]).unsqueeze(0)

    @cached_property
    def first(self) -> Tensor:
        """Of each text its first token's place in the row, (texts,)."""
        return self._there(self.begins)

    @cached_property
    def last(self) -> Tensor:
        """Of each text its last token's place in the row, (texts,)."""
        return self._there([b + n - 1 for b, n in zip(self.begins, self.lengths, strict=True)])

    @cached_property
    def places(self) -> Tensor:
        """The tokens of each text by their places in the row, (texts, longest); 0 for padding."""
        texts = zip(self.begins, self.lengths, strict=True)
        return self._there([[*range(b, b + n), *[0] * (self.longest - n)] for b, n in texts])

    @cached_property
    def mask(self) -> Tensor:
        """1 for the places that are no padding, (texts, longest)."""
        return self._there([[1] * n + [0] * (self.longest - n) for n in self.lengths])

    @cached_property
    def together(self) -> Tensor:
        """Where the tokens of the row are among those of the padded texts, (tokens,)."""
        texts = enumerate(self.lengths)
        return self._there([self.longest * t + i for t, n in texts for i in range(n)])

    def apart(self, states: Tensor) -> Tensor:
        """What a row of tokens has, (tokens, ...), by texts: (texts, longest, ...)."""
        return states[self.places]

    def joined(self, states: Tensor) -> Tensor:
        """The opposite of `apart`."""
        return states.flatten(0, 1)[self.together]

    def _there(self, numbers: Sequence) -> Tensor:
        return on_device(torch.tensor(numbers, dtype=torch.long), self.device)


def pack(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Packed]:
    """Token ids of texts in one row, (1, tokens) int64, and where each text is in it."""
    tokens = torch.tensor([[token for row in rows for token in row]], dtype=torch.long)
    return on_device(tokens, device), Packed(tuple(map(len, rows)), device)


def trunk_inputs(tokens: Tensor, mask: Tensor | Packed) -> dict[str, Any]:
    """What a trunk of Transformers is called with for a batch, padded or packed."""
    if not isinstance(mask, Packed):
        return {"input_ids": tokens, "attention_mask": mask}
    return {
        "input_ids": tokens,
        "position_ids": mask.positions,
        # Transformers takes a mask of four dimensions as it is, and makes none of its own.
        "attention_mask": tokens.new_ones(1, 1, 1, 1),
        "packed": mask,
    }


def packs(spec: ModelSpec, trunk: Any, device: torch.device, precision: torch.dtype) -> bool:
    """Whether texts pass a model packed; if so, it is made ready for that, in place.

    By itself it is packed on a GPU that has attention for texts of any length, and on a CPU where
    it is not tiny: a rule of the kind of device, the precision, the type of model and its size, and
    of nothing that is measured.

    Raises:
        UserError: where the settings demand it, and the model cannot.
    """
    if spec.packing == "off":
        return False
    config = trunk.config
    can = config.model_type in PACKED and config._attn_implementation in ("sdpa", NAME)
    if spec.packing == "on" and not can:
        raise UserError(
            f"Model {spec.name!r} is of type {config.model_type}, whose texts cannot be packed: "
            "leave packing at auto."
        )
    pays = not is_tiny(spec) if device.type == "cpu" else _has_kernel(config, device, precision)
    if spec.packing == "auto" and not (can and pays):
        return False
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    trunk.set_attn_implementation(NAME)
    return True


def _has_kernel(config: Any, device: torch.device, precision: torch.dtype) -> bool:
    """Whether a device has attention for texts of any length, for heads of this model's width."""
    if device.type != "cuda" or precision != torch.bfloat16 or varlen_options() is None:
        return False
    text = text_config(config)
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return torch.cuda.get_device_capability(device) >= (8, 0) and _suits(width)


def _suits(width: int) -> bool:
    return width % 8 == 0 and width <= WIDEST


@cache
def varlen_options() -> frozenset[str] | None:
    """Which options PyTorch's attention for texts of any length has here; None without it."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return frozenset(inspect.signature(varlen_attn).parameters)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    packed: Packed | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as Transformers calls it: of (b, heads, t, d) to (b, t, heads, d).

    Args:
        module: the layer's attention.
        query: of all heads.
        key: of as many heads, or of fewer that several heads of the query share.
        value: as the key.
        attention_mask: of a padded batch.
        packed: where the texts are, of one row of packed tokens.
        **options: scale, window and dropout, as Transformers names them.
    """
    if packed is None:
        return attention(module, query, key, value, attention_mask, **options)
    if torch.is_autocast_enabled(query.device.type):
        precision = torch.get_autocast_dtype(query.device.type)
        query, key, value = (x.to(precision) for x in (query, key, value))
    causal = options.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    scale = options.get("scaling") or 1 / math.sqrt(query.shape[-1])
    window, dropout = options.get("sliding_window"), options.get("dropout", 0.0)
    query, key, value = (x[0].transpose(0, 1) for x in (query, key, value))
    on_gpu = query.device.type == "cuda" and query.dtype in (torch.bfloat16, torch.float16)
    if on_gpu and not dropout and varlen_options() is not None and _suits(query.shape[-1]):
        states = _of_any_length(query, key, value, packed, causal, scale, window)
    else:
        states = _padded(query, key, value, packed, causal, scale, window, dropout)
    return states.unsqueeze(0), None


def _of_any_length(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    causal: bool,
    scale: float,
    window: int | None,
) -> Tensor:
    """By PyTorch's `varlen_attn`: (tokens, heads, d)."""
    from torch.nn.attention.varlen import varlen_attn

    names, options = varlen_options() or frozenset(), {}
    before = window - 1 if window else -1
    after = 0 if causal else before
    if "window_size" in names:
        options["window_size"] = (before, after)
    elif window and window < packed.longest:
        # The first releases of it have no windows.
        return _padded(query, key, value, packed, causal, scale, window, 0.0)
    else:
        options["is_causal"] = causal
    if "scale" in names:
        options["scale"] = scale
    else:
        query = query * (scale * math.sqrt(query.shape[-1]))
    if "enable_gqa" in names:
        options["enable_gqa"] = query.shape[1] != key.shape[1]
    else:
        key, value = (_for_heads(x, query.shape[1]) for x in (key, value))
    ends, longest = packed.bounds, packed.longest
    return varlen_attn(
        query.contiguous(),
        key.contiguous(),
        value.contiguous(),
        ends,
        ends,
        longest,
        longest,
        **options,
    )  # pyright: ignore[reportReturnType]


def _padded(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    causal: bool,
    scale: float,
    window: int | None,
    dropout: float,
) -> Tensor:
    """By texts that are padded for attention alone: (tokens, heads, d)."""
    heads = query.shape[1]
    query, key, value = (
        packed.apart(_for_heads(x, heads)).transpose(1, 2) for x in (query, key, value)
    )
    window = window if window and window < packed.longest else None
    mask = None if causal and window is None else _allowed(packed, causal, window)
    states = attend_within(query, key, value, mask, dropout, mask is None, scale)
    return packed.joined(states.transpose(1, 2))


def _allowed(packed: Packed, causal: bool, window: int | None) -> Tensor:
    """Which tokens attend to which, (texts, 1, longest or 1, longest) bool."""
    allowed = packed.mask.bool()[:, None, None, :]
    places = torch.arange(packed.longest, device=packed.device)
    before = places[:, None] - places[None, :]
    if causal:
        allowed = allowed & (before >= 0)
    if window:
        allowed = allowed & (before.abs() < window)
    # Padding attends to something, or it would be NaN, which gradients carry on.
    return allowed | (before == 0) if causal or window else allowed


def _for_heads(states: Tensor, heads: int) -> Tensor:
    """States of keys or values, (tokens, their heads, d), for each head of the query."""
    return states.repeat_interleave(heads // states.shape[1], dim=1)
