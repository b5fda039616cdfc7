"""A supervisor that sees little of what the student sees: the first features of its activations.

Features are principal components, since the single dimensions of an activation have no order.
There are as few as a logistic regression with ground truth needs to reach the wanted accuracy.
The regression is fitted on ``strong_train``; the answer to an example of ``strong_train`` comes
from a fit without its group.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from weak2strong.probes import fit_logistic
from weak2strong.probes.selection import folds_by_group
from weak2strong.simulators.simulator import Evidence, Order, by_confidence, simulator

FOLDS = 5
TOLERANCE = 1e-4
"""Of the fits: only their answers are used, and these need no exact weights."""


@simulator(
    "first-features",
    "labels of a logistic regression on the first features of the student's activations",
    "Burns et al. 2023, appendix E",
    needs=("activations", "classes"),
)
def first_features(evidence: Evidence) -> Mapping[str, Order]:
    """The errors of that regression; the last few are put where it is least decided."""
    _, answers = answers_of_first(evidence)
    return {split: by_confidence(p, evidence.labels(split)) for split, p in answers.items()}


def answers_of_first(evidence: Evidence) -> tuple[int, Mapping[str, np.ndarray]]:
    """The number of features, and probabilities (n, classes) by split."""
    train, labels = "strong_train", evidence.labels("strong_train")
    states = {
        split: evidence.activations[split].at(evidence.ids(split)) for split in evidence.examples
    }
    centre = states[train].mean(axis=0)
    axes = np.linalg.svd(states[train] - centre, full_matrices=False)[2].T
    features = {split: (x - centre) @ axes for split, x in states.items()}
    fold = folds_by_group([e.item.group for e in evidence.examples[train]], FOLDS, seed=0)
    wanted = 1 - evidence.errors[train] / len(labels)
    nearest, distance, held_out = 0, np.inf, np.empty(0)
    for k in _counts(axes.shape[1]):
        p = _cross_fitted(features[train][:, :k], labels, fold, evidence.classes)
        accuracy = (p.argmax(axis=1) == labels).mean()
        if abs(accuracy - wanted) < distance:
            nearest, distance, held_out = k, abs(accuracy - wanted), p
        if accuracy >= wanted:
            break
    whole = _fitted(features[train][:, :nearest], labels, evidence.classes)
    answers = {split: whole.predict(x[:, :nearest]) for split, x in features.items()}
    return nearest, answers | {train: held_out}


def _counts(width: int) -> list[int]:
    """Numbers of features to try: each of the first, then a quarter more each time."""
    counts = [1]
    while counts[-1] < width:
        counts.append(min(width, max(counts[-1] + 1, counts[-1] * 5 // 4)))
    return counts


def _cross_fitted(x: np.ndarray, labels: np.ndarray, fold: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities (n, classes), each of a fit on the other folds."""
    answers = np.empty((len(labels), classes))
    for part in np.unique(fold):
        out = fold == part
        answers[out] = _fitted(x[~out], labels[~out], classes).predict(x[out])
    return answers


def _fitted(x: np.ndarray, labels: np.ndarray, classes: int):
    return fit_logistic(x, labels, classes=classes, tolerance=TOLERANCE)
