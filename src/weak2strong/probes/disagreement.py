"""Which weak labels a probe disagrees with most."""

from __future__ import annotations

import numpy as np

from weak2strong.ground.errors import UserError


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
