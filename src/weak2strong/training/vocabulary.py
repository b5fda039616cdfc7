"""Train only those rows of a token embedding that the texts use.

The other rows get no gradient, and without weight decay AdamW leaves them as they are: to
include them in every step costs time and memory for nothing. The embedding can be half of a
small model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from weak2strong.config.training import Training
from weak2strong.models.ranks import Ranks
from weak2strong.models.text_part import embedding_of
from weak2strong.training.checkpoint import holds

WORTH = 1_000_000
"""The number of weights that must be left out; below it, nobody would notice the difference."""


class UsedRows(nn.Module):
    """An embedding that has only some rows of another one."""

    def __init__(self, whole: nn.Embedding, used: Tensor):
        super().__init__()
        row_of = torch.zeros(whole.num_embeddings, dtype=torch.long, device=used.device)
        row_of[used] = torch.arange(len(used), device=used.device)
        self.row_of: Tensor
        self.register_buffer("row_of", row_of, persistent=False)
        self.rows = nn.Parameter(whole.weight.detach()[used].clone())
        padding = whole.padding_idx
        self._padding = int(row_of[padding]) if padding is not None and padding in used else None

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids (b, t) to vectors (b, t, d)."""
        return functional.embedding(self.row_of[tokens], self.rows, self._padding)


ROWS = "rows"
"""The name of the weights of an embedding that has only some rows."""


def spares_rows(training: Training, ranks: Ranks, checkpoint: Path | None) -> bool:
    """Whether a training may spare rows of the embedding that its texts do not use.

    Weight decay moves all rows. Several ranks train the whole embedding, and their checkpoint is
    gone on from.
    """
    whole = training.weight_decay != 0 or ranks.several
    return not whole and holds(checkpoint, f".{ROWS}")


@contextmanager
def only_used_rows(trunk: Any, texts: Sequence[Sequence[int]], pad_id: int) -> Iterator[None]:
    """A context in which the trunk's embedding has only the rows of these texts.

    Nothing changes where the trunk's embedding is of a special kind, is frozen, or is used
    elsewhere too.

    Args:
        trunk: of Transformers.
        texts: token ids of all texts that the trunk will read in this context.
        pad_id: the token that they are padded with.
    """
    whole = embedding_of(trunk)
    used = sorted({pad_id, *(token for text in texts for token in text)})
    plain = _is_plain(trunk, whole)
    if not plain or (len(whole.weight) - len(used)) * whole.embedding_dim < WORTH:
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


def _is_plain(trunk: nn.Module, module: nn.Module | None) -> bool:
    """Whether an embedding is a table that is trained, and used for nothing but lookup."""
    if type(module) is not nn.Embedding or not module.weight.requires_grad:
        return False
    holders = [p for _, p in trunk.named_parameters(remove_duplicate=False) if p is module.weight]
    return len(holders) == 1 and module.max_norm is None and not module.scale_grad_by_freq
