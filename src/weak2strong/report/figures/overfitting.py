"""Score and imitation against the share of training done, with three points of each method.

Burns et al. 2023, section 5.1.1: students overfit to weak labels within an epoch.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.experiments.followed import CHOSEN
from weak2strong.experiments.overfitting import FinishedOverfitting
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.drawing import legend, panel_columns, role_lines
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import INK, PAPER, ROLES, Styles

POINTS: dict[str, dict[str, Any]] = {
    point: {"marker": mark, "markersize": size, "markeredgecolor": PAPER, "linestyle": "none"}
    for point, mark, size in (("best", "*", 11), ("stopped", "o", 6), ("last", "s", 5.5))
}
"""The marks of the points."""

MEASURES = ("test_score", "agreement_wrong")
"""The columns that the panels show, from top to bottom."""


def data(overfitting: FinishedOverfitting) -> pl.DataFrame:
    """One row for each evaluation, with the mean floor and ceiling of its task."""
    ends = overfitting.table().select("task", "floor", "ceiling").unique(maintain_order=True)
    columns = ["task", "method", "seed", "fraction", "metric", *MEASURES, *CHOSEN]
    return overfitting.curves.select(columns).join(ends, on="task", maintain_order="left")


def _means(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each task, method and evaluation: mean, lowest and highest over seeds."""
    number = pl.int_range(pl.len()).over("task", "method", "seed").alias("evaluation")
    return (
        frame.with_columns(number)
        .group_by("task", "method", "evaluation", maintain_order=True)
        .agg(
            pl.col("fraction", *MEASURES).mean(),
            pl.col(MEASURES).min().name.suffix("_low"),
            pl.col(MEASURES).max().name.suffix("_high"),
        )
    )


def _points(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each task, method and point: means over the seeds' own points."""
    return pl.concat(
        frame.filter(point)
        .group_by("task", "method", maintain_order=True)
        .agg(pl.col("fraction", *MEASURES).mean())
        .with_columns(point=pl.lit(point))
        for point in CHOSEN
    )


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a column for each task: scores above, imitation beneath."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    methods = frame["method"].unique(maintain_order=True).to_list()
    means, points = _means(frame), _points(frame)
    score = metric_title(frame["metric"][0])
    labels = (f"{score} on the test set", "agreement with\nwrong weak labels")
    figure, panels = panel_columns(tasks, labels, 4.4, most=3, one_scale=False)
    for task, column in panels.items():
        ends = frame.filter(task=task)
        role_lines(column[0], ends["floor"][0], ends["ceiling"][0], axis="y")
        for axes, measure in zip(column, MEASURES, strict=True):
            for method in methods:
                line, marks = (x.filter(task=task, method=method) for x in (means, points))
                _curve(axes, line, marks, measure, styles[method].colour)
            axes.set_xlim(-0.02, 1.04)
            axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    lines = {method: {"color": styles[method].colour} for method in methods}
    marks = {point: {"color": INK} | mark for point, mark in POINTS.items()}
    legend(figure, 4, lines | marks | ROLES)
    figure.supxlabel("share of training done")
    return figure


def _curve(
    axes: Axes, means: pl.DataFrame, points: pl.DataFrame, measure: str, colour: str
) -> None:
    """Draw one method on one task: the line, the band (of no width for one seed) and the marks."""
    means = means.drop_nulls(measure)
    x, y, low, high = (
        means[column].to_list()
        for column in ("fraction", measure, f"{measure}_low", f"{measure}_high")
    )
    axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, y, color=colour)
    rows = points.drop_nulls(measure).select("fraction", measure, "point")
    for fraction, value, point in rows.iter_rows():
        axes.plot(fraction, value, color=colour, zorder=3, **POINTS[point])


def describe(frame: pl.DataFrame) -> Description:
    """Say what training beyond the best point costs, and every point."""
    texts, points = [], _points(frame)
    for (task,), rows in points.group_by("task", maintain_order=True):
        ends = frame.filter(task=task)
        texts.append(
            f"{task}: floor {ends['floor'][0]:.3f}, ceiling {ends['ceiling'][0]:.3f}, "
            + ", ".join(
                f"{r['method']} {r['point']} {r['test_score']:.3f} at {r['fraction']:.0%}"
                for r in rows.iter_rows(named=True)
            )
        )
    chosen = ", ".join(f"{point} ({by})" for point, by in CHOSEN.items())
    note = f"Lines: one seed. Marks: {chosen}."
    if frame["seed"].n_unique() > 1:
        note = (
            "Lines: means over seeds; bands: from the lowest to the highest of them. "
            f"Marks: {chosen}. They stand at the means of the seeds' own points, which may be off "
            "the line."
        )
    return Description(_title(frame, points), listed(texts), note)


def _title(frame: pl.DataFrame, points: pl.DataFrame) -> str:
    """Whose students lose most and least after their best point, on average over tasks."""
    means = points.pivot("point", index="method", values=MEASURES[0], aggregate_function="mean")
    lost = {row["method"]: row["best"] - row["last"] for row in means.iter_rows(named=True)}
    most, least = max(lost, key=lost.__getitem__), min(lost, key=lost.__getitem__)
    score = metric_title(frame["metric"][0])
    text = f"From their best point to the end, students of {most} lose {lost[most]:.3f} {score}"
    return text if most == least else f"{text}, those of {least} {lost[least]:.3f}"


OVERFITTING = FigureKind("overfitting", data, draw, describe)
