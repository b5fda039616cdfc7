"""Train only those rows of a token embedding that the texts use.

The other rows get no gradient and, without weight decay, AdamW leaves them as
they are: to carry them through every step costs time and memory for nothing.
Half of a small model can be its embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

WORTH = 1_000_000
"""Weights that must be spared; below, it would save nothing that one could notice."""


class UsedRows(nn.Module):
    """Some rows of an embedding, as an embedding that knows no other token."""

    def __init__(self, whole: nn.Embedding, used: Tensor):
        super().__init__()
        places = torch.zeros(whole.num_embeddings, dtype=torch.long, device=used.device)
        places[used] = torch.arange(len(used), device=used.device)
        self.places: Tensor
        self.register_buffer("places", places, persistent=False)
        self.rows = nn.Parameter(whole.weight.detach()[used].clone())
        padding = whole.padding_idx
        self._padding = int(places[padding]) if padding is not None and padding in used else None

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (b, t) to vectors (b, t, d)."""
        return functional.embedding(self.places[tokens], self.rows, self._padding)


@contextmanager
def only_used_rows(trunk: Any, texts: Sequence[Sequence[int]], pad_id: int) -> Iterator[None]:
    """Within it, the trunk's embedding has the rows of these texts only; then it is whole again.

    Where the trunk's embedding is of a special kind, is frozen, or is used elsewhere
    too, nothing changes.

    Args:
        trunk: of Transformers.
        texts: token ids of all texts that the trunk will see meanwhile.
        pad_id: the token they are padded with.
    """
    whole = trunk.get_input_embeddings()
    used = sorted({pad_id, *(token for text in texts for token in text)})
    if not _is_plain(trunk, whole) or (len(whole.weight) - len(used)) * whole.embedding_dim < WORTH:
        yield
        return
    rows = torch.tensor(used, device=whole.weight.device)
    part = UsedRows(whole, rows)
    trunk.set_input_embeddings(part)
    try:
        yield
    finally:
        with torch.no_grad():
            whole.weight[rows] = part.rows
        trunk.set_input_embeddings(whole)


def _is_plain(trunk: nn.Module, module: nn.Module) -> bool:
    """Whether an embedding is a table that is trained, and nothing but looked up."""
    if type(module) is not nn.Embedding or not module.weight.requires_grad:
        return False
    holders = [p for _, p in trunk.named_parameters(remove_duplicate=False) if p is module.weight]
    return len(holders) == 1 and module.max_norm is None and not module.scale_grad_by_freq
