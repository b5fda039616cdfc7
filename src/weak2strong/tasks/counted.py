"""Shingles of many texts counted in little memory: which of them several texts may have.

A shingle has a place in a table of bits, by its key. Where two shingles of different texts have
one place, both are taken for shared: so what is said to be alone is alone.
"""

from __future__ import annotations

import numpy as np

from weak2strong.tasks.shingles import MIXING, Words

COARSE = 20
"""Logarithm of the most places where shingles are counted up, and not only once or more often."""


class Counted:
    """What is known of the shingles of some texts.

    Args:
        words: of all texts.
    """

    def __init__(self, words: Words):
        self._bits = max(words.count.bit_length(), 1)
        self._rest = max(self._bits - COARSE, 0)
        seen = np.zeros(1 << self._bits, dtype=bool)
        self._several = np.zeros(1 << self._bits, dtype=bool)
        self._counts = np.zeros(1 << self._bits - self._rest, dtype=np.int64)
        for block in words.shingles_for("counting shingles"):
            # In their order, places lie near one another in memory.
            places = np.sort(self._places(block.keys))
            self._several[places[1:][places[1:] == places[:-1]]] = True
            self._several[places[seen[places]]] = True
            seen[places] = True
            coarse = places >> np.uint64(self._rest)
            self._counts += np.bincount(coarse.astype(np.int64), minlength=len(self._counts))

    def _places(self, keys: np.ndarray) -> np.ndarray:
        return (keys * MIXING) >> np.uint64(64 - self._bits)

    def several(self, keys: np.ndarray) -> np.ndarray:
        """Whether each shingle may be there more than once; if not, it is not."""
        return self._several[self._places(keys)]

    def template(self, words: Words, most: float) -> np.ndarray:
        """The keys of the shingles that more than so many texts have, sorted."""
        found, counts = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
        blocks = words.shingles_for("counting templates") if self._counts.max() > most else ()
        for block in blocks:
            coarse = self._places(block.keys) >> np.uint64(self._rest)
            often = np.flatnonzero(self._counts[coarse] > most)
            keys, texts = block.keys[often], block.texts()[often]
            order = keys.argsort(kind="stable")
            keys, texts = keys[order], texts[order]
            # Each key once a text.
            new = np.ones(len(keys), dtype=bool)
            new[1:] = (keys[1:] != keys[:-1]) | (texts[1:] != texts[:-1])
            here, times = np.unique(keys[new], return_counts=True)
            found.append(here)
            counts.append(times)
        keys, number = np.unique(np.concatenate(found), return_inverse=True)
        total = np.bincount(number, weights=np.concatenate(counts), minlength=len(keys))
        return keys[total > most]


def among(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether each key is one of those known, which are sorted."""
    if not len(known):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return known[place] == keys
