"""Score and imitation of students by weight decay, dropout or epochs, at three points."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.experiments.followed import CHOSEN
from weak2strong.experiments.regularise import PAIRED, SAME, FinishedRegularise, sentences
from weak2strong.ground.metrics import metric_title
from weak2strong.report.figures.drawing import legend, panel_columns, role_lines
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.overfitting import POINTS
from weak2strong.report.figures.style import INK, ROLES, Styles

MEASURES = ("student", "agreement_wrong", "agreement_all")
"""The columns that the panels show, from top to bottom."""


def data(regularised: FinishedRegularise) -> pl.DataFrame:
    """One row for each task, method, value and point."""
    return regularised.table()


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a column for each task: scores above, imitation beneath, against the value."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    methods = frame["method"].unique(maintain_order=True).to_list()
    values = frame["value"].unique(maintain_order=True).to_list()
    score = metric_title(frame["metric"][0])
    labels = (
        f"{score} on\nthe test set",
        "agreement with\nwrong labels",
        "agreement with\nall labels",
    )
    figure, panels = panel_columns(tasks, labels, 5.4, most=3, one_scale=False)
    for task, column in panels.items():
        rows = frame.filter(task=task)
        role_lines(column[0], rows["floor"][0], rows["ceiling"][0], axis="y")
        for axes, measure in zip(column, MEASURES, strict=True):
            for (method, point), of in rows.group_by("method", "point", maintain_order=True):
                at = of.drop_nulls(measure)
                x, colour = [values.index(v) for v in at["value"]], styles[str(method)].colour
                look = POINTS[str(point)] | {"linestyle": "-", "linewidth": 1}
                axes.plot(x, at[measure].to_list(), color=colour, **look)
            axes.set_xlim(-0.3, len(values) - 0.7)
            axes.set_xticks(range(len(values)), values)
    lines = {method: {"color": styles[method].colour} for method in methods}
    marks = {point: {"color": INK} | mark for point, mark in POINTS.items()}
    legend(figure, 4, lines | marks | ROLES)
    figure.supxlabel(frame["setting"][0])
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say which value scores best and imitates least, and every point."""
    said = sentences(frame.to_dicts())
    texts = (
        f"{r['task']}, {r['method']}, {r['setting']} {r['value']}, {r['point']}: "
        f"{r['student']:.3f}, agreement {r['agreement_all']:.3f}"
        for r in frame.iter_rows(named=True)
    )
    setting = frame["setting"][0]
    chosen = ", ".join(f"{point} ({by})" for point, by in CHOSEN.items())
    return Description(
        title=f"Score and imitation of students by {setting}",
        alt=listed(texts),
        note=f"{' '.join([*said, PAIRED])} Means over seeds. Marks: {chosen}. {SAME}",
    )


REGULARISED = FigureKind("regularised", data, draw, describe)
