"""Which of many things are the same, found by hashes, so that no second form of each is kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from weak2strong.ground.watched import watched

Thing = TypeVar("Thing")


def firsts(
    things: Sequence[Thing], key: Callable[[Thing], Hashable], what: str = "comparing texts"
) -> np.ndarray:
    """Of each thing, the position of the first one with an equal key, (n,).

    Exact: keys are compared where hashes are equal. Only keys of such things are kept meanwhile.

    Args:
        things: of any kind.
        key: of a thing.
        what: is done, for the progress that is shown.
    """
    count = len(things)
    each = watched(things, what, count)
    hashes = np.fromiter((hash(key(thing)) for thing in each), np.int64, count)
    order = hashes.argsort(kind="stable")
    like_next = hashes[order[1:]] == hashes[order[:-1]]
    repeated = np.zeros(count, dtype=bool)
    repeated[order[1:]] |= like_next
    repeated[order[:-1]] |= like_next
    first, seen = np.arange(count), dict[Hashable, int]()
    for position in np.flatnonzero(repeated).tolist():
        first[position] = seen.setdefault(key(things[position]), position)
    return first


def sets_of(first: np.ndarray) -> list[list[int]]:
    """The positions of things that are the same, two or more each, by the first one.

    Args:
        first: as `firsts` gives it.
    """
    again = np.flatnonzero(first != np.arange(len(first))).tolist()
    sets: dict[int, list[int]] = {}
    for position in again:
        sets.setdefault(int(first[position]), []).append(position)
    return [[position, *sets[position]] for position in sorted(sets)]
