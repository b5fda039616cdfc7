"""Students against the accuracy of their labels, a curve for each structure of errors.

How much wrong labels matter: beneath the line of equal scores a student is worse than the labels
that it learned from. Burns et al. 2023, appendix E, asks this at one accuracy.
"""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.experiments.simulate import REAL, FinishedSimulate
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import curve, legend, panel_grid
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import (
    DASHES,
    FLOOR,
    INK,
    ROLES,
    Styles,
    ordered_styles,
)

NAIVE = {"color": FLOOR, "linewidth": 1.2, "linestyle": DASHES}
"""The line on which a student is as good as its labels."""

COLUMNS = ("task", "method", "metric", "supervisor", "accuracy", "floor", "student")


def data(simulated: FinishedSimulate) -> pl.DataFrame | None:
    """One row for each task, method, supervisor and accuracy; None where there is one accuracy."""
    if not simulated.dosed:
        return None
    return simulated.table().select(*COLUMNS, "student_low", "student_high", "ceiling")


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each task and method, with a curve for each simulated supervisor."""
    del styles  # The colours are those of supervisors.
    panels_of = frame.partition_by("task", "method", maintain_order=True, as_dict=True)
    one_method = frame["method"].n_unique() == 1
    names = {key: str(key[0]) if one_method else f"{key[0]}, {key[1]}" for key in panels_of}
    figure, panels = panel_grid(list(names.values()), 2, 2.6, 40)
    supervisors = _supervisors(frame)
    for key, rows in panels_of.items():
        _panel(panels[names[key]], rows, supervisors)
    metric = metric_title(frame["metric"][0])
    figure.supxlabel(f"{metric} of the labels on the test set")
    figure.supylabel(f"{metric} of the student")
    lines = {
        name: {"color": style.colour, "marker": style.mark, "markersize": 5}
        for name, style in supervisors.items()
    }
    lines |= {
        f"{REAL} supervisor": {"color": INK, "marker": "*", "linestyle": "none"},
        "student = labels": NAIVE,
        "ceiling": ROLES["ceiling"],
    }
    legend(figure, 4, lines)
    return figure


def _supervisors(frame: pl.DataFrame) -> Styles:
    """A style for each simulated supervisor."""
    names = frame["supervisor"].unique(maintain_order=True)
    return ordered_styles(name for name in names if name != REAL)


def _panel(axes: Axes, rows: pl.DataFrame, supervisors: Styles) -> None:
    """Draw one task and method."""
    scores = rows["floor"].to_list()
    axes.plot(ends := [min(scores), max(scores)], ends, **NAIVE)
    axes.axhline(rows["ceiling"][0], **ROLES["ceiling"])
    for name, style in supervisors.items():
        points = rows.filter(supervisor=name).sort("floor")
        curve(axes, points["floor"], points["student"], style, 5)
        columns = ("floor", "student_low", "student_high")
        x, low, high = (points[column].to_list() for column in columns)
        axes.vlines(x, low, high, color=style.colour, linewidth=1, alpha=0.5)
    real = rows.filter(supervisor=REAL)
    axes.plot(real["floor"], real["student"], "*", color=INK, markersize=8, zorder=5)
    axes.grid(axis="both")


def describe(frame: pl.DataFrame) -> Description:
    """Say what the students of the worst labels reach, and every point."""
    several = [c for c in ("task", "method") if frame[c].n_unique() > 1]
    texts = (
        ", ".join([*(row[c] for c in several), str(row["supervisor"])])
        + f": labels {row['floor']:.3f}, student {estimate_text(row, 'student')}"
        for row in frame.iter_rows(named=True)
    )
    return Description(
        title=_title(frame),
        alt=listed(texts),
        note="Each point is the mean over seeds of students of one simulated supervisor at one "
        "accuracy, with its 95% interval. Dashed: where a student is as good as its labels; above "
        "it, it corrects them. Star: the real supervisor, whose labels are soft.",
    )


def _title(frame: pl.DataFrame) -> str:
    """What the students of the worst labels reach, by supervisor: the most and the least."""
    least = frame.filter(frame["accuracy"] == frame["accuracy"].min())
    means = least.group_by("supervisor", maintain_order=True).agg(pl.col("floor", "student").mean())
    worst, best = (means.sort("student", maintain_order=True).row(i, named=True) for i in (0, -1))
    text = (
        f"Of labels that score {means['floor'].mean():.2f}, students of {best['supervisor']} make "
        f"{best['student']:.2f}"
    )
    if worst["supervisor"] == best["supervisor"]:
        return text
    return f"{text} and those of {worst['supervisor']} {worst['student']:.2f}"


DOSE_RESPONSE = FigureKind("dose-response", data, draw, describe)
