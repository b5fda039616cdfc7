"""Errors by what a strong model with ground truth thinks: where it doubts, or where it is sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.simulators.simulator import Order, Seen, Simulator

_SOURCE = "Burns et al. 2023, appendix E"


def least_confident(seen: Seen) -> Mapping[str, Order]:
    """The lower the probability of its answer, the sooner wrong: errors that a student may share.

    A wrong label is the likeliest of the wrong classes.
    """
    probabilities = _probabilities(seen)
    return {split: Order(p.max(axis=1), p) for split, p in probabilities.items()}


def most_confidently_right(seen: Seen) -> Mapping[str, Order]:
    """The higher the probability of the true class, the sooner wrong: errors against all sense."""
    found = {}
    for split, p in _probabilities(seen).items():
        labels = seen.labels(split)
        found[split] = Order(-p[np.arange(len(labels)), labels], p)
    return found


def _probabilities(seen: Seen) -> Mapping[str, np.ndarray]:
    return {split: seen.knowing[split].at(seen.ids(split)) for split in seen.examples}


LEAST_CONFIDENT = Simulator(
    name="least-confident",
    summary="labels are wrong where a strong model with ground truth is least confident",
    source=_SOURCE,
    order=least_confident,
    needs=("knowing",),
)

MOST_CONFIDENTLY_RIGHT = Simulator(
    name="most-confidently-right",
    summary="labels are wrong where a strong model with ground truth is most confidently right",
    source=_SOURCE,
    order=most_confidently_right,
    needs=("knowing",),
)
