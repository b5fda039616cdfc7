"""How often students give their supervisor's answer: at all, where it is right, where it is wrong.

Burns et al. 2023, figure 8: agreement with the supervisor's errors is imitation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.agreement import agreement_by_seed, agreement_rows
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import circles, legend, new_figure, row_labels
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    fair,
    listed,
    marked,
    oracles_note,
)
from weak2strong.report.figures.style import GRID, INK, PAPER, Styles

PARTS = {"wrong": "supervisor is wrong", "all": "all", "right": "supervisor is right"}
"""The parts of the test set, by the weak labels that agreement is with."""

MARKS = {
    "supervisor is wrong": ("X", PAPER),
    "all": ("o", None),
    "supervisor is right": ("^", PAPER),
}
"""The mark of each part, and how it is filled: None for the method's own colour."""


def data(run: FinishedRun) -> pl.DataFrame:
    """One row for each task, method, seed and part of the test set: the share of equal answers.

    ``low`` and ``high`` are the interval of the mean over seeds on this task, as `w2s analyse` has
    it. A part is left out where some seed has no example of it. ``oracle`` marks students that saw
    ground truth.
    """
    rows, see_truth = [], run.oracles
    for task, tested in run.tested.items():
        for method in run.config.methods:
            by_weak_label = agreement_by_seed(tested, method)
            intervals = {r["weak_label"]: r for r in agreement_rows(tested, method)}
            for weak_label, part in PARTS.items():
                shares, found = by_weak_label[weak_label], intervals[weak_label]
                if not np.isfinite(shares).all():
                    continue
                ends = (found["agreement_low"], found["agreement_high"], method in see_truth)
                rows += [(task, method, s, part, x, *ends) for s, x in enumerate(shares.tolist())]
    columns = ["task", "method", "seed", "where", "agreement", "low", "high", "oracle"]
    numbers = dict.fromkeys(columns[4:7], pl.Float64)
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=numbers)


def _by_task(frame: pl.DataFrame) -> pl.DataFrame:
    """The mean over seeds on each task, with its interval."""
    keys = ("task", "method", "where")
    value, ends = pl.col("agreement").mean(), pl.col("low", "high").first()
    return frame.group_by(keys, maintain_order=True).agg(value, ends)


def _means(frame: pl.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """The mean of each method and part over tasks; of one task with its interval."""
    ends = pl.when(pl.len() == 1).then(pl.col("low", "high").first()).name.prefix("agreement_")
    rows = _by_task(frame).group_by("method", "where", maintain_order=True)
    return {
        method: parts.rows_by_key("where", named=True, unique=True)
        for (method,), parts in rows.agg(pl.col("agreement").mean(), ends).group_by(
            "method", maintain_order=True
        )
    }


def _mark(part: str, colour: str) -> dict[str, Any]:
    """How the mark of a part looks in a colour."""
    mark, fill = MARKS[part]
    own = {"color": fill or colour, "markeredgecolor": colour}
    return {"marker": mark, "linestyle": "none", "markersize": 6.5} | own


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw three marks for each method: with intervals of one task, with a dot for each of many."""
    means, by_task = _means(frame), _by_task(frame)
    figure, axes = new_figure(height=1.05 + 0.42 * len(means))
    for row, (method, parts) in enumerate(means.items()):
        colour = styles[method].colour
        for shift, part in zip((-0.2, 0.0, 0.2), MARKS, strict=True):
            if part not in parts:
                continue
            of, y = parts[part], row + shift
            if of["agreement_low"] is not None:
                ends = (of["agreement_low"], of["agreement_high"])
                axes.hlines(y, *ends, color=colour, linewidth=1, alpha=0.8)
            shares = by_task.filter(method=method, where=part)["agreement"].to_list()
            if len(shares) > 1:
                circles(axes, shares, y, color=colour, markersize=1.8, alpha=0.6)
            axes.plot(of["agreement"], y, **_mark(part, colour))
    row_labels(axes, marked(frame, means))
    axes.set_xlim(-0.02, 1.02)
    for row in range(1, len(means)):
        axes.axhline(row - 0.5, color=GRID, linewidth=0.7)
    figure.supxlabel("share of test examples on which the student gives its supervisor's answer")
    titles = {part: part if part == "all" else f"where the {part}" for part in MARKS}
    legend(figure, 3, {titles[part]: _mark(part, INK) for part in MARKS}, handletextpad=0.2)
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say whose students imitate errors most and least, and every mean."""
    means = _means(frame)
    wrong = {
        method: parts[PARTS["wrong"]]["agreement"]
        for method, parts in _means(fair(frame)).items()
        if PARTS["wrong"] in parts
    }
    texts = (
        f"{method}: "
        + ", ".join(f"{p} {estimate_text(parts[p], 'agreement')}" for p in MARKS if p in parts)
        for method, parts in means.items()
    )
    tasks = frame["task"].n_unique()
    how = (
        f"Marks: means over {tasks} tasks and all seeds; dots: tasks (w2s analyse has their "
        "intervals)."
        if tasks > 1
        else "Marks: means over seeds; lines: 95% intervals over seeds and test examples."
    )
    return Description(
        title=_title(wrong),
        alt=listed(texts),
        note=f"{how} A student that agrees everywhere has learned to simulate its supervisor, "
        f"errors included.{oracles_note(frame)}",
    )


def _title(wrong: dict[str, float]) -> str:
    """Which methods' students imitate the most and the fewest errors."""
    if not wrong:
        return "Supervisors make no error that students could imitate"
    most, least = max(wrong, key=wrong.__getitem__), min(wrong, key=wrong.__getitem__)
    text = f"Students of {most} imitate {100 * wrong[most]:.0f}% of their supervisors' errors"
    return text if most == least else f"{text}, of {least} {100 * wrong[least]:.0f}%"


AGREEMENT = FigureKind("agreement", data, draw, describe)
