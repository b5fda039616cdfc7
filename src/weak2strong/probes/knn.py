"""The exact k nearest neighbours, and the mean of their labels.

The search is our own since scikit-learn's takes 1.6 times as long among 100,000 points (as long
among 5,000; docs/performance.md), and promises no order of points that are equally far.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

WORKSPACE = 2**28
"""Bytes of work space beside the features and one float32 copy of them."""

LARGEST = 1e18
"""The longest feature vector, from the mean of the training features, that is taken."""


def knn_labels(
    points: np.ndarray,
    labels: np.ndarray,
    queries: np.ndarray | None = None,
    *,
    k: int = 50,
    itself: bool = True,
) -> np.ndarray:
    """The mean label ``(m, classes)`` of the k nearest training points: a probe without fitting.

    ``p(x) = 1/k * sum of w_i over the k points x_i nearest to x`` (Euclidean), w_i
    the weak label of x_i. EleutherAI, *Experiments in Weak-to-Strong
    Generalization* (2024), takes k = 50 and activations of the middle layer at
    the last token. On the training points themselves each one is, as there,
    its own nearest neighbour; ``itself=False`` leaves it out (out-of-fold).

    Args:
        points: training features ``(n, d)``.
        labels: of the points, rows of probabilities ``(n, classes)``.
        queries: features ``(m, d)`` to answer on; by default the points.
        k: neighbours, at most n, or n - 1 without the point itself.
        itself: may a training point be its own neighbour.

    Raises:
        ValueError: as `nearest`; labels that do not fit the points.
    """
    return mean_labels(fitting(labels, points), nearest(points, queries, k=k, itself=itself))


def fitting(labels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The labels in float64, if they are one row ``(classes,)`` a point; else a ValueError."""
    labels = np.asarray(labels, dtype=float)
    if labels.ndim != 2 or len(labels) != len(points):
        raise ValueError(f"Labels {labels.shape} do not fit {len(points)} points: (n, classes).")
    return labels


