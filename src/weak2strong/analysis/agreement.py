"""Does the student say what its supervisor says, where that is right and where it is wrong?

Agreement is the share of test examples on which both give the same answer (Burns et al. 2023,
section 5.1 and figure 8): of all, of those where the supervisor is right, and of those where it
is wrong. Agreement with wrong answers is error imitation; *inverse scaling* is larger students
agreeing less with them. An answer is the most probable class, the first of equals.

The student's own accuracy where the supervisor is wrong is what Lang et al. 2024
(arXiv 2405.16043) call pseudolabel correction. With two classes it is one minus the agreement
there; with more, a student may be wrong in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import SHARE, columns, mean_estimate
from weak2strong.analysis.tested import Tested

AMONG = ("all", "right", "wrong")
"""Which weak labels are looked at, by the ground truth."""


def agreement_rows(tested: Tested, method: str) -> Iterator[dict[str, Any]]:
    """A row for all, right and wrong weak labels: agreement, and accuracy of the student.

    ``examples`` is their mean number over seeds; numbers are null where some seed has none.
    """
    student, supervisor, chosen = _answered(tested, method)
    for weak_label in AMONG:
        among = chosen[weak_label]
        of = {"agreement": student == supervisor, "student_accuracy": student == tested.labels}
        row: dict[str, Any] = {"weak_label": weak_label, "examples": float(among.sum(1).mean())}
        for name, hits in of.items():
            hits = hits.astype(float)
            found = mean_estimate(hits, tested.weights, tested.group_count, among, SHARE)
            row |= columns(name, found)
        yield row


def confusion_rows(tested: Tested, method: str) -> Iterator[dict[str, Any]]:
    """A row for each of the four ways in which student and supervisor are right or wrong.

    ``share`` is that of the test examples; the four add up to one.
    """
    student, _, chosen = _answered(tested, method)
    right = student == tested.labels
    for student_right in (True, False):
        for supervisor_right in (True, False):
            among = chosen["right" if supervisor_right else "wrong"]
            here = ((right == student_right) & among).astype(float)
            share = mean_estimate(here, tested.weights, tested.group_count, within=SHARE)
            yield {
                "student_right": student_right,
                "supervisor_right": supervisor_right,
                **columns("share", share),
            }


def _answered(tested: Tested, method: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Answers of student and supervisor, ``(S, n)``, and the examples of each of `AMONG`."""
    student, supervisor = (x.argmax(axis=2) for x in (tested.students[method], tested.floor))
    right = supervisor == tested.labels
    return student, supervisor, {"all": np.ones_like(right), "right": right, "wrong": ~right}
