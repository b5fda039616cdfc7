"""What a set of predictions scores: accuracy, ROC AUC, F1 and others, exact match, and the PGR.

Every metric takes class probabilities ``(n, k)`` and labels ``(n,)`` as class
indices, or written answers and what counts as right, and optionally how often each
example counts: weights ``(n,)`` give one score, weights ``(b, n)`` (one row a bootstrap
replicate) give ``b`` scores in one pass. Leave the weights out and every example counts once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from weak2strong.ground.errors import unknown_name
from weak2strong.ground.own_metrics import OWN_METRICS, OwnMetric
from weak2strong.ground.weighted import Score, over_replicates, ratio, weighted_mean
from weak2strong.ground.written import (
    PATTERN,
    WRITTEN_METRICS,
    SaysTheSame,
    by_pattern,
    exact_match,
)


def accuracy(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> Score:
    """The share of examples whose most probable class is the label, in [0, 1].

    Classes that tie for the highest probability count as the lowest of them, so
    a model that answers 1/2 and 1/2 says class 0.

    Args:
        probabilities: ``(n, k)``, finite.
        labels: ``(n,)`` class indices in ``0 .. k - 1``.
        weights: how often each example counts, ``(n,)`` or ``(b, n)``, not negative.

    Returns:
        One float, or ``(b,)`` for weights of shape ``(b, n)``; nan where no example counts.
    """
    return weighted_mean(_right(probabilities, labels), weights)


def brier(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> Score:
    """The mean squared distance to the one-hot label, summed over classes: 0 is best, 2 worst.

    This is Brier's own definition (1950). For two classes it is twice the mean
    of ``(p - y)^2`` that others give that name.

    Arguments and shapes as in `accuracy`.
    """
    return weighted_mean(_squared_distance(probabilities, labels), weights)


def roc_auc(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> Score:
    """The area under the ROC curve: how often a positive outranks a negative, ties one half.

    Two classes: ranked by the probability of class 1. More: the unweighted mean
    over classes of each class against the rest (macro one-vs-rest). Nan where
    some class has no weight.

    Arguments and shapes as in `accuracy`.
    """
    probabilities, labels = _checked(probabilities, labels)
    classes = probabilities.shape[1]
    positive_classes = [1] if classes == 2 else range(classes)
    scores = [
        over_replicates(_ranking(probabilities[:, c], labels == c), weights, len(labels))
        for c in positive_classes
    ]
    return scores[0] if len(scores) == 1 else sum(scores) / len(scores)


def f1(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> Score:
    """The harmonic mean of precision and recall of the most probable classes, in [0, 1].

    Two classes: of class 1, the positive one. More: the unweighted mean over classes
    (macro F1). Nan where some class has no weight.

    Arguments and shapes as in `accuracy`.
    """

    def score(right: np.ndarray, said: np.ndarray, true: np.ndarray) -> np.ndarray:
        each = 2 * ratio(right, said + true)
        return each[:, 1] if each.shape[1] == 2 else each.mean(axis=1)

    return _of_counts(score, probabilities, labels, weights)


def matthews(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> Score:
    """The Matthews correlation of the most probable classes with the labels, in [-1, 1].

    Of more than two classes it is the statistic R_K (Gorodkin 2004, "Comparing two K-category
    assignments by a K-category correlation coefficient"). It is 0 for whoever always answers the
    same class, and nan where some class has no weight.

    Arguments and shapes as in `accuracy`.
    """

    def score(right: np.ndarray, said: np.ndarray, true: np.ndarray) -> np.ndarray:
        total = true.sum(axis=1)
        together = right.sum(axis=1) * total - (said * true).sum(axis=1)
        spread = [np.maximum(total**2 - (c**2).sum(axis=1), 0.0) for c in (said, true)]
        constant = spread[0] <= 1e-12 * total**2
        return np.where(constant, 0.0, ratio(together, np.sqrt(spread[0] * spread[1])))

    return _of_counts(score, probabilities, labels, weights)


def performance_gap_recovered(
    floor: float | np.ndarray, student: float | np.ndarray, ceiling: float | np.ndarray
) -> Score:
    """PGR, ``(student - floor) / (ceiling - floor)`` (Burns et al. 2023, section 3).

    0: the student is no better than its supervisor; 1: it reaches the ceiling;
    both can be passed. The plain formula, elementwise with broadcasting, and nan
    only where the gap is exactly 0: whether a gap is clearly above 0 is for the
    analysis to say. To average over seeds, average the scores first.
    """
    gain = np.subtract(student, floor, dtype=float)
    gap = np.subtract(ceiling, floor, dtype=float)
    gain, gap = np.broadcast_arrays(gain, gap)
    return np.divide(gain, gap, out=np.full(gap.shape, np.nan), where=gap != 0)[()]


METRICS: dict[str, dict[str, Callable[..., Score]]] = {
    "classification": {
        "accuracy": accuracy,
        "roc_auc": roc_auc,
        "brier": brier,
        "f1": f1,
        "matthews": matthews,
    },
    # Over pairs; class 1 is that the second is preferred.
    "preference": {"accuracy": accuracy, "roc_auc": roc_auc, "brier": brier},
    "generation": {**WRITTEN_METRICS},
}
"""Our metrics by kind of task; the first is the usual one."""

OWN_METRICS.keep(name for of_kind in METRICS.values() for name in of_kind)

PGR_MEANING = (
    "PGR, the performance gap recovered, is 0 for a student no better than its supervisor (floor) "
    "and 1 for one as good as the same model trained on ground truth (ceiling)."
)

LESS_IS_BETTER = frozenset({"brier"})
"""Metrics of ours that neither a stopping rule nor a PGR can use as they are."""

NEEDS_EVERY_CLASS = frozenset({"roc_auc", "f1", "matthews"})
"""Metrics that are nan where some class has no example."""


def less_is_better(name: str | None) -> bool:
    """Whether less of a metric of ours, or of a plugin, is better."""
    if name in LESS_IS_BETTER:
        return True
    if name is None or name not in OWN_METRICS:
        return False
    return not getattr(OWN_METRICS.get(name), "more_is_better", True)


_RANGES: Mapping[Callable[..., Score], tuple[float, float]] = {
    **dict.fromkeys((accuracy, roc_auc, f1), (0.0, 1.0)),
    brier: (0.0, 2.0),
    matthews: (-1.0, 1.0),
}


def range_of(score: Callable[..., Score]) -> tuple[float, float]:
    """The least and the largest value of a metric; infinite ends where nobody says them."""
    if isinstance(score, SaysTheSame):
        return 0.0, 1.0
    if isinstance(score, OwnMetric):
        return score.low, score.high
    return _RANGES.get(score, (-math.inf, math.inf))


_TITLES = {
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "matthews": "Matthews correlation",
    "exact_match_cased": "exact match with case",
}


def metric_title(name: str) -> str:
    """The name of a metric for people: that of tables with spaces, or an entry of `_TITLES`."""
    base, _, pattern = name.partition(":")
    title = _TITLES.get(base, base.replace("_", " "))
    return f"{title} ({pattern})" if pattern else title


def usual_metric(kind: str) -> str:
    """The name of what tasks of that kind are scored by where nobody names another.

    Raises:
        UserError: no such kind of task.
    """
    return next(iter(_of_kind(kind)))


def metric(kind: str, name: str | None = None) -> Callable[..., Score]:
    """The metric of that name for tasks of that kind; the usual one if None.

    Raises:
        UserError: no such kind of task, or no such metric for it.
    """
    known = metrics_of(kind)
    if name is None:
        name = usual_metric(kind)
    base, _, pattern = name.partition(":")
    if base == PATTERN and kind == "generation":
        return by_pattern(pattern)
    if name not in known:
        hint = "One of your own needs its file (--plugin)."
        raise unknown_name(f"metric of {kind} tasks", name, known, hint)
    return known[name]


def metrics_of(kind: str, also: str | None = None) -> dict[str, Callable[..., Score]]:
    """The metrics for tasks of that kind by name: ours, and those of plugins.

    Args:
        kind: of the tasks.
        also: one that has a setting, such as a regular expression, and is in no list.

    Raises:
        UserError: no such kind of task, or no such metric for it.
    """
    own = {name: OWN_METRICS.get(name) for name in OWN_METRICS}
    known = _of_kind(kind) | {name: own for name, own in own.items() if kind in own.kinds}
    return known if also is None or also in known else known | {also: metric(kind, also)}


def scorer_of(kind: str, name: str | None = None) -> SaysTheSame:
    """By what written answers are read and compared, where that metric scores them.

    Exact match where the metric does not say it (one of a plugin, with a value for each example).
    """
    found = metric(kind, name)
    return found if isinstance(found, SaysTheSame) else exact_match


def _of_kind(kind: str) -> dict[str, Callable[..., Score]]:
    if kind not in METRICS:
        raise unknown_name("kind of task", kind, METRICS)
    return METRICS[kind]


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The inputs as float64 and integer arrays, once shapes and ranges are checked."""
    probabilities = np.asarray(probabilities, dtype=float)
    labels = np.asarray(labels)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise ValueError(f"Probabilities must be (n, k) with k >= 2, not {probabilities.shape}.")
    if labels.shape != probabilities.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Labels must be {len(probabilities)} class indices, "
            f"not {labels.dtype} of shape {labels.shape}."
        )
    if labels.size and not 0 <= labels.min() <= labels.max() < probabilities.shape[1]:
        raise ValueError(f"Labels must be below the number of classes, {probabilities.shape[1]}.")
    # A NaN would pass through argmax and a sort as if it were a number.
    if not np.isfinite(probabilities).all():
        raise ValueError("Probabilities must be finite: the model that made them has diverged.")
    return probabilities, labels


