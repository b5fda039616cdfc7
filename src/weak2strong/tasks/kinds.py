"""What differs between kinds of task in what a model learns from and is compared with.

One entry a kind in each table; heads and metrics have tables of their own
(`weak2strong.models.heads`, `weak2strong.metrics`). Nothing else may ask what
form a label has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from weak2strong.tasks.task import Example, Kind


def _one_hot(examples: Sequence[Example], classes: int) -> np.ndarray:
    return np.eye(classes)[[e.label for e in examples]]


def _most_probable(targets: np.ndarray) -> np.ndarray:
    return targets.argmax(axis=1)


def _certain(targets: np.ndarray) -> np.ndarray:
    return np.eye(targets.shape[1])[targets.argmax(axis=1)]


_TRUE_TARGETS: dict[Kind, Callable[[Sequence[Example], int], np.ndarray]] = {
    "classification": _one_hot,
    "preference": _one_hot,
}

_HARD_LABELS: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    "classification": _most_probable,
    "preference": _most_probable,
}

_HARDENED: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    "classification": _certain,
    "preference": _certain,
}


def true_targets(kind: Kind, examples: Sequence[Example], classes: int) -> np.ndarray:
    """Ground truth as training targets: one-hot rows (n, classes), for a preference (n, 2)."""
    return _TRUE_TARGETS[kind](examples, classes)


def hard_labels(kind: Kind, targets: np.ndarray) -> np.ndarray:
    """What a metric compares with where only soft targets are known: (n,) class indices."""
    return _HARD_LABELS[kind](targets)


def hardened(kind: Kind, targets: np.ndarray) -> np.ndarray:
    """Soft targets (n, classes) with all weight on the most probable class, the first of equals."""
    return _HARDENED[kind](targets)
