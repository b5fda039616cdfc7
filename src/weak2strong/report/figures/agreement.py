"""How often students give their supervisor's answer: at all, where it is right, where it is wrong.

Burns et al. 2023, figure 8: agreement with the supervisor's errors is imitation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.analysis.analyses.agreement import agreement_by_seed
from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.kind import FigureKind
from weak2strong.report.figures.style import GRID, INK, PAPER, Styles, new_figure, row_labels

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NAMES = {"wrong": "supervisor is wrong", "all": "all", "right": "supervisor is right"}
"""Of the weak labels that agreement is with."""

WHERE = {
    "supervisor is wrong": ("X", PAPER),
    "all": ("o", None),
    "supervisor is right": ("^", PAPER),
}
"""Marks, and how they are filled: None for the method's own colour."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """A row a task, method, seed and part of the test set: the share of like answers.

    Without the parts of which some seed has no example.
    """
    import numpy as np
    import polars as pl

    rows = []
    for task, tested in run.tested.items():
        for method in run.config.methods:
            of = agreement_by_seed(tested, method)
            for weak_label, where in NAMES.items():
                shares = of[weak_label]
                if np.isfinite(shares).all():
                    rows += [(task, method, s, where, x) for s, x in enumerate(shares.tolist())]
    return pl.DataFrame(rows, schema=["task", "method", "seed", "where", "agreement"], orient="row")


def _means(frame: pl.DataFrame) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Mean, least and most by method and part; over seeds, or over the tasks' means."""
    import polars as pl

    by = ["method", "where"]
    value = pl.col("agreement")
    if frame["task"].n_unique() > 1:
        frame = frame.group_by("task", *by, maintain_order=True).agg(value.mean())
    found = dict[str, dict[str, tuple[float, float, float]]]()
    ranges = frame.group_by(by, maintain_order=True).agg(
        value.mean().alias("mean"), value.min().alias("low"), value.max().alias("high")
    )
    for method, where, mean, low, high in ranges.iter_rows():
        found.setdefault(method, {})[where] = (mean, low, high)
    return found


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Three marks a method, with ranges."""
    means = _means(frame)
    figure, axes = new_figure(height=1.05 + 0.42 * len(means))
    for y, (method, of) in enumerate(means.items()):
        style = styles[method]
        for shift, (where, (mark, fill)) in zip((-0.2, 0.0, 0.2), WHERE.items(), strict=True):
            if where not in of:
                continue
            mean, low, high = of[where]
            axes.plot([low, high], [y + shift] * 2, color=style.colour, linewidth=1, alpha=0.8)
            axes.plot(
                mean,
                y + shift,
                mark,
                color=fill or style.colour,
                markeredgecolor=style.colour,
                markersize=6.5,
            )
    for where, (mark, fill) in WHERE.items():
        label = where if where == "all" else f"where the {where}"
        axes.plot([], [], mark, color=fill or INK, markeredgecolor=INK, label=label, markersize=6)
    row_labels(axes, list(means))
    axes.set_xlim(-0.02, 1.02)
    for y in range(1, len(means)):
        axes.axhline(y - 0.5, color=GRID, linewidth=0.7)
    axes.set_xlabel("share of test examples on which the student gives its supervisor's answer")
    figure.legend(loc="outside upper center", ncols=3, handletextpad=0.2)
    return figure


def title(frame: pl.DataFrame) -> str:
    """Who imitates errors most and least."""
    wrong = {
        m: of["supervisor is wrong"][0]
        for m, of in _means(frame).items()
        if "supervisor is wrong" in of
    }
    if not wrong:
        return "Supervisors make no error that students could imitate"
    most, least = max(wrong, key=wrong.__getitem__), min(wrong, key=wrong.__getitem__)
    text = f"Students of {most} imitate {100 * wrong[most]:.0f}% of their supervisors' errors"
    return text if most == least else f"{text}, of {least} {100 * wrong[least]:.0f}%"


def alt(frame: pl.DataFrame) -> str:
    """Every mean."""
    return (
        "; ".join(
            f"{method}: "
            + ", ".join(f"{where} {of[where][0]:.2f}" for where in WHERE if where in of)
            for method, of in _means(frame).items()
        )
        + "."
    )


def note(frame: pl.DataFrame) -> str:
    """What marks and lines are."""
    several = frame["task"].n_unique() > 1
    over = "tasks" if several else "seeds"
    return (
        f"Marks: means over {over}; lines: from the lowest to the highest of them. A student "
        "that agrees everywhere has learned to simulate its supervisor, errors included."
    )


AGREEMENT = FigureKind("agreement", data, draw, title, alt, note)
