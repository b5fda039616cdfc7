"""What turns items into what a network reads.

A task's items are texts, images or rows of features (`weak2strong.tasks.task.Inputs`), and each has
a reader of its own. Training and answering know this protocol and nothing else: rows that have a
length, which is what they cost, and batches of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from weak2strong.models.batches import encode_items, pad
from weak2strong.models.lengths import longest_read
from weak2strong.tasks.task import Item

Row = Sequence[int]
"""What a network reads of a text, an image, or a row of features: its length is what it costs."""

Batch = tuple[Any, ...]
"""What a network is called with."""


class Given(Protocol):
    """Vectors that are there already, such as those in a file."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def at(self, positions: np.ndarray) -> np.ndarray:
        """A copy of some of them, by their positions, (n, width) float32."""
        ...


class Reader(Protocol):
    """Turns items into what a network reads."""

    @property
    def longest(self) -> int:
        """The length of the longest row that there can be."""
        ...

    @property
    def filler(self) -> int | None:
        """The token that fills up short rows; None where rows are no tokens of a vocabulary."""
        ...

    def rows(self, items: Sequence[Item]) -> Sequence[Row]:
        """What the network reads of some items, one after another: a row for each of their texts,
        or one for each image or row of features."""
        ...

    def given(self, rows: Sequence[Row]) -> Given | None:
        """What a frozen trunk gives of all of these rows, where that need not be computed."""
        ...

    def blank(self, count: int, length: int) -> Sequence[Row]:
        """So many rows of a length that mean nothing, by which passes are measured."""
        ...

    def batch(self, rows: Sequence[Row], device: torch.device) -> Batch:
        """Some rows as the network is called with them."""
        ...

    def save(self, folder: Path) -> None:
        """Write what turns items into rows beside a model that is kept."""
        ...


@dataclass(frozen=True)
class TextReader:
    """Reads texts: rows are token ids, and a batch is token ids and mask, both (b, t).

    Attributes:
        tokenizer: with a pad token.
    """

    tokenizer: Any

    @property
    def longest(self) -> int:
        """Tokens of a text that are read at most."""
        return longest_read(self.tokenizer)

    @property
    def filler(self) -> int:
        """The pad token."""
        return self.tokenizer.pad_token_id

    def rows(self, items: Sequence[Item]) -> list[list[int]]:
        """The token ids of every text of the items (see `encode_items`)."""
        return encode_items(self.tokenizer, items)

    def given(self, rows: Sequence[Row]) -> None:
        """Nothing: texts pass the trunk."""

    def blank(self, count: int, length: int) -> list[list[int]]:
        """Texts of the first token alone."""
        return [[0] * length] * count

    def batch(self, rows: Sequence[Row], device: torch.device) -> Batch:
        """Right-padded token ids and mask."""
        return pad(rows, self.filler, device)

    def save(self, folder: Path) -> None:
        """Write the tokenizer."""
        self.tokenizer.save_pretrained(folder)
