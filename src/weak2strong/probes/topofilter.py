"""TopoFilter: which weak labels to keep, by the topology of their classes in feature space."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from weak2strong.config.fields import Count
from weak2strong.config.settings import settings
from weak2strong.ground.errors import UserError
from weak2strong.probes.knn import mean_labels, nearest
from weak2strong.probes.knn_probe import check_enough
from weak2strong.probes.probe import check_share, most_disagreeing


@settings("the probe topofilter")
class TopoFilter:
    """Keeps the core of each class in feature space, less its worst neighbours (`topofilter`).

    Wu et al. 2020, *A Topological Filter for Learning with Label Noise*; EleutherAI,
    *Experiments in Weak-to-Strong Generalization* (2024). It may drop more than it is told.

    Raises:
        UserError: k is no whole number from 1 on; later, there are not k other points.
    """

    k: Count = 50
    """Neighbours in both steps."""

    summary: ClassVar[str] = "largest connected component of each class"
    source: ClassVar[str] = "Wu et al. 2020, EleutherAI 2024"
    predicts: ClassVar[bool] = False

    def predict(
        self, features: np.ndarray, labels: np.ndarray, queries: np.ndarray | None
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


def topofilter(
    features: np.ndarray, labels: np.ndarray, *, k: int = 50, drop: float = 0.1
) -> np.ndarray:
    """Examples to keep, ``(n,)`` of bool: the core of each class, less its worst neighbours.

    Wu et al. 2020, *A Topological Filter for Learning with Label Noise*, as
    EleutherAI, *Experiments in Weak-to-Strong Generalization* (2024), apply it
    once to weak labels, with k = 50 in both steps:

    1. `topo_cc`: of each class the largest component of the graph of neighbours.
    2. Among the kept, the disagreement of i is ``1/2 * ||w_i - mean of w_j||_1``, j the
       k nearest other kept points (all others where there are fewer); with two
       classes, the difference in the probability of either. Those who disagree
       most go until ``round(drop * n)`` of all n examples are gone in total; none,
       where that many are gone already. Of equals, the lower index goes first.

    Args:
        features: ``(n, d)``.
        labels: weak labels as rows of probabilities ``(n, classes)``.
        k: neighbours, at most n - 1.
        drop: share of all examples, 0 to 1.

    Raises:
        ValueError: labels that do not fit, a share outside 0 to 1, or as `nearest`.
    """
    if not 0 <= drop <= 1:
        raise ValueError(f"The share of examples to drop must be within 0 and 1: {drop!r}.")
    features, labels = np.asarray(features), np.asarray(labels, dtype=float)
    kept = np.flatnonzero(topo_cc(features, labels, k=k))
    surplus = len(kept) - (len(labels) - round(drop * len(labels)))
    if surplus > 0 and len(kept) > 1:
        core = labels[kept]
        neighbours = nearest(features[kept], k=min(k, len(kept) - 1), itself=False)
        kept = np.delete(kept, most_disagreeing(mean_labels(core, neighbours), core, surplus))
    mask = np.zeros(len(labels), dtype=bool)
    mask[kept] = True
    return mask


def topo_cc(features: np.ndarray, labels: np.ndarray, *, k: int) -> np.ndarray:
    """Examples, ``(n,)`` of bool, in the largest strongly connected component of their class.

    The graph has an edge from every point to its k nearest others. A class (the
    likeliest; with two, the second where it has more than half, and of equals the
    first) keeps the largest set of its points in which each reaches each by
    edges through the class alone; of equally large ones, that with the lowest index.

    Args and errors are those of `topofilter`.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(features)
    if labels.ndim != 2 or len(labels) != n:
        raise ValueError(f"Labels {labels.shape} do not fit {n} examples: (n, classes).")
    neighbours = nearest(features, k=k, itself=False)
    likeliest = labels.argmax(axis=1)
    start, end = np.repeat(np.arange(n), k), neighbours.ravel()
    within = likeliest[start] == likeliest[end]
    edges = (np.ones(within.sum(), dtype=bool), (start[within], end[within]))
    # Edges between classes are gone, so no component holds two of them.
    component = connected_components(csr_array(edges, (n, n)), connection="strong")[1]
    size = np.bincount(component)[component]
    mask = np.zeros(n, dtype=bool)
    for one in np.unique(likeliest):
        members = np.flatnonzero(likeliest == one)
        largest = component[members[size[members].argmax()]]
        mask[component == largest] = True
    return mask
