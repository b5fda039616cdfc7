"""How many tokens of a text a model reads."""

from __future__ import annotations

from typing import Any

from weak2strong.config.model import ModelSpec
from weak2strong.models.text_part import text_config

LONGEST = 1024
"""Tokens that every model reads which can (as in Burns et al.), whatever memory it takes."""

STATES = 2**29
"""Bytes that the states between the layers may take of one text in a training, in float32."""


def longest_read(tokenizer: Any) -> int:
    """How many tokens of a text a model reads at most (see `load_tokenizer`)."""
    return min(tokenizer.model_max_length, getattr(tokenizer, "read_length", LONGEST))


def longest_of(spec: ModelSpec, config: Any) -> int:
    """How many tokens the settings of a model allow, where it has positions for them.

    Left open, it is what the data need: up to the power of two at which the states between the
    layers of one text take half a gibibyte, and 1,024 in any case. So 12 layers of 768 numbers
    read 8,192 tokens, and 32 layers of 4,096 read 1,024. It depends on the model alone, and on
    no device, as it changes numbers.
    """
    if spec.max_length != "auto":
        return spec.max_length
    text = text_config(config)
    layers, width = (getattr(text, name, None) for name in ("num_hidden_layers", "hidden_size"))
    if not isinstance(layers, int) or not isinstance(width, int):
        return LONGEST
    tokens = STATES // (4 * max(1, layers * width))
    return max(LONGEST, 2 ** (tokens.bit_length() - 1) if tokens else 0)
