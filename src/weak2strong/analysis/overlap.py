"""Overlap density: the share of examples with something for the supervisor and something beyond it.

Shin, Cooper and Sala 2024, *Weak-to-Strong Generalization Through the Data-Centric Lens* (arXiv
2412.03881): an example holds easy patterns, which the supervisor reads, hard ones, which only the
student can read, or both. From those with both, the *overlap*, a student learns hard patterns under
right weak labels, and the gain should grow with their share, the *overlap density*. The regions are
not observed; the paper detects them:

1. *hard-only* are the examples on which the supervisor is least confident;
2. of the others, *overlap* are those most like some hard-only example in the strong model's
   activations, and *easy-only* the rest.

Both thresholds are change points of the sorted numbers. The steps are those of the paper's abstract
and its authors' post; the formulas those of their published code for language models
(SprocketLab/datacentric_w2s): confidence ``2 |p - 1/2|``, likeness the largest absolute cosine with
a hard-only example, and one change point by squared error. The paper's own listing we could not
read. Ours are: the margin between the two most probable classes as confidence, which for two
classes is theirs; a search of all places of the change point; and how clear a change is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import SHARE, columns, mean_estimate

REGIONS = ("hard-only", "overlap", "easy-only")

CHANGES = (
    "confidence_threshold",
    "confidence_explained",
    "likeness_threshold",
    "likeness_explained",
)
"""The two change points, of a seed or as means over seeds."""

PRODUCTS = 2**25
"""How many cosines are held at a time."""


@dataclass(frozen=True)
class StudentExamples:
    """The n examples that the students of a task learned from, and the answers of S seeds on them.

    Ground truth is here to analyse what came of the training, which did not see it.

    Attributes:
        task: name.
        classes: names.
        layer: whose activations ``features`` are, by number; 0 is the embeddings.
        groups: group ids, ``(n,)``.
        labels: ground truth, ``(n,)``.
        features: activations of the frozen strong model, ``(n, d)``.
        weak: weak labels as probabilities, ``(S, n, classes)``.
        students: of the students of each method after training, likewise.
    """

    task: str
    classes: tuple[str, ...]
    layer: int
    groups: np.ndarray
    labels: np.ndarray
    features: np.ndarray
    weak: np.ndarray
    students: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class ChangePoint:
    """Where sorted numbers fall into two groups.

    Attributes:
        threshold: the least number of the upper group.
        explained: the share of the variance that is between the groups, above 0 to 1. It is high
            even where there are no groups: 0.64 of normal numbers, 0.75 of uniform ones.
    """

    threshold: float
    explained: float


@dataclass(frozen=True)
class Regions:
    """The regions of n examples for one supervisor.

    Attributes:
        index: of each example's region in `REGIONS`, ``(n,)``.
        confidence: the change point between hard-only and other examples.
        likeness: that between easy-only and overlap.
    """

    index: np.ndarray
    confidence: ChangePoint
    likeness: ChangePoint


def change_point(values: np.ndarray) -> ChangePoint | None:
    """The split of sorted numbers with the least squared error about two means; None if all alike.

    Exact, after one sort: the error is least where the variance between is most,
    ``n / (m (n - m)) * (sum of the m lowest, less m means)^2``. Equal numbers stay together:
    between two of them the error is never the least.
    """
    values = np.sort(np.asarray(values, dtype=float))
    n = len(values)
    if not n or values[0] == values[-1]:
        return None
    centred = values - values.mean()
    lowest = np.arange(1, n)
    between = np.cumsum(centred)[:-1] ** 2 * n / (lowest * (n - lowest))
    at = int(between.argmax())
    return ChangePoint(float(values[at + 1]), float(between[at] / (centred @ centred)))


def margins(weak: np.ndarray) -> np.ndarray:
    """By how much the most probable class leads the next, ``(n,)``, of ``(n, classes)``."""
    ranked = np.sort(weak, axis=1)
    return ranked[:, -1] - ranked[:, -2]


def likeness(features: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """The largest absolute cosine of each other example with a hard-only one.

    Args:
        features: ``(n, d)``; a vector of zeros is like nothing.
        hard: which examples are hard-only, ``(n,)``, some and not all.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
    others, like = unit[~hard], unit[hard].T
    rows = max(1, PRODUCTS // like.shape[1])
    return np.concatenate(
        [np.abs(others[i : i + rows] @ like).max(axis=1) for i in range(0, len(others), rows)]
    )


def detect(features: np.ndarray, weak: np.ndarray) -> Regions | None:
    """The regions of examples, without ground truth.

    Args:
        features: activations of the frozen strong model, ``(n, d)``.
        weak: weak labels as probabilities, ``(n, classes)``.

    Returns:
        None where all weak labels are as confident, or all other examples as like the hard ones.
    """
    sure = margins(weak)
    confidence = change_point(sure)
    if confidence is None:
        return None
    hard = sure < confidence.threshold
    like = likeness(features, hard)
    similarity = change_point(like)
    if similarity is None:
        return None
    index = np.full(len(features), REGIONS.index("hard-only"))
    overlap, easy = REGIONS.index("overlap"), REGIONS.index("easy-only")
    index[~hard] = np.where(like >= similarity.threshold, overlap, easy)
    return Regions(index, confidence, similarity)


def overlap_rows(examples: StudentExamples, weights: np.ndarray) -> Iterator[dict[str, Any]]:
    """A row a method, region and seed, and one for the mean over seeds with intervals.

    ``share`` is that of the examples, so the share of overlap is the density; ``weak_right`` and
    ``student_right`` how many of the region's weak labels, and of the student's answers after
    training, are right. Intervals hold the regions fixed while examples are drawn. No row where a
    seed has no regions.

    Args:
        examples: the examples.
        weights: how often each counts in each bootstrap replicate, ``(b, n)``.
    """
    detected = [detect(examples.features, weak) for weak in examples.weak]
    regions = [r for r in detected if r is not None]
    if len(regions) < len(detected):
        return
    groups = len(np.unique(examples.groups))
    changes = np.array(
        [
            (
                r.confidence.threshold,
                r.confidence.explained,
                r.likeness.threshold,
                r.likeness.explained,
            )
            for r in regions
        ]
    )
    weak_right = (examples.weak.argmax(axis=2) == examples.labels).astype(float)
    for method, answers in examples.students.items():
        right = (answers.argmax(axis=2) == examples.labels).astype(float)
        for index, region in enumerate(REGIONS):
            inside = np.stack([r.index == index for r in regions])
            numbers = {
                "share": (inside.astype(float), None),
                "weak_right": (weak_right, inside),
                "student_right": (right, inside),
            }
            row: dict[str, Any] = {"method": method, "region": region, "seed": None}
            for name, (values, among) in numbers.items():
                row |= columns(name, mean_estimate(values, weights, groups, among, SHARE))
            yield row | dict(zip(CHANGES, changes.mean(axis=0).tolist(), strict=True))
            for seed, inside_of_seed in enumerate(inside):
                row = {"method": method, "region": region, "seed": seed}
                for name, (values, among) in numbers.items():
                    chosen = values[seed] if among is None else values[seed][inside_of_seed]
                    row[name] = float(chosen.mean())
                yield row | dict(zip(CHANGES, changes[seed].tolist(), strict=True))
