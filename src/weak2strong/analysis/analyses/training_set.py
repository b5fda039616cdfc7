"""How much of the gap students recover on the very examples that they learned from.

EleutherAI 2024 trains students of students where PGR on the strong training set is positive. Ground
truth of this set is used after training, for this alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.intervals import fieller_bounds
from weak2strong.analysis.tested import TestedRun
from weak2strong.engine.recorded import LEFT_OUT, RIGHT
from weak2strong.ground.table import Row, number, pgr

if TYPE_CHECKING:
    import polars as pl


def training_rows(agreement: pl.DataFrame | None) -> Iterator[dict[str, Any]]:
    """A row for each task and method: shares of right answers to ``strong_train``, and PGR there.

    Shares are means over seeds, of all examples, those left out by a filter among them. PGR and its
    ends are None where it is undefined, and ``undefined`` says why.

    Args:
        agreement: of the run (see `weak2strong.engine.recorded.read_agreement`); nothing comes of
            None, and of that of an older run.
    """
    import polars as pl

    if agreement is None or RIGHT[0] not in agreement.columns:
        return
    parts = agreement.filter(pl.col("split").is_in(["strong_train", LEFT_OUT]))
    share = (pl.col(RIGHT) * pl.col("examples")).sum() / pl.col("examples").sum()
    by_seed = parts.group_by("task", "method", "seed", maintain_order=True).agg(share)
    for (task, method), rows in by_seed.group_by("task", "method", maintain_order=True):
        shares = rows.select(RIGHT).to_numpy()
        means = zip(RIGHT, shares.mean(axis=0).tolist(), strict=True)
        yield {"task": task, "method": method} | dict(means) | pgr_over_seeds(shares)


def pgr_over_seeds(scores: np.ndarray, level: float = 0.95) -> dict[str, Any]:
    """PGR of the means of floor, student and ceiling, ``(S, 3)``, with Fieller's interval.

    The interval is over seeds alone, for these examples: undefined of one seed, and where the
    interval of the gap over seeds reaches 0.
    """
    from scipy.stats import t

    seeds, fields = len(scores), ("pgr", "pgr_low", "pgr_high")
    if seeds < 2:
        why = "One seed has no interval over seeds."
        return dict.fromkeys(fields) | {"undefined": why}
    mean = scores.mean(axis=0)
    margin = t.ppf((1 + level) / 2, seeds - 1) ** 2 * np.cov(scores.T) / seeds
    numerator, denominator = np.array([-1.0, 1.0, 0.0]), np.array([-1.0, 0.0, 1.0])
    bounds = fieller_bounds(mean, margin, numerator, denominator)
    gap = float(denominator @ mean)
    if bounds is None or gap <= 0:
        why = "On the training set the ceiling is not clearly above the weak labels."
        return dict.fromkeys(fields) | {"undefined": why}
    value = float(numerator @ mean) / gap
    return dict(zip(fields, (value, *bounds), strict=True)) | {"undefined": None}


NOTE = (
    "Shares of right answers to strong_train: of the weak labels that students learned, of "
    "students, and of ceilings, which have learned the ground truth of these very examples. "
    "Intervals of PGR are over seeds, for these examples: undefined with one seed, or where the "
    "ceiling is not clearly above the weak labels. EleutherAI 2024 goes on from students to "
    "students of students where this PGR is positive, which is an oracle."
)


@analysis(
    "training-set",
    "a row a student, on the examples that it was trained on",
    title="On the strong training set: share of right answers",
    columns=[
        number("weak_right", "weak labels"),
        number("student_right", "student"),
        number("ceiling_right", "ceiling"),
        pgr(title="PGR [95%]"),
    ],
    notes=[NOTE],
    averaged=True,
)
def training_set(run: TestedRun) -> Iterator[Row]:
    """The rows of `training_rows`."""
    return training_rows(run.agreement)
