"""The contract of a simulated supervisor: in which order its labels become wrong.

How many labels are wrong is decided elsewhere, so that supervisors of one accuracy differ in the
structure of their errors alone. Labels are hard: a simulated supervisor has no confidence. Errors
are not balanced over classes, since which examples are wrong is what is studied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks.answers import is_right
from weak2strong.tasks.kinds import true_labels
from weak2strong.tasks.task import Example, Kind

Need = Literal["supervisor", "strong_answers", "activations", "words", "classes"]
"""A field of `Evidence` that a simulator reads, besides the examples; or that these are words, or
have classes."""


@dataclass(frozen=True)
class Evidence:
    """What a simulator decides by, by split. A field of the last three that it does not need is
    empty.

    Attributes:
        examples: with ground truth.
        kind: of the task.
        classes: how many there are; 0 where labels are texts.
        metric: the name of the study's metric, by which texts are compared; None for the usual one.
        errors: how many labels are to be wrong.
        supervisor: probabilities of the real supervisor.
        strong_answers: probabilities of the strong model, finetuned as the ceiling is, but on
            ground truth of ``weak_train``. The ceiling itself has learnt ``strong_train`` by
            heart, so that its confidence there is not comparable with its confidence on the test.
        activations: last layer of the pretrained strong model.
    """

    examples: Mapping[str, Sequence[Example]]
    kind: Kind
    classes: int
    metric: str | None
    errors: Mapping[str, int]
    supervisor: Mapping[str, Predictions]
    strong_answers: Mapping[str, Predictions]
    activations: Mapping[str, Activations]

    def labels(self, split: str) -> np.ndarray:
        """Ground truth (n,): class indices, or the texts that count as right."""
        return true_labels(self.kind, self.examples[split])

    def right(self, split: str, answers: np.ndarray) -> np.ndarray:
        """Which answers are right, booleans (n,), as the metric of the study reads them."""
        return is_right(answers, self.labels(split), self.kind, self.metric)

    def ids(self, split: str) -> tuple[str, ...]:
        """Ids of the examples, in order."""
        return tuple(e.item.id for e in self.examples[split])


@dataclass(frozen=True)
class Order:
    """How safe the examples of a split are from error.

    Attributes:
        ease: (n,): the labels of the lowest become wrong first, equals in random order.
        answers: (n, classes): a wrong label is the class with the highest value, besides the true
            one; texts (n,): it is that text, unless it counts as right. None for any of the other
            classes, or what counts as right elsewhere, at random.
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
        order: gives the order of the examples of every split.
        needs: the fields of `Evidence` that ``order`` reads, and whether it takes examples of words
            or with classes.
        hints: whether the student's texts end in the label (see `weak2strong.simulators.hints`).
    """

    name: str
    summary: str
    source: str
    order: Callable[[Evidence], Mapping[str, Order]]
    needs: tuple[Need, ...] = ()
    hints: bool = False


Function = TypeVar("Function", bound=Callable[[Evidence], Mapping[str, Order]])


def simulator(
    name: str, summary: str, source: str, needs: tuple[Need, ...] = (), hints: bool = False
) -> Callable[[Function], Function]:
    """Register a function of the evidence as a simulated supervisor (see `Simulator`)."""

    def register(order: Function) -> Function:
        SIMULATORS.add(name, Simulator(name, summary, source, order, needs, hints), origin=None)
        return order

    return register


def by_confidence(probabilities: np.ndarray, labels: np.ndarray) -> Order:
    """The errors of a model come first, the surest before all; then what it nearly has wrong.

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
    """Hard labels (n, classes) with exactly that many errors.

    Args:
        order: in which the labels become wrong.
        labels: ground truth (n,).
        classes: how many.
        errors: from 0 to n.
        rng: draws the order of equals, and wrong classes where the order has no answers.
    """
    rows = np.arange(len(labels))
    first = np.lexsort((rng.permutation(len(labels)), order.ease))[:errors]
    if order.answers is None:
        wrong = (labels + rng.integers(1, classes, len(labels))) % classes
    else:
        others = np.array(order.answers, dtype=float)
        others[rows, labels] = -np.inf
        wrong = others.argmax(axis=1)
    simulated = labels.copy()
    simulated[first] = wrong[first]
    return np.eye(classes)[simulated]


DRAWS = 100
"""How often a wrong text is drawn for an example, before it is said to have none."""


def misanswered(
    order: Order,
    targets: np.ndarray,
    right: Callable[[np.ndarray], np.ndarray],
    errors: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Texts (n,) with exactly that many errors.

    Args:
        order: in which the labels become wrong.
        targets: ground truth, a text an example (n,).
        right: tells which of n texts count as right for their examples.
        errors: from 0 to n.
        rng: draws the order of equals, and wrong texts among the targets of other examples.

    Raises:
        UserError: where what is right elsewhere counts as right for an example, too.
    """
    first = np.lexsort((rng.permutation(len(targets)), order.ease))[:errors]
    wrong = targets.copy() if order.answers is None else order.answers.copy()
    left = right(wrong)
    for _ in range(DRAWS):
        if not left.any():
            break
        wrong[left] = rng.choice(targets, left.sum())
        left = right(wrong)
    if left[first].any():
        raise UserError(
            f"{left[first].sum():,} examples accept whatever is right for others, too, so that a "
            "simulated supervisor has no wrong answer to give: name another task."
        )
    simulated = targets.copy()
    simulated[first] = wrong[first]
    return simulated


def error_count(examples: int, accuracy: float) -> int:
    """How many of the labels are wrong at an accuracy, to the nearest label."""
    return round((1 - accuracy) * examples)