def mean_labels(labels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """The mean over neighbours ``(m, k)``, as by `nearest`, of labels ``(n, classes)``.

    For several k, call `nearest` once with the largest and give the first k columns here.
    """
    total = np.zeros((len(neighbours), labels.shape[1]))
    for column in neighbours.T:
        total += labels[column]
    return total / neighbours.shape[1]


def nearest(
    points: np.ndarray,
    queries: np.ndarray | None = None,
    *,
    k: int,
    itself: bool = True,
    workspace: int = WORKSPACE,
) -> np.ndarray:
    """Indices ``(m, k)`` of the k points nearest to each query, the nearest first.

    Exact: the order is that of ``sum((point - query)^2)`` in float64, and of two
    that are equally far the lower index comes first. So the first j columns are
    the answer for j neighbours, and neither chunks nor threads change a bit.

    Products of float32 matrices only choose candidates: every point that could be
    among the nearest k by a bound on their rounding error; on ordinary features
    that is one or two points more than k. They cost ``2 m n d`` operations. Points
    that lie much closer together than to their mean leave more candidates, and
    cost more time, but copies of one point are measured once.

    Args:
        points: ``(n, d)``, finite, of any floating type.
        queries: ``(m, d)``; by default the points.
        k: neighbours, at least 1 and at most n, or n - 1 without the point itself.
        itself: may a point be its own neighbour; False only without ``queries``.
        workspace: bytes for a chunk of products and candidates (at least those of
            one query are made); a float32 copy of the features and the
            answer come on top.

    Raises:
        ValueError: shapes that do not fit, too few points for k, or features that
            are not finite or longer than `LARGEST`.
    """
    points = _matrix(points)
    if queries is not None and not itself:
        raise ValueError("Only points among themselves can leave the point itself out.")
    among_themselves = queries is None
    queries = points if queries is None else _matrix(queries)
    if queries.shape[1] != points.shape[1]:
        raise ValueError(f"Queries {queries.shape} do not fit points {points.shape}.")
    most = len(points) if itself else len(points) - 1
    if not 1 <= k <= most:
        others = "" if itself else " others"
        raise ValueError(f"{k} nearest neighbours cannot be had of {most}{others}: choose k.")

    # Distances to the mean are short, so products cancel less.
    with np.errstate(over="ignore", invalid="ignore"):
        centre = points.mean(axis=0, dtype=float)
    near = _centred(points, centre)
    norms = _squared_norms(near)
    # |error of a product| <= slack * (|query|^2 + |point|^2), with a factor of 2 in hand:
    # (d + 2) roundings at 2^-24 in the product and its factors, a few around it.
    slack = float((points.shape[1] + 16) * np.finfo(np.float32).eps)
    lowered, error = ((1 - slack) * norms).astype(np.float32), 2 * slack * norms
    least = 4 * points.shape[1] * float(np.finfo(np.float32).tiny)  # products that underflow
    first = _first_copies(points)

    answer = np.empty((len(queries), k), dtype=np.int64)
    # A row of bounds, and the query itself, centred and doubled.
    rows = max(1, workspace // 2 // (4 * len(points) + 8 * points.shape[1]))
    for begin in range(0, len(queries), rows):
        chunk = queries[begin : begin + rows]
        about = near[begin : begin + rows] if among_themselves else _centred(chunk, centre)
        # Lower bounds on squared distances, less (1 - slack) |query|^2 in every row.
        bounds = (-2 * about) @ near.T
        bounds += lowered
        spread = 2 * slack * _squared_norms(about) + least
        for i, bound in enumerate(bounds):
            if not itself:
                bound[begin + i] = np.inf
            candidates = _candidates(bound, error, spread[i], k)
            originals, copies = np.unique(first[candidates], return_inverse=True)
            distance = _distances(points, originals, chunk[i], workspace // 2)[copies]
            answer[begin + i] = candidates[np.argsort(distance, kind="stable")[:k]]
    return answer


def _candidates(bound: np.ndarray, error: np.ndarray, spread: float, k: int) -> np.ndarray:
    """Indices, rising, of all points that can be among the nearest k by their lower bounds.

    The upper bound of a point is ``bound + error + spread``. So the k points with the
    least lower bounds lie within the greatest of their upper bounds, and
    whoever is surely further is out.
    """
    kth = np.flatnonzero(bound <= np.partition(bound, k - 1)[k - 1])
    within = (bound[kth] + error[kth]).max() + spread
    return np.flatnonzero(bound <= np.nextafter(np.float32(within), np.float32(np.inf)))


def _distances(
    points: np.ndarray, chosen: np.ndarray, query: np.ndarray, workspace: int
) -> np.ndarray:
    """Squared distances in float64 from a query ``(d,)`` to the chosen points."""
    query = query.astype(float)
    rows = max(1, workspace // (24 * points.shape[1]))
    return np.concatenate(
        [
            np.square(points[chosen[i : i + rows]] - query).sum(axis=1)
            for i in range(0, len(chosen), rows)
        ]
    )


def _first_copies(points: np.ndarray) -> np.ndarray:
    """For each point the lowest index of a point with the same bytes."""
    seen: dict[bytes, int] = {}
    return np.array(
        [
            seen.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), i)
            for i, row in enumerate(points)
        ]
    )


def _matrix(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features)
    if features.ndim != 2 or not features.size:
        raise ValueError(f"Features must be a matrix with rows and columns, not {features.shape}.")
    return features if np.issubdtype(features.dtype, np.floating) else features.astype(float)


def _centred(features: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """``features - centre``, subtracted in float64 and rounded to float32 once."""
    out = np.empty(features.shape, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.subtract(features, centre, out=out, dtype=float, casting="same_kind")


def _squared_norms(rows: np.ndarray) -> np.ndarray:
    """Squared lengths ``(n,)`` in float64; refuses what float32 products could not hold."""
    with np.errstate(invalid="ignore"):
        norms = np.einsum("ij,ij->i", rows, rows, dtype=float)
    if not (norms <= LARGEST**2).all():
        raise ValueError(f"The features of a probe must be finite and shorter than {LARGEST:g}.")
    return norms
