"""One probe at many settings, for little more than the cost of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.probes.knn import fitting, mean_labels, nearest
from weak2strong.probes.knn_probe import Knn, check_enough
from weak2strong.probes.logistic import fit_penalties
from weak2strong.probes.logistic_probe import Logistic, softmax_penalty


def sweep_knn(
    features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None, ks: Sequence[int]
) -> np.ndarray:
    """Answers ``(len(ks), m, classes)`` of `Knn` for each k; neighbours are searched once.

    Args:
        features: of the training points, ``(n, d)``.
        labels: their rows of probabilities, ``(n, classes)``.
        queries: features ``(m, d)``, or None for the training points.
        ks: in any order.

    Raises:
        UserError: no k, one that is no whole number from 1 on, or fewer points than that.
    """
    _check_any(ks, "k")
    for k in ks:
        Knn(k)
    check_enough(max(ks), len(features))
    labels = fitting(labels, features)
    neighbours = nearest(features, queries, k=max(ks))
    return np.stack([mean_labels(labels, neighbours[:, :k]) for k in ks])


def sweep_logistic(
    features: np.ndarray,
    labels: np.ndarray,
    queries: np.ndarray | None,
    penalties: Sequence[float],
    *,
    standardise: bool = False,
) -> np.ndarray:
    """Answers ``(len(penalties), m, classes)`` of `Logistic` for each penalty, fitted together.

    Args:
        features: of the training points, ``(n, d)``.
        labels: their rows of probabilities, ``(n, classes)``.
        queries: features ``(m, d)``, or None for the training points.
        penalties: as `Logistic` counts them, in any order.
        standardise: as in `Logistic`.

    Raises:
        UserError: no penalty, or one that is no finite number from 0 on.
    """
    _check_any(penalties, "penalty")
    own = [softmax_penalty(Logistic(one).penalty, labels.shape[1]) for one in penalties]
    fitted = fit_penalties(features, labels, own, standardise=standardise)
    return np.stack([one.predict(features if queries is None else queries) for one in fitted])


def _check_any(settings: Sequence[float], what: str) -> None:
    if len(settings) == 0:
        raise UserError(f"A sweep needs at least one {what}.")
