"""How well one number tells the classes apart, with an interval that knows of groups.

The AUC is a mean over pairs of a positive and a negative, so each example moves it by
the share of the other class that it beats, less the AUC (DeLong, DeLong and
Clarke-Pearson 1988, Biometrics 44, 837-845). These parts are added within groups before
they are squared (Obuchowski 1997, Biometrics 53, 567-578), since examples of one group
come and go together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST = 20
"""Examples of a class below which no AUC is judged."""

Z = 1.96
"""Standard errors of a 95% interval."""


@dataclass(frozen=True)
class Auc:
    """An area under the ROC curve with a 95% interval, all in [0, 1]."""

    value: float
    low: float
    high: float

    @property
    def strength(self) -> float:
        """How far from chance it surely is, as an AUC: 0.5 where the interval has 0.5 in it."""
        return max(self.low, 1 - self.high, 0.5)

    @property
    def numbers(self) -> dict[str, float]:
        """The area and its interval, for a finding."""
        return {"auc": self.value, "auc_low": self.low, "auc_high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def auc(scores: np.ndarray, positive: np.ndarray, groups: np.ndarray | None = None) -> Auc:
    """The AUC of scores, ties one half.

    The interval is symmetric on the scale of log odds. Where every positive beats every
    negative there is no variance to see: the lower end is then ``1 - 3/n`` for the ``n`` of
    the rarer class, as for a share of which no exception was seen among n.

    Args:
        scores: ``(n,)``.
        positive: ``(n,)`` truth values, of both kinds.
        groups: ``(n,)``, a number for the group of each; each is a group of its own if None.
    """
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    groups = np.arange(len(scores)) if groups is None else np.asarray(groups)
    above, below = scores[positive], scores[~positive]
    parts = np.empty(len(scores))
    parts[positive] = _beaten(above, below)
    parts[~positive] = 1 - _beaten(below, above)
    value = float(parts[positive].mean())
    rarer = min(len(above), len(below))
    if value in (0.0, 1.0):
        edge = min(0.5, 3 / rarer)
        return Auc(value, 1 - edge, 1.0) if value else Auc(value, 0.0, edge)
    parts -= value
    parts[positive] /= len(above)
    parts[~positive] /= len(below)
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=parts)
    error = np.sqrt((sums**2).sum() * len(sums) / max(1, len(sums) - 1))
    middle, half = np.log(value / (1 - value)), Z * error / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(middle + np.array([-half, half]))))
    return Auc(value, float(low), float(high))


def against_rest(
    scores: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None
) -> tuple[int, Auc] | None:
    """The class that scores tell best from the others, and how well; of two, the second.

    None where a class has too few examples to say (`LEAST`).

    Args:
        scores: ``(n,)``, or ``(n, classes)`` for a score of every class's own.
        labels: ``(n,)`` class indices.
        groups: as in `auc`.
    """
    judged = []
    present = np.unique(labels)
    for label in present[1:] if len(present) == 2 else present:
        positive = labels == label
        if min(positive.sum(), (~positive).sum()) < LEAST:
            continue
        column = scores if scores.ndim == 1 else scores[:, label]
        judged.append((int(label), auc(column, positive, groups)))
    return max(judged, key=lambda pair: pair[1].strength, default=None)


def _beaten(these: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of the others that each of these exceeds, ties one half."""
    order = np.sort(others)
    fewer = np.searchsorted(order, these, side="left")
    return (fewer + np.searchsorted(order, these, side="right")) / (2 * len(others))
