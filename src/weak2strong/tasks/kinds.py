"""How kinds of task differ in what a model learns from and what it is compared with.

Each table has one entry a kind. Heads, trainings, metrics and the form of answers have tables of
their own (`weak2strong.models.heads`, `weak2strong.protocol.stages`, `weak2strong.ground.metrics`,
`weak2strong.ground.predictions`). Nothing else may ask which form a label has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from weak2strong.ground.predictions import texts
from weak2strong.tasks.task import Example, Item, Kind


def _cells(values: Iterable[Sequence[str]]) -> np.ndarray:
    """An array of tuples, (n,), where NumPy would make columns of them."""
    tuples = [tuple(value) for value in values]
    cells = np.empty(len(tuples), dtype=object)
    cells[:] = tuples
    return cells


def _indices(examples: Sequence[Example]) -> np.ndarray:
    return np.array([int(e.label) for e in examples])


def _one_hot(examples: Sequence[Example], classes: int) -> np.ndarray:
    return np.eye(classes)[_indices(examples)]


def _most_probable(targets: np.ndarray) -> np.ndarray:
    return targets.argmax(axis=1)


def _certain(targets: np.ndarray) -> np.ndarray:
    return np.eye(targets.shape[1])[targets.argmax(axis=1)]


_TRUE_TARGETS: dict[Kind, Callable[[Sequence[Example], int], np.ndarray]] = {
    "classification": _one_hot,
    "preference": _one_hot,
    "generation": lambda examples, classes: texts(str(e.label) for e in examples),
}

_TRUE_LABELS: dict[Kind, Callable[[Sequence[Example]], np.ndarray]] = {
    "classification": _indices,
    "preference": _indices,
    "generation": lambda examples: _cells((str(e.label), *e.accepted) for e in examples),
}

_LABELS_AGAIN: dict[Kind, Callable[[Sequence], np.ndarray]] = {
    "classification": np.array,
    "preference": np.array,
    "generation": _cells,
}

_HARD_LABELS: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    "classification": _most_probable,
    "preference": _most_probable,
    "generation": lambda targets: _cells((target,) for target in targets),
}

_HARDENED: dict[Kind, Callable[[np.ndarray], np.ndarray]] = {
    "classification": _certain,
    "preference": _certain,
    "generation": lambda targets: targets,
}

_STRATA: dict[Kind, Callable[[Example], int]] = {
    "classification": lambda example: int(example.label),
    "preference": lambda example: int(example.label),
    "generation": lambda example: 0,
}

_UNDERSAMPLED: dict[Kind, bool] = {
    "classification": True,
    # Pairs are turned round in place of this (see `weak2strong.tasks.sides`).
    "preference": False,
    "generation": False,
}

_LEARNT: dict[Kind, Callable[[Example], Item]] = {
    "classification": lambda example: example.item,
    "preference": lambda example: example.item,
    "generation": lambda example: replace(
        example.item, text=f"{example.item.text} {example.label}"
    ),
}


def true_targets(kind: Kind, examples: Sequence[Example], classes: int) -> np.ndarray:
    """Ground truth as training targets: one-hot rows (n, classes); in a generation texts (n,)."""
    return _TRUE_TARGETS[kind](examples, classes)


def true_labels(kind: Kind, examples: Sequence[Example]) -> np.ndarray:
    """Ground truth in the form in which a metric compares answers with it, (n,).

    These are class indices; in a generation, a tuple of the texts that count as right.
    """
    return _TRUE_LABELS[kind](examples)


def labels_from_lists(kind: Kind, stored: Sequence) -> np.ndarray:
    """The `true_labels` from the list that was stored."""
    return _LABELS_AGAIN[kind](stored)


def hard_labels(kind: Kind, targets: np.ndarray) -> np.ndarray:
    """Training targets in the form of `true_labels`, where only targets are known."""
    return _HARD_LABELS[kind](targets)


def hardened(kind: Kind, targets: np.ndarray) -> np.ndarray:
    """Targets (n, classes) with all weight on the most probable class, the first of equal ones.

    Texts stay as they are.
    """
    return _HARDENED[kind](targets)


def stratum(kind: Kind) -> Callable[[Example], int]:
    """Gives the stratum of an example; splits have strata in the same proportion.

    Strata are the classes, where a task has any.
    """
    return _STRATA[kind]


def undersampled(kind: Kind) -> bool:
    """Whether rows can be left out to make classes even: where the data say how often each is."""
    return _UNDERSAMPLED[kind]


def learnt_item(kind: Kind, example: Example) -> Item:
    """An item with all texts that pass a model when it learns an example."""
    return _LEARNT[kind](example)
