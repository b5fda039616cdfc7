"""Mean weak label of the nearest neighbours, with the point itself among them or not."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from weak2strong.config.fields import Count
from weak2strong.config.settings import settings
from weak2strong.ground.errors import UserError
from weak2strong.probes.knn import knn_labels
from weak2strong.probes.probe import Answering


@settings("the probe knn")
class Knn(Answering):
    """The mean weak label of the k nearest points; a training point is its own nearest.

    EleutherAI, *Experiments in Weak-to-Strong Generalization* (2024); formula and
    ties are those of `knn_labels`. Since each label counts in its own answer,
    `keep` is milder on it than `KnnWithoutItself`.

    Raises:
        UserError: k is no whole number from 1 on; later, there are fewer points than k.
    """

    k: Count = 50
    """Neighbours."""

    summary: ClassVar[str] = "mean weak label of the k nearest, itself included"
    source: ClassVar[str] = "EleutherAI 2024"
    itself: ClassVar[bool] = True

    def predict(
        self, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
    ) -> np.ndarray:
        """Mean weak labels ``(m, classes)``; arguments and errors are those of `Probe`."""
        itself = self.itself or queries is not None
        check_enough(self.k, len(features), itself)
        return knn_labels(features, labels, queries, k=self.k, itself=itself)


@settings("the probe knn-without-itself")
class KnnWithoutItself(Knn):
    """The mean weak label of the k nearest other points: out-of-fold on the training points.

    On points other than these it is `Knn`.

    Raises:
        UserError: as `Knn`; on the training points there must be k others.
    """

    k: Count = 50
    """Neighbours."""

    summary: ClassVar[str] = "mean weak label of the k nearest others"
    source: ClassVar[str] = "as knn, out-of-fold"
    itself: ClassVar[bool] = False


def check_enough(k: int, points: int, itself: bool = True) -> None:
    """Refuse k neighbours where there are fewer points.

    Args:
        k: neighbours.
        points: how many training points there are.
        itself: whether a point may be its own neighbour.

    Raises:
        UserError: with both numbers.
    """
    most = points if itself else points - 1
    if k > most:
        others = "" if itself else " besides the one that is asked about"
        raise UserError(
            f"A probe looks for {k} neighbours among {most} training points{others}: "
            "choose a smaller k, or take more examples."
        )
