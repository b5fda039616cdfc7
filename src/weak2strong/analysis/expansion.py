"""Expansion: do right weak labels neighbour wrong ones, so that a student may correct these?

Lang, Sontag and Vijayaraghavan 2024, *Theoretical Analysis of Weak-to-Strong Generalization*
(arXiv 2405.16043). Of the examples S of one true class, *good* are those with a right weak label,
*bad* the others, ``alpha = P(bad | S)``. A set U within B *expands* to A by

    c = P(N(U) | A) / P(U | B)

where N(U) are the neighbours of its members (definition 3). What has to expand are sets that the
student f defines, of *robust* examples, to all of whose neighbours f gives the same answer:

- from good to bad, U being the good ones that f has right. Their bad neighbours are then right too:
  pseudolabel correction (theorem 4.1). By theorem B.1, for ``c' = c / (1 - alpha + c alpha)``,

      err(f, truth | S) <= (err(f, weak | S) - alpha (2 c' - 1) + 2 c' alpha P(not robust | S))
                           / (1 - 2 c' alpha)

- from bad to good, U being the bad ones that f has wrong: a condition after Wei et al., which asks
  for ``c > alpha / (1 - alpha)`` (theorem C.2).

The paper takes for neighbours paraphrases that keep the true class. Ours are examples of the same
true class among the k nearest in the strong model's activations, either way round, since the paper
wants neighbourhoods symmetric. It speaks of a population; here the examples are all there is, and
for them the bound holds as it stands, with c at most 1. The paper takes the least c of several
retrained students; here each seed has its own, and the mean is given. Its tables leave
P(not robust) out of the bound; here it is in.

*Coverage expansion*, to examples without a weak label, is not estimated: a study labels all of its
examples, and which of them a method leaves out it does not say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import ANY, SHARE, columns, estimated
from weak2strong.analysis.overlap import StudentExamples
from weak2strong.probes.knn import nearest

Edges = tuple[np.ndarray, np.ndarray]
"""Pairs of neighbours, both ways: the first of each and the second, ``(e,)``."""

NUMBERS = {
    "wrong": SHARE,
    "reached": SHARE,
    "good_around_wrong": SHARE,
    "good_around_all": SHARE,
    "expansion": (0.0, np.inf),
    "error_expansion": (0.0, np.inf),
    "robust": SHARE,
    "weak_error": SHARE,
    "bound": ANY,
    "student_error": SHARE,
    "corrected": SHARE,
}
"""What is estimated of a class (see `expansion_numbers`), and where it can lie."""


def class_edges(neighbours: np.ndarray, labels: np.ndarray) -> Edges:
    """The neighbours ``(n, k)`` that share the true class ``(n,)``, both ways."""
    first = np.repeat(np.arange(len(neighbours)), neighbours.shape[1])
    second = neighbours.ravel()
    same = labels[first] == labels[second]
    first, second = first[same], second[same]
    return np.concatenate([first, second]), np.concatenate([second, first])


def neighbourhood(members: np.ndarray, edges: Edges) -> np.ndarray:
    """N(U): which examples, ``(n,)``, have a neighbour in a set, booleans ``(n,)``."""
    first, second = edges
    reached = np.zeros_like(members)
    reached[second[members[first]]] = True
    return reached


def robust(answers: np.ndarray, edges: Edges) -> np.ndarray:
    """Which examples have the same answer ``(n,)`` as all of their neighbours."""
    first, second = edges
    steady = np.ones(len(answers), dtype=bool)
    steady[first[answers[first] != answers[second]]] = False
    return steady


def error_bound(
    expansion: np.ndarray, wrong: np.ndarray, weak_error: np.ndarray, fragile: np.ndarray
) -> np.ndarray:
    """Theorem B.1: the most that a student can err on the true labels of a class.

    Args:
        expansion: c, from good to bad; what is above 1 counts as 1.
        wrong: alpha, the share of wrong weak labels; the bound is nan from 0.5 on.
        weak_error: share of the class where student and weak label differ.
        fragile: share where the student is not robust.
    """
    c = np.minimum(expansion, 1.0)
    scaled = c / (1 - wrong + c * wrong)
    most = weak_error - wrong * (2 * scaled - 1) + 2 * scaled * wrong * fragile
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(wrong < 0.5, most / (1 - 2 * scaled * wrong), np.nan)


def expansion_numbers(
    weak: np.ndarray,
    student: np.ndarray,
    labels: np.ndarray,
    label: int,
    neighbours: np.ndarray,
    weights: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """What a class of examples, one supervisor and one student give, once a replicate.

    - ``wrong``: alpha, the share of wrong weak labels;
    - ``reached``: of these examples, how many have a good neighbour;
    - ``good_around_wrong``: the mean share of good ones among their k nearest of all classes, and
      ``good_around_all``, the same around the whole class, which it would be if errors were spread;
    - ``expansion``: c from good to bad; ``error_expansion``: c from bad to good;
    - ``robust``: the share of examples where the student is;
    - ``weak_error``: how often student and weak label differ; ``student_error``: how often the
      student is wrong; ``bound``: the most of that, by theorem B.1;
    - ``corrected``: of the bad examples, how many the student has right.

    Args:
        weak: answers of the supervisor, ``(n,)``.
        student: those of the student, likewise.
        labels: ground truth, likewise.
        label: of the class.
        neighbours: the k nearest other examples of each, ``(n, k)``.
        weights: how often each example counts in each replicate, ``(b, n)``; once if None. Who is
            whose neighbour stays the same.

    Returns:
        By name, ``(b,)``; nan where a set that is divided by is empty.
    """
    weights = np.ones((1, len(labels))) if weights is None else weights
    members = labels == label
    good, bad = members & (weak == labels), members & (weak != labels)
    edges = class_edges(neighbours, labels)
    steady = robust(student, edges)
    kept, errors = good & steady & (student == labels), bad & steady & (student != labels)
    around = good[neighbours].mean(axis=1)

    def share(values: np.ndarray, among: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (weights @ (values * among)) / (weights @ among.astype(float))

    def expands(a: np.ndarray, b: np.ndarray, members: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            c = share(neighbourhood(members, edges), a) / share(members, b)
        return np.where(np.isfinite(c), c, np.nan)

    numbers = {
        "wrong": share(bad, members),
        "reached": share(neighbourhood(good, edges), bad),
        "good_around_wrong": share(around, bad),
        "good_around_all": share(around, members),
        "expansion": expands(bad, good, kept),
        "error_expansion": expands(good, bad, errors),
        "robust": share(steady, members),
        "weak_error": share(student != weak, members),
        "student_error": share(student != labels, members),
        "corrected": share(student == labels, bad),
    }
    bound = error_bound(
        numbers["expansion"], numbers["wrong"], numbers["weak_error"], 1 - numbers["robust"]
    )
    return numbers | {"bound": bound}


def expansion_rows(
    examples: StudentExamples, k: int, weights: np.ndarray
) -> Iterator[dict[str, Any]]:
    """A row a method, class and seed, and one for the mean over seeds with intervals.

    Numbers are those of `expansion_numbers`, null where they are not defined, in the mean where
    they are not in a seed; ``examples`` are those of the class.

    Args:
        examples: the examples.
        k: neighbours of each, at least 1 and fewer than there are examples.
        weights: how often each counts in each bootstrap replicate, ``(b, n)``.
    """
    neighbours = nearest(examples.features, k=k, itself=False)
    groups = len(np.unique(examples.groups))
    weak = examples.weak.argmax(axis=2)
    for method, answers in examples.students.items():
        students = answers.argmax(axis=2)
        for label, name in enumerate(examples.classes):
            size = int((examples.labels == label).sum())
            if not size:
                continue
            about = {"method": method, "class": name, "examples": size}
            as_they_are, resampled = (
                [
                    expansion_numbers(w, s, examples.labels, label, neighbours, draws)
                    for w, s in zip(weak, students, strict=True)
                ]
                for draws in (None, weights)
            )
            row: dict[str, Any] = about | {"seed": None}
            for number, within in NUMBERS.items():
                scores = np.concatenate([numbers[number] for numbers in as_they_are])
                replicates = np.stack([numbers[number] for numbers in resampled], axis=1)
                row |= columns(number, estimated(scores, replicates, groups, within))
            yield row
            for seed, numbers in enumerate(as_they_are):
                scores = {number: float(numbers[number][0]) for number in NUMBERS}
                yield about | {
                    "seed": seed,
                    **{n: value if np.isfinite(value) else None for n, value in scores.items()},
                }
