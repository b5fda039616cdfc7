"""The contract of a simulated supervisor: in which order its examples go wrong.

How many do is given, so that supervisors of one accuracy differ in the structure of their errors
alone. Labels are hard: a simulated supervisor has no confidence. Errors are not balanced over
classes, since where they sit is the point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.predictions import Predictions
from weak2strong.tasks.task import Example

Need = Literal["supervisor", "knowing", "activations"]
"""What of `Seen` a simulator looks at, besides the examples."""


@dataclass(frozen=True)
class Seen:
    """What a simulator is shown, by split; of the last three what it needs, empty otherwise.

    Attributes:
        examples: with ground truth.
        classes: how many there are.
        errors: how many labels are to be wrong.
        supervisor: the real one's probabilities.
        knowing: those of the strong model, finetuned like the ceiling, but on ground truth of
            ``weak_train``: the ceiling itself has learnt ``strong_train`` by heart, so that its
            confidence there is of another sort than on the test.
        activations: last layer of the pretrained strong model.
    """

    examples: Mapping[str, Sequence[Example]]
    classes: int
    errors: Mapping[str, int]
    supervisor: Mapping[str, Predictions]
    knowing: Mapping[str, Predictions]
    activations: Mapping[str, Activations]

    def labels(self, split: str) -> np.ndarray:
        """Ground truth (n,) as class indices."""
        return np.array([e.label for e in self.examples[split]])

    def ids(self, split: str) -> tuple[str, ...]:
        """Of the examples, in order."""
        return tuple(e.item.id for e in self.examples[split])


@dataclass(frozen=True)
class Order:
    """How safe the examples of a split are from error.

    Attributes:
        ease: (n,): the lowest go wrong first, equals in random order.
        answers: (n, classes): a wrong label is the class, besides the true one, with the highest;
            None for any of them at random.
    """

    ease: np.ndarray
    answers: np.ndarray | None = None


@dataclass(frozen=True)
class Simulator:
    """A kind of simulated supervisor.

    Attributes:
        name: on the command line.
        summary: one line for lists: which labels are wrong.
        source: paper and section.
        order: of the examples of every split.
        needs: what `order` looks at.
        tells: whether the student's texts end in the label (see `telling`).
    """

    name: str
    summary: str
    source: str
    order: Callable[[Seen], Mapping[str, Order]]
    needs: tuple[Need, ...] = ()
    tells: bool = False


def by_confidence(probabilities: np.ndarray, labels: np.ndarray) -> Order:
    """The errors of a model come first, the surest of them before all; then what is nearly one.

    Args:
        probabilities: (n, classes).
        labels: ground truth (n,).
    """
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    # Where the true class ties with another, the answer is the first of them.
    wrong = probabilities.argmax(axis=1) != labels
    return Order(probabilities[rows, labels] - others.max(axis=1) - 2 * wrong, probabilities)


def mislabelled(
    order: Order, labels: np.ndarray, classes: int, errors: int, rng: np.random.Generator
) -> np.ndarray:
    """Hard labels (n, classes) of which exactly so many are wrong.

    Args:
        order: in which the examples go wrong.
        labels: ground truth (n,).
        classes: how many.
        errors: from 0 to n.
        rng: for equals, and for wrong classes that are not given.
    """
    rows = np.arange(len(labels))
    first = np.lexsort((rng.permutation(len(labels)), order.ease))[:errors]
    if order.answers is None:
        wrong = (labels + rng.integers(1, classes, len(labels))) % classes
    else:
        others = np.array(order.answers, dtype=float)
        others[rows, labels] = -np.inf
        wrong = others.argmax(axis=1)
    said = labels.copy()
    said[first] = wrong[first]
    return np.eye(classes)[said]


def error_count(examples: int, accuracy: float) -> int:
    """How many of so many labels are wrong at an accuracy, to the nearest label."""
    return round((1 - accuracy) * examples)
