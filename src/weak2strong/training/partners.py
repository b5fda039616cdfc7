"""Which examples of a training set belong together as pairs, and where each stands in a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.tasks.task import Item


@dataclass(frozen=True)
class Partners:
    """The partner of each of n examples: who says the same or the opposite.

    Attributes:
        other: position of the partner, ``(n,)``; -1 without one. Of several with one name, each
            has the next, and the last has the first.
        opposite: whether the two say the opposite, booleans ``(n,)``.
        units: positions of those that stay together when the order is drawn.
    """

    other: np.ndarray
    opposite: np.ndarray
    units: tuple[np.ndarray, ...]

    def in_batch(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the partners stand in a batch.

        Args:
            batch: positions of its examples, ``(B,)``.

        Returns:
            Positions in the batch ``(B,)``, -1 where the partner is not in it; and whether the two
            say the opposite.
        """
        place = np.full(len(self.other) + 1, -1)
        place[batch] = np.arange(len(batch))
        # The last place is that of no example.
        return place[self.other[batch]], self.opposite[batch]


def partners_of(items: Sequence[Item]) -> Partners:
    """The partners among some items, by their names (see `weak2strong.tasks.task.Item.pair`)."""
    members = defaultdict[str, list[int]](list)
    for position, item in enumerate(items):
        members[item.pair.removeprefix("-") or f"\0{position}"].append(position)
    other, opposite = np.full(len(items), -1), np.zeros(len(items), dtype=bool)
    for positions in members.values():
        for one, two in zip(positions, [*positions[1:], positions[0]], strict=True):
            if one != two:
                other[one] = two
                opposite[one] = items[one].pair != items[two].pair
    return Partners(other, opposite, tuple(np.array(unit) for unit in members.values()))
