"""Errors by what a strong model with ground truth thinks: where it doubts, or where it is sure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.simulators.simulator import Evidence, Order, simulator

_SOURCE = "Burns et al. 2023, appendix E"


@simulator(
    "least-confident",
    "labels are wrong where a strong model with ground truth is least confident",
    _SOURCE,
    needs=("strong_answers", "classes"),
)
def least_confident(evidence: Evidence) -> Mapping[str, Order]:
    """The lower the probability of its answer, the sooner wrong: errors that a student may share.

    A wrong label is the likeliest of the wrong classes.
    """
    probabilities = _probabilities(evidence)
    return {split: Order(p.max(axis=1), p) for split, p in probabilities.items()}


@simulator(
    "most-confidently-right",
    "labels are wrong where a strong model with ground truth is most confidently right",
    _SOURCE,
    needs=("strong_answers", "classes"),
)
def most_confidently_right(evidence: Evidence) -> Mapping[str, Order]:
    """The higher the probability of the true class, the sooner wrong: errors that make no sense."""
    orders = {}
    for split, p in _probabilities(evidence).items():
        labels = evidence.labels(split)
        orders[split] = Order(-p[np.arange(len(labels)), labels], p)
    return orders


def _probabilities(evidence: Evidence) -> Mapping[str, np.ndarray]:
    answers = evidence.strong_answers
    return {split: answers[split].at(evidence.ids(split)) for split in evidence.examples}
