"""What a probe is: weak labels of some points in, answers or a choice of examples out."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from weak2strong.ground.errors import UserError


class Probe(Protocol):
    """A small model on frozen features. Implementations are frozen dataclasses with settings.

    The settings are part of cache keys: whatever changes the result is a field,
    and the same features, labels and settings always give the same result.
    A probe that answers needs only `predict`, and inherits the rest from `Answering`::

        @dataclass(frozen=True)
        class Centroids(Answering):
            sharpness: float = 1.0

            summary: ClassVar[str] = "the class whose mean is nearer"
            source: ClassVar[str] = "ours"

            def predict(self, features, labels, queries):
                means = (labels.T @ features) / labels.sum(axis=0)[:, None]
                queries = features if queries is None else queries
                far = np.square(queries[:, None] - means).sum(axis=2)
                return scipy.special.softmax(-self.sharpness * far, axis=1)

    Features may be read-only and mapped from a file: copy before you change them.
    They are as the model gave them, neither centred nor scaled.
    """

    summary: ClassVar[str]
    """What it does in a few words, for lists."""

    source: ClassVar[str]
    """Where it is from, for lists."""

    predicts: ClassVar[bool]
    """Whether it answers; otherwise it only chooses what to keep, and `predict` refuses."""

    def predict(
        self, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
    ) -> np.ndarray:
        """Probabilities ``(m, classes)`` of the queries; rows add up to one.

        Args:
            features: of the training points, ``(n, d)``.
            labels: of the training points, rows of probabilities ``(n, classes)``, for
                any number of classes: weak labels, or one-hot ground truth.
            queries: features ``(m, d)`` of the points to answer on; None stands for the
                training points themselves, with m = n and in their order.

        Raises:
            UserError: too few points for the settings, or a probe that only filters.
        """
        ...

    def keep(self, features: np.ndarray, labels: np.ndarray, drop: float) -> np.ndarray:
        """Which examples stay, ``(n,)`` of bool, when the worst are dropped.

        Args:
            features: as in `predict`.
            labels: as in `predict`.
            drop: the share of all n examples to be dropped, 0 to 1.

        Raises:
            UserError: as in `predict`, or a share outside 0 to 1.
        """
        ...


class Answering:
    """What probes that answer have in common: examples go where the answer is not the label."""

    predicts: ClassVar[bool] = True

    def predict(
        self, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
    ) -> np.ndarray:
        """As in `Probe`."""
        raise NotImplementedError

    def keep(self, features: np.ndarray, labels: np.ndarray, drop: float) -> np.ndarray:
        """All but the ``round(drop * n)`` examples whose label is furthest from the answer.

        The distance is ``1/2 * ||p - w||_1`` between the probe's answer p on the training
        points and the weak label w; of equals the lower index goes first.

        Arguments and errors are those of `Probe`.
        """
        check_share(drop)
        mask = np.ones(len(labels), dtype=bool)
        count = round(drop * len(labels))
        answers = self.predict(features, labels, None)
        mask[most_disagreeing(answers, labels, count)] = False
        return mask


def most_disagreeing(answers: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` indices of greatest ``1/2 * ||p - w||_1``, of equals the lower first.

    With two classes, that is the difference in the probability of either.

    Args:
        answers: p, ``(n, classes)``.
        labels: w, ``(n, classes)``.
        count: how many.
    """
    distance = 0.5 * np.abs(answers - labels).sum(axis=1)
    return np.argsort(-distance, kind="stable")[:count]


def check_share(drop: float) -> None:
    """Refuse a share of examples to drop that is no number from 0 to 1.

    Raises:
        UserError: saying so.
    """
    if not isinstance(drop, int | float) or not 0 <= drop <= 1:
        raise UserError(f"The share of examples to drop must be between 0 and 1, not {drop!r}.")
