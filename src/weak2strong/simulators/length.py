"""Errors on the longest texts, or on the shortest: a structure that a student can read off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.simulators.simulator import Evidence, Order, simulator

_SOURCE = "Burns et al. 2023, appendix E"


@simulator("longest", "labels of the longest texts are wrong", _SOURCE, needs=("words",))
def longest(evidence: Evidence) -> Mapping[str, Order]:
    """The more characters, the sooner wrong."""
    return {split: Order(-lengths) for split, lengths in _lengths(evidence).items()}


@simulator("shortest", "labels of the shortest texts are wrong", _SOURCE, needs=("words",))
def shortest(evidence: Evidence) -> Mapping[str, Order]:
    """The fewer characters, the sooner wrong."""
    return {split: Order(lengths) for split, lengths in _lengths(evidence).items()}


def _lengths(evidence: Evidence) -> Mapping[str, np.ndarray]:
    return {
        split: np.array([len(e.item.content) for e in examples])
        for split, examples in evidence.examples.items()
    }
