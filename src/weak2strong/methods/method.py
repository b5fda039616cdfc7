"""The contract of a method: what it is given, and what it gives back.

A method sees label-free items and weak labels. Nothing that it can reach holds
the ground truth of `strong_train`, `validation` or `test`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from weak2strong.errors import UserError
from weak2strong.losses import Loss
from weak2strong.predictions import Predictions
from weak2strong.tasks.task import Item


class Context(Protocol):
    """What a study offers to a method, for one task, pair of models and seed."""

    @property
    def classes(self) -> int:
        """Number of classes of the task."""
        ...

    @property
    def seed(self) -> int:
        """For whatever the method draws at random."""
        ...

    @property
    def weak_labels(self) -> Predictions:
        """The supervisor's probabilities for ``strong_train`` and ``validation``."""
        ...

    def items(self, split: str) -> tuple[Item, ...]:
        """The label-free examples of ``strong_train``, ``validation`` or ``test``."""
        ...

    def finetune(self, labels: Predictions, loss: Loss) -> Mapping[str, Predictions]:
        """Finetune the student model and predict; cached, hence shared between methods.

        Args:
            labels: targets for ``strong_train``, all of it or what is to be learnt
                from, and for ``validation``, where the stopping rule looks.
            loss: what to minimise.

        Returns:
            Predictions for ``strong_train``, ``validation`` and ``test``.
        """
        ...


@dataclass(frozen=True)
class Method:
    """A named way to train a student.

    Attributes:
        name: as on the command line.
        summary: one line for lists.
        source: paper and section.
        run: from a context to the student's predictions for ``strong_train``,
            ``validation`` and ``test``.
        classes: the one number of classes it is for; None for any.
    """

    name: str
    summary: str
    source: str
    run: Callable[[Context], Mapping[str, Predictions]]
    classes: int | None = None

    def check(self, classes: int, task: str = "this task") -> None:
        """Refuse a task with that many classes, if the method is not for it.

        Raises:
            UserError: saying how many it is for.
        """
        if self.classes not in (None, classes):
            raise UserError(
                f"The method {self.name!r} is for {self.classes} classes, and {task} has "
                f"{classes}: leave the method out (`w2s methods` lists the others)."
            )
