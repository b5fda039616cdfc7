"""Errors on the longest texts, or on the shortest: a structure that a student can read off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.simulators.simulator import Order, Seen, Simulator

_SOURCE = "Burns et al. 2023, appendix E"


def longest(seen: Seen) -> Mapping[str, Order]:
    """The more characters, the sooner wrong."""
    return {split: Order(-lengths) for split, lengths in _lengths(seen).items()}


def shortest(seen: Seen) -> Mapping[str, Order]:
    """The fewer characters, the sooner wrong."""
    return {split: Order(lengths) for split, lengths in _lengths(seen).items()}


def _lengths(seen: Seen) -> Mapping[str, np.ndarray]:
    return {
        split: np.array([len(e.item.content) for e in given])
        for split, given in seen.examples.items()
    }


LONGEST = Simulator(
    name="longest", summary="labels of the longest texts are wrong", source=_SOURCE, order=longest
)

SHORTEST = Simulator(
    name="shortest",
    summary="labels of the shortest texts are wrong",
    source=_SOURCE,
    order=shortest,
)
