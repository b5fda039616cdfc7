"""What a frozen trunk gave of images before: rows of stored arrays, read when they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.models.reader import Given


@dataclass(frozen=True)
class StoredStates:
    """Vectors of images by their content.

    Attributes:
        parts: arrays (n, width) float32, such as those that are mapped from files.
        places: of the images that are known, by content: the part, and the row in it.
    """

    parts: tuple[np.ndarray, ...]
    places: Mapping[str, tuple[int, int]]

    def given(self, keys: Sequence[str]) -> Given | None:
        """The vectors of these images; None where one of them is not known."""
        found = [self.places.get(key) for key in keys]
        known = [place for place in found if place is not None]
        if len(known) < len(found):
            return None
        return Stored(self.parts, np.array(known, dtype=np.int64).reshape(-1, 2))


@dataclass(frozen=True)
class Stored:
    """The vectors of some images (see `Given`).

    Attributes:
        parts: as in `StoredStates`.
        places: the part and the row of each image, (n, 2).
    """

    parts: tuple[np.ndarray, ...]
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """A copy of some of them, by their positions, (n, width) float32."""
        part, row = self.places[positions].T
        values = np.empty((len(part), self.parts[0].shape[1]), dtype=np.float32)
        for number in np.unique(part):
            here = part == number
            values[here] = self.parts[number][row[here]]
        return values
