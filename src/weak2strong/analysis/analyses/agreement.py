"""Does the student give the supervisor's answer where this is right, and where it is wrong?

Agreement is the share of test examples on which both give the same answer (Burns et al. 2023,
section 5.1 and figure 8). It is given for all examples, for those where the supervisor is right,
and for those where it is wrong. Agreement with wrong answers is error imitation. *Inverse scaling*
means that larger students agree less with wrong answers. `weak2strong.tasks.answers` reads which
answer a model gives.

The student's own accuracy where the supervisor is wrong is what Lang et al. 2024
(arXiv 2405.16043) call pseudolabel correction. With two classes it is one minus the agreement
there; with more, or in words, a student may be wrong in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import SHARE, columns, mean_estimate, seed_means
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Row, estimate, number
from weak2strong.tasks.answers import by_weak_label


def agreeing(tested: Tested, method: str) -> np.ndarray:
    """Whether a student gives the answer of its supervisor, booleans ``(S, n)``."""
    return tested.given["student", method] == tested.given["floor", ""]


def agreement_by_seed(tested: Tested, method: str) -> dict[str, np.ndarray]:
    """Agreement of each seed, ``(S,)``, with all, right and wrong weak labels; nan without any."""
    same = agreeing(tested, method)
    among = by_weak_label(tested.right["floor", ""])
    return {name: seed_means(same, chosen) for name, chosen in among.items()}


def who_is_right(tested: Tested, method: str) -> dict[tuple[bool, bool], np.ndarray]:
    """The four ways in which student and supervisor are right, each as booleans ``(S, n)``."""
    student, supervisor = tested.right["student", method], tested.right["floor", ""]
    return {
        (a, b): (student == a) & (supervisor == b) for a in (True, False) for b in (True, False)
    }


def agreement_rows(tested: Tested, method: str) -> Iterator[dict[str, Any]]:
    """A row for all, right and wrong weak labels: agreement, and accuracy of the student.

    ``examples`` is their mean number over seeds; numbers are null where some seed has none.
    """
    of = {
        "agreement": agreeing(tested, method),
        "student_accuracy": tested.right["student", method],
    }
    for weak_label, among in by_weak_label(tested.right["floor", ""]).items():
        row: dict[str, Any] = {"weak_label": weak_label, "examples": float(among.sum(1).mean())}
        for name, hits in of.items():
            mean = mean_estimate(hits, tested.weights, tested.group_count, among, SHARE)
            row |= columns(name, mean)
        yield row


def confusion_rows(tested: Tested, method: str) -> Iterator[dict[str, Any]]:
    """A row for each of the four ways in which student and supervisor are right or wrong.

    ``share`` is that of the test examples; the four add up to one.
    """
    for (student_right, supervisor_right), where in who_is_right(tested, method).items():
        share = mean_estimate(where, tested.weights, tested.group_count, within=SHARE)
        yield {
            "student_right": student_right,
            "supervisor_right": supervisor_right,
            **columns("share", share),
        }


def inverse_scaling(rows: Sequence[Row]) -> list[str]:
    """A sentence on the largest and the smallest students of the same supervisor."""
    by_setting = dict[tuple[str, str, str], list[Row]]()
    for row in rows:
        known = row["agreement"] is not None and row["strong_parameters"] is not None
        if row["weak_label"] == "wrong" and known:
            setting = row["task"], row["method"], row["weak"]
            by_setting.setdefault(setting, []).append(row)
    changes = []
    for same in by_setting.values():
        by_size = sorted(same, key=lambda row: row["strong_parameters"])
        if by_size[0]["strong_parameters"] < by_size[-1]["strong_parameters"]:
            changes.append(by_size[-1]["agreement"] - by_size[0]["agreement"])
    if not changes:
        return []
    less = sum(change < 0 for change in changes)
    return [
        f"Inverse scaling: of {len(changes)} tasks and methods with students of several sizes and "
        f"one supervisor, the largest student agrees less with wrong weak labels than the smallest "
        f"on {less} (mean change {sum(changes) / len(changes):+.3f})."
    ]


NOTE = (
    "Share of these weak labels for which the student gives the same answer. On wrong ones it "
    "imitates errors; what it does not imitate there, it corrects (with two classes; otherwise it "
    "may err in its own way)."
)


@analysis(
    "agreement",
    "a row a student and weak labels (all, right, wrong)",
    title="Agreement of student and supervisor on test, by whether the weak label is right",
    across="weak_label",
    columns=[estimate(f"agreement_{name}", f"on {name}") for name in ("all", "right", "wrong")],
    notes=lambda rows: [NOTE, *inverse_scaling(rows)],
    averaged=True,
    together=True,
)
def agreement(run: TestedRun) -> Iterator[Row]:
    """The rows of `agreement_rows` for every student."""
    return run.of_students(agreement_rows)


WHO = {
    (True, True): "both",
    (True, False): "student_alone",
    (False, True): "supervisor_alone",
    (False, False): "neither",
}
"""Who is right, by whether the student is and by whether its supervisor is."""


@analysis(
    "confusion",
    "a row a student and way of being right and wrong",
    title="Who is right: share of test examples",
    across=lambda row: WHO[row["student_right"], row["supervisor_right"]],
    columns=[number(f"share_{who}", who.replace("_", " ")) for who in WHO.values()],
    notes=["Student alone minus supervisor alone is the student's gain in right answers."],
    averaged=True,
)
def confusion(run: TestedRun) -> Iterator[Row]:
    """The rows of `confusion_rows` for every student."""
    return run.of_students(confusion_rows)
