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

from weak2strong.analysis.analyses.calibration import LEAST, log_loss, squared_distance
from weak2strong.analysis.estimates import ANY, Estimate, columns, mean_estimate
from weak2strong.analysis.tested import Tested

FORMS = ("squared", "kl")


@dataclass(frozen=True)
class Misfit:
    """Per example, ``(..., n)``: the misfit, which predicts the gain, and the gain."""

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
        found = of(student, tested.floor, tested.labels)
        row: dict[str, Any] = {"form": form}
        for name, values in (
            ("misfit", found.misfit),
            ("gain", found.gain),
            ("surplus", found.gain - found.misfit),
        ):
            within = (0.0, np.inf) if name == "misfit" else ANY
            mean = mean_estimate(values, tested.weights, tested.group_count, within=within)
            row |= columns(name, mean)
        yield row


FEWEST = 4
"""Tasks from which a correlation is given: Fisher's interval needs so many."""


ROUNDING = 1e-9
"""What differs by less is the same on every task."""


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
        found = None
        if len(tasks) >= FEWEST and min(np.ptp(misfit), np.ptp(gain)) > ROUNDING:
            r = pearsonr(misfit, gain)
            interval = r.confidence_interval(0.95)
            value = float(r.statistic)  # pyright: ignore[reportAttributeAccessIssue]
            found = Estimate(value, float(interval.low), float(interval.high))
        yield row | columns("r", found)
