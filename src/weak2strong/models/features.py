"""A head on vectors that are there already: rows of a file, read when they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
import torch
from torch import Tensor, nn

from weak2strong.config.model import ModelSpec, Pooling
from weak2strong.ground.draws import draw_seed
from weak2strong.models.heads import new_head
from weak2strong.models.loaded import Headed, LoadedModel, best_device
from weak2strong.models.ranks import Ranks
from weak2strong.models.reader import Batch, Given, Row
from weak2strong.models.vectors import Vectors, vectors_of
from weak2strong.tasks.task import Item, Kind


class VectorNetwork(Headed):
    """A head on vectors (b, d), which no trunk changes."""

    def __init__(self, head: nn.Linear):
        super().__init__(nn.Identity(), head)

    def pooled(self, *batch: Tensor) -> Tensor:
        """The vectors themselves."""
        return batch[0]

    def pooled_layers(
        self, batch: Sequence[Tensor], layers: Sequence[int], pooling: Pooling = "auto"
    ) -> list[Tensor]:
        """The vectors themselves: there is one layer, which has the number 0."""
        return [batch[0] for _ in layers]


@dataclass(frozen=True)
class Places(Sequence[Row]):
    """Rows of a file; each of them costs 1, and is the number of the row."""

    of: Vectors
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return replace(self, rows=self.rows[index])
        return (int(self.rows[index]),)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """The vectors of some of these rows, by their positions, (n, width) float32."""
        return self.of.at(self.rows[positions])


@dataclass(frozen=True)
class VectorReader:
    """Finds the vectors of items by their ids.

    Attributes:
        vectors: of the file.
    """

    vectors: Vectors
    longest: int = 1
    filler: None = None

    def rows(self, items: Sequence[Item]) -> Places:
        """The rows of some items."""
        return Places(self.vectors, self.vectors.rows_of([item.id for item in items]))

    def given(self, rows: Sequence[Row]) -> Given | None:
        """The vectors of these rows."""
        return rows if isinstance(rows, Places) else None

    def blank(self, count: int, length: int) -> Sequence[Row]:
        """The first row, so many times."""
        return [(0,)] * count

    def batch(self, rows: Sequence[Row], device: torch.device) -> Batch:
        """Vectors (b, width) float32."""
        values = self.vectors.at(np.array([row[0] for row in rows], dtype=np.int64))
        return (torch.from_numpy(values).to(device),)

    def save(self, folder: Path) -> None:
        """Nothing: a head on vectors is not kept."""


def load_features(
    spec: ModelSpec, kind: Kind, classes: int, seed: int, ranks: Ranks
) -> LoadedModel:
    """A fresh head, drawn from the seed, on the vectors of a file; see `load_model`.

    It has a bias, as the usual linear classifier of features has.

    Raises:
        UserError: where the file is no table of vectors by id.
    """
    vectors, device = vectors_of(spec), best_device()
    draws = torch.Generator().manual_seed(draw_seed(seed, "head", str(vectors.width)))
    head = new_head(kind, vectors.width, classes, decoder=False, generator=draws)
    if spec.head_start == "zero":
        with torch.no_grad():
            head.weight.zero_()
    network = VectorNetwork(head).eval().to(device)
    scaled = spec.head_states != "raw"
    return LoadedModel(
        network, VectorReader(vectors), device, ranks=ranks, kind=kind, scaled=scaled
    )