def _right(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each example's most probable class is its label, ``(n,)``."""
    probabilities, labels = _checked(probabilities, labels)
    return probabilities.argmax(axis=1) == labels


def _squared_distance(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Each example's squared distance to its one-hot label, ``(n,)``."""
    probabilities, labels = _checked(probabilities, labels)
    one_hot = np.eye(probabilities.shape[1])[labels]
    return ((probabilities - one_hot) ** 2).sum(axis=1)


_AVERAGED: Mapping[Callable[..., Score], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    accuracy: _right,
    brier: _squared_distance,
}
"""Of our metrics that are means over examples, what they are means of."""


def score_each(
    score: Callable[..., Score],
    answers: Sequence[np.ndarray],
    labels: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """A metric of several sets of answers under the same weights.

    Means over examples are taken of all sets in one product, which is many times as fast as
    the metric of one set after another, and the same.

    Args:
        score: a metric, of this module or with the same arguments.
        answers: m sets, each as the metric takes it.
        labels: as the metric takes them.
        weights: ``(b, n)``.

    Returns:
        Scores ``(b, m)``.
    """
    values_of = getattr(score, "each", None) or _AVERAGED.get(score)
    if values_of is None:
        return np.stack([score(one, labels, weights) for one in answers], axis=1)
    values = np.stack([values_of(one, labels) for one in answers], axis=1).astype(float)
    return over_replicates(
        lambda w: ratio(w @ values, w.sum(axis=1, keepdims=True)), weights, len(values)
    )


def _ranking(scores: np.ndarray, positive: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The AUC of ``scores (n,)`` as a function of weights ``(b, n)``, sorted once for all b."""
    positives = np.flatnonzero(positive)
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives], kind="stable")]
    # A positive beats the negatives left of `below` and ties with those up to `tied`.
    below = np.searchsorted(scores[negatives], scores[positives], side="left")
    tied = np.searchsorted(scores[negatives], scores[positives], side="right")

    def auc(weights: np.ndarray) -> np.ndarray:
        mass = np.zeros((len(weights), len(negatives) + 1))
        np.cumsum(weights[:, negatives], axis=1, out=mass[:, 1:])
        own = weights[:, positives]
        wins = (mass[:, below] + mass[:, tied]) / 2
        return ratio(np.einsum("bp,bp->b", own, wins), own.sum(axis=1) * mass[:, -1])

    return auc


def _of_counts(
    score: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    probabilities: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None,
) -> Score:
    """A score that knows of each class how often it was right, was said, and was true.

    Args:
        score: of these three counts, each ``(b, k)``; gives ``(b,)``. It is nan for whoever has a
            class that was never true.
        probabilities: as in `accuracy`.
        labels: as in `accuracy`.
        weights: as in `accuracy`.
    """
    probabilities, labels = _checked(probabilities, labels)
    one_hot = np.eye(probabilities.shape[1])
    said, true = one_hot[probabilities.argmax(axis=1)], one_hot[labels]

    def counted(w: np.ndarray) -> np.ndarray:
        of_true = w @ true
        found = score(w @ (said * true), w @ said, of_true)
        return np.where((of_true > 0).all(axis=1), found, np.nan)

    return over_replicates(counted, weights, len(labels))
