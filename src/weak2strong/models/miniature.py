"""A miniature of a model: the same architecture with few, narrow layers, made of its configuration.

What a model does (whether it reads from left to right, whether its mask hides padding, whether it
computes in bfloat16) follows from its architecture, and not from its size. So it can be tried out
on a small model of random weights, in milliseconds, whatever the size of the real one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import nn

SMALL = 25_000_000
"""Parameters up to which a model is taken as it is, and of most miniatures."""

LAYERS, TOKENS, EXPERTS = 2, 320, 4
"""Of a miniature: its layers, tokens of its vocabulary, and experts."""

HEADS = (2, 4, 8)
"""Attention heads of a miniature; some models want a multiple of 4 or 8."""

MULTIPLE = 16
"""Of which the width of a miniature's layers is a multiple where that of its heads allows it."""

KINDS_OF_LAYERS = 8
"""Of how many layers at most a miniature is made, so that it has one of each kind."""

COUNTS: tuple[tuple[str, int], ...] = (
    (r"(^|_)vocab_size$|^n_vocab$|^vocab_size_per_layer_input$", TOKENS),
    (r"^(n_routed_|num_|n_|num_local_|moe_num_)experts$", EXPERTS),
    (r"(^|_)(experts_per_tok|experts_per_token|topk|moe_k|top_k_experts)$", 2),
    (r"(intermediate_size|ffn_dim|d_ff|n_inner|inner_dim|mlp_dim|feedforward_size|dim_ff)$", 64),
    (r"^ffn_(hidden_size|embed_dim)$|^(mlp|feed_forward)_hidden_size$|^fc_dim$", 64),
    (r"(^|_)image_size$", 28),
    (r"(^|_)patch_size$", 14),
)
"""What a number of a configuration is called, by the conventions of Transformers, and what it is
at most in a miniature."""

DEPTH = r"^(num_)?(encoder_|decoder_|hidden_)?(layers|blocks)$|^n_layers?$|^depth$"
"""What a number of layers is called."""

WIDTH = ("hidden_size", "d_model", "n_embd", "dim", "embed_dim", "emb_dim")
"""What the width of a layer is called; the first that a configuration has counts."""

IN_PROPORTION = (
    r"^mamba_(n|num)_heads$|^n_mamba_heads$|^mamba_d_ssm$|^num_heads$|^attention_hidden_size$"
)
"""What the widths of state-space layers are called, which follow from the width of a layer."""


def miniatures(make: Any, config: Any) -> Iterator[nn.Module]:
    """Small models of an architecture with random weights, on the CPU, in evaluation mode.

    The first is the likeliest to be like the real one; a later one may work where it does not,
    since numbers of a configuration have to fit together.

    Args:
        make: makes a model of a configuration, such as ``AutoModel.from_config``.
        config: of the real model; it is left as it is.
    """
    for candidate in _candidates(config):
        try:
            with torch.device("meta"):
                size = sum(p.numel() for p in make(copy.deepcopy(candidate)).parameters())
            if size > SMALL:
                continue
            with random_numbers_of_its_own():
                small = make(candidate).float().eval()
        # A configuration that does not fit together can fail in any way.
        except Exception:
            continue
        yield small


def _candidates(config: Any) -> Iterator[Any]:
    """The configuration itself, and smaller ones."""
    yield copy.deepcopy(config)
    for few in (True, False):
        for heads in (*HEADS, None):
            smaller = copy.deepcopy(config)
            # Some configurations refuse to be asked for what differs by layer.
            with suppress(Exception):
                shrink(smaller, heads, few)
                yield smaller


def shrink(config: Any, heads: int | None = HEADS[0], few: bool = True) -> None:
    """Make the numbers of a configuration small, in place; parts of it likewise.

    Args:
        config: of Transformers.
        heads: how many attention heads are left, which are as wide as before; None if all.
        few: whether there are fewer layers.
    """
    values = dict(vars(config))
    if heads:
        _narrow(config, heads)
    for name, value in values.items():
        if hasattr(value, "get_text_config"):
            shrink(value, heads, few)
        elif isinstance(value, int) and not isinstance(value, bool):
            named = (most for pattern, most in COUNTS if re.search(pattern, name))
            most = LAYERS if few and re.search(DEPTH, name) else next(named, value)
            if most < value:
                _set(config, name, most)
        if name.endswith("token_id") or name.endswith("token_index"):
            _within_vocabulary(config, name, value)
    if few:
        _of_each_kind(config)


def _narrow(config: Any, heads: int) -> None:
    """Fewer heads of the same width, and layers that are narrower by the same factor."""
    before = getattr(config, "num_attention_heads", None)
    width = next((n for n in WIDTH if isinstance(getattr(config, n, None), int)), None)
    if width is None:
        return
    whole = getattr(config, width)
    # What has no attention is made as narrow as one with heads of 64.
    before = before if isinstance(before, int) and before else max(whole // 64, 1)
    wide = getattr(config, "head_dim", None) if whole % before else whole // before
    if before <= heads or not isinstance(wide, int) or heads * wide >= whole:
        return
    narrow = heads * wide
    if isinstance(getattr(config, "head_dim", None), int):
        # Heads have a width of their own, and some products want a multiple of this.
        narrow += -narrow % MULTIPLE
    _set(config, width, narrow)
    for name, value in dict(vars(config)).items():
        if isinstance(value, int) and re.search(IN_PROPORTION, name):
            _set(config, name, max(1, value * narrow // whole))
    keys = getattr(config, "num_key_value_heads", None)
    _set(config, "num_attention_heads", heads)
    if isinstance(keys, int) and keys:
        _set(config, "num_key_value_heads", heads if keys == before else 1)


def _within_vocabulary(config: Any, name: str, value: Any) -> None:
    """Special tokens are small numbers, each another one as far as they were."""
    if isinstance(value, int) and value >= TOKENS:
        _set(config, name, TOKENS - 1 - value % 64)


def _of_each_kind(config: Any) -> None:
    """As many layers as it takes to have one of each kind, where layers are of several kinds."""
    kinds = getattr(config, "layer_types", None)
    layers = getattr(config, "num_hidden_layers", None)
    if not isinstance(kinds, list) or not isinstance(layers, int) or not kinds:
        return
    needed = max(kinds.index(kind) for kind in set(kinds)) + 1
    if needed <= KINDS_OF_LAYERS:
        layers = max(layers, needed)
    _set(config, "layer_types", kinds[:layers])
    _set(config, "num_hidden_layers", layers)


def _set(config: Any, name: str, value: Any) -> None:
    """Set a value, unless the configuration checks it against others and refuses it."""
    try:
        setattr(config, name, value)
    except Exception:
        return


@contextmanager
def random_numbers_of_its_own() -> Iterator[None]:
    """A context that leaves the generator of everything else as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
