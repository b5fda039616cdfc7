"""TopoFilter as a probe: it chooses examples, and answers nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.probes.disagreement import check_share
from weak2strong.probes.knn_probe import check_enough, check_k
from weak2strong.probes.topofilter import topofilter


@dataclass(frozen=True)
class TopoFilter:
    """Keeps the core of each class in feature space, less its worst neighbours (`topofilter`).

    Wu et al. 2020, *A Topological Filter for Learning with Label Noise*; EleutherAI,
    *Experiments in Weak-to-Strong Generalization* (2024). It may drop more than it is told.

    Raises:
        UserError: k is no whole number from 1 on; later, there are not k other points.
    """

    k: int = 50
    """Neighbours in both steps."""

    summary: ClassVar[str] = "largest connected component of each class"
    source: ClassVar[str] = "Wu et al. 2020, EleutherAI 2024"
    predicts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_k(self.k)

    def predict(
        self, features: np.ndarray, labels: np.ndarray, asked: np.ndarray | None
    ) -> np.ndarray:
        """Refuses.

        Raises:
            UserError: always.
        """
        raise UserError("TopoFilter only filters and gives no answers: take knn or logistic.")

    def keep(self, features: np.ndarray, labels: np.ndarray, drop: float) -> np.ndarray:
        """Which examples stay, ``(n,)`` of bool; arguments and errors are those of `Probe`."""
        check_share(drop)
        check_enough(self.k, len(features), itself=False)
        return topofilter(features, labels, k=self.k, drop=drop)
