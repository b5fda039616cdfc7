"""Misfit of student and weak labels, the gain that it predicts, and the gain that came.

With weak label w, student s and one-hot ground truth y as probabilities over classes, on test:

- **squared** (Charikar et al. 2024, arXiv 2405.15116): misfit is the mean of ``|s - w|^2``, gain
  the mean of ``|w - y|^2 - |s - y|^2``, by how much the Brier score falls.
- **kl** (Mulgund and Pabbaraju 2025, arXiv 2501.19105, who take other Bregman divergences):
  misfit is the mean of ``KL(s || w) = sum s log(s / w)``, gain the fall of the log loss,
  ``log s(y) - log w(y)``. Probabilities are at least `LEAST` in logarithms.

The theory says gain >= misfit, for a student that is the projection of the weak labels onto a
convex class that holds the truth: for squares the least-squares fit, for KL the one with the least
``KL(s || w)``. Finetuning with cross-entropy is neither: it is no convex class, and it minimises
``KL(w || s)``. So this is a prediction to be checked, not a guarantee. It takes no ground truth.

As ``gain = misfit + 2 mean (w - s).(s - y)``, misfit is a part of the gain in any case: a
correlation of the two over tasks says less than whether gain minus misfit is near 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.analyses.calibration import LEAST, log_loss, squared_distance
from weak2strong.analysis.estimates import ANY, Estimate, columns, mean_estimate
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Column, Row, estimate, number, words

FORMS = ("squared", "kl")

TITLES = {"squared": "", "kl": "KL "}
"""What stands before the titles of a form's columns."""


@dataclass(frozen=True)
class Misfit:
    """The misfit of every example, which predicts the gain, and the gain, ``(..., n)`` each."""

    misfit: np.ndarray
    gain: np.ndarray


def squared_misfit(student: np.ndarray, weak: np.ndarray, labels: np.ndarray) -> Misfit:
    """The form of Charikar et al.; probabilities ``(..., n, k)``, labels ``(n,)``."""
    truth = np.eye(student.shape[-1])[labels]
    gain = squared_distance(weak, truth) - squared_distance(student, truth)
    return Misfit(squared_distance(student, weak), gain)


def kl_misfit(student: np.ndarray, weak: np.ndarray, labels: np.ndarray) -> Misfit:
    """The form with KL(student || weak) and log loss, in nats; shapes as in `squared_misfit`."""
    s, w = (np.clip(x, LEAST, 1.0) for x in (student, weak))
    divergence = (student * (np.log(s) - np.log(w))).sum(axis=-1)
    return Misfit(divergence, log_loss(weak, labels) - log_loss(student, labels))


def misfit_rows(tested: Tested, method: str) -> Iterator[dict[str, Any]]:
    """A row a form: misfit, gain, and ``surplus``, gain minus misfit, means over seeds."""
    student = tested.students[method]
    for form, of in zip(FORMS, (squared_misfit, kl_misfit), strict=True):
        measured = of(student, tested.floor, tested.labels)
        row: dict[str, Any] = {"form": form}
        for name, values in (
            ("misfit", measured.misfit),
            ("gain", measured.gain),
            ("surplus", measured.gain - measured.misfit),
        ):
            within = (0.0, np.inf) if name == "misfit" else ANY
            mean = mean_estimate(values, tested.weights, tested.group_count, within=within)
            row |= columns(name, mean)
        yield row


FEWEST = 4
"""The fewest tasks with a correlation: Fisher's interval needs so many."""


ROUNDING = 1e-9
"""Misfits or gains that differ by less count as the same on every task."""


def misfit_over_tasks(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Misfit against gain over the tasks of a run: a row a form and method.

    ``r`` is Pearson's correlation with Fisher's 95% interval, null below `FEWEST` tasks;
    ``gain_over_misfit`` the ratio of the two means, 1 where the prediction is right on average.

    Args:
        rows: of `misfit_rows` for every task, each with its method.
    """
    from scipy.stats import pearsonr

    for form, method in dict.fromkeys((row["form"], row["method"]) for row in rows):
        tasks = [row for row in rows if (row["form"], row["method"]) == (form, method)]
        misfit, gain = (np.array([row[name] for row in tasks]) for name in ("misfit", "gain"))
        row: dict[str, Any] = {
            "method": method,
            "form": form,
            "tasks": len(tasks),
            "misfit": float(misfit.mean()),
            "gain": float(gain.mean()),
            "gain_over_misfit": float(gain.mean() / misfit.mean()) if misfit.any() else None,
        }
        correlation = None
        if len(tasks) >= FEWEST and min(np.ptp(misfit), np.ptp(gain)) > ROUNDING:
            r = pearsonr(misfit, gain)
            interval = r.confidence_interval(0.95)
            value = float(r.statistic)  # pyright: ignore[reportAttributeAccessIssue]
            correlation = Estimate(value, float(interval.low), float(interval.high))
        yield row | columns("r", correlation)


def _lacks(run: TestedRun) -> list[str]:
    why = "Misfit: it is a distance of probabilities, and answers in words have none."
    return [why] if run.written else []


def _columns(form: str) -> list[Column]:
    """Misfit, gain, and gain minus misfit in one form."""
    title, detail = TITLES[form], form == "kl"
    return [
        number(f"misfit_{form}", f"{title}misfit", detail=detail),
        number(f"gain_{form}", f"{title}gain", sign=True, detail=detail),
        estimate(f"surplus_{form}", f"{title}gain - misfit", sign=True, detail=detail),
    ]


@analysis(
    "misfit",
    "a row a student and form of misfit",
    title="Misfit of student and weak labels, which predicts the gain, and the gain that came",
    across="form",
    columns=[column for form in FORMS for column in _columns(form)],
    notes=[
        "misfit is the mean squared distance of the student's probabilities from the supervisor's, "
        "gain the fall of the Brier score. KL: the Kullback-Leibler divergence of the two, and the "
        "fall of the log loss. Theory (for a student that is a projection onto a convex class, "
        "which finetuning is not) says gain >= misfit.",
    ],
    averaged=True,
    lacks=_lacks,
)
def misfit(run: TestedRun) -> Sequence[Row]:
    """The rows of `misfit_rows` for every student."""
    return run.once(_of_students)


def _of_students(run: TestedRun) -> Sequence[Row]:
    return [] if run.written else list(run.of_students(misfit_rows))


@analysis(
    "misfit-over-tasks",
    "a row a method and form: misfit against gain",
    title="Misfit and gain over tasks",
    columns=[
        words("form"),
        number("tasks", digits=0),
        number("misfit", "mean misfit"),
        number("gain", "mean gain", sign=True),
        number("gain_over_misfit", "gain / misfit", digits=2, sign=True),
        estimate("r", "correlation", digits=2, sign=True),
    ],
    notes=[
        f"correlation: of misfit and gain over tasks, from {FEWEST} tasks on, with an interval "
        "for independent tasks. Gain is misfit plus a remainder, so that a correlation is "
        "partly built in: look at gain - misfit first."
    ],
    together=True,
)
def over_tasks(run: TestedRun) -> Iterator[Row]:
    """The rows of `misfit_over_tasks`, where there are several tasks."""
    if len(run.tests) > 1:
        yield from misfit_over_tasks(misfit(run))
