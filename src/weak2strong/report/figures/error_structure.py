"""What students recover of supervisors that are equally accurate and err in different places.

Burns et al. 2023, appendix E.
"""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.experiments.simulate import REAL, FinishedSimulate
from weak2strong.ground.table import TOO_WIDE, estimate_text, is_wide, number_text, pgr_text
from weak2strong.report.figures.drawing import (
    bar_interval,
    clipped,
    legend,
    new_figure,
    pgr_range,
    role_lines,
    row_labels,
    text_at,
)
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import MUTED, Styles

ROW = 0.8
"""The share of a row that its bars fill."""

ENDS = ("", "_low", "_high")


def data(simulated: FinishedSimulate) -> pl.DataFrame | None:
    """One row for each task, supervisor and method: PGR and imitated errors, with intervals.

    There is no frame of supervisors at several accuracies (see
    `weak2strong.report.figures.dose_response`).
    """
    if simulated.dosed:
        return None
    numbers = [f"{name}{end}" for name in ("pgr", "agreement_wrong") for end in ENDS]
    return simulated.table().select("task", "supervisor", "method", *numbers)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw two panels for each task: PGR, and agreement with wrong labels."""
    tasks, supervisors, methods = (
        frame[column].unique(maintain_order=True).to_list()
        for column in ("task", "supervisor", "method")
    )
    height = 0.7 + len(tasks) * (len(supervisors) * (0.12 + 0.16 * len(methods)) + 0.35)
    shared = {"sharey": True, "sharex": "col", "squeeze": False, "width_ratios": (3, 2)}
    figure, grid = new_figure(len(tasks), 2, height, **shared)
    for task, (pgr, wrong) in zip(tasks, grid, strict=True):
        for row in frame.filter(task=task).iter_rows(named=True):
            method = methods.index(row["method"])
            shift = ROW * ((method + 0.5) / len(methods) - 0.5)
            y, colour = supervisors.index(row["supervisor"]) + shift, styles[row["method"]].colour
            for axes, name in ((pgr, "pgr"), (wrong, "agreement_wrong")):
                numbers = [row[f"{name}{end}"] for end in ENDS]
                wide = name == "pgr" and is_wide(row)
                _bar(axes, y, numbers, 0.9 * ROW / len(methods), colour, wide)
        role_lines(pgr)
        for axes in (pgr, wrong):
            row_labels(axes, [f"{REAL} supervisor" if s == REAL else s for s in supervisors])
        wrong.axvline(0, color=MUTED, linewidth=0.7)
        if len(tasks) > 1:
            pgr.set_title(clipped(task))
    low, high = pgr_range(x for end in ENDS for x in frame[f"pgr{end}"])
    pgr, wrong = grid[-1]
    pgr.set(xlim=(low - 0.05, high + 0.05), xlabel="PGR: 0 supervisor, 1 ceiling")
    wrong.set(xlim=(0, 1.02), xticks=[0, 0.5, 1], xlabel="agreement with wrong labels")
    if len(methods) > 1:
        legend(figure, 4, {m: {"color": styles[m].colour, "linewidth": 6} for m in methods})
    return figure


def _bar(
    axes: Axes,
    y: float,
    numbers: list[float | None],
    height: float,
    colour: str,
    wide: bool = False,
) -> None:
    """One bar with its interval, and its number at the edge of the panel; no bar of a wide PGR."""
    value, low, high = (None, None, None) if wide else numbers
    if value is not None:
        axes.barh(y, value, height=height, color=colour)
    if low is not None and high is not None:
        bar_interval(axes, y, low, high)
    text = number_text(value, 2) if value is not None else TOO_WIDE if wide else "undefined"
    text_at(axes, (1, y), text, (2, 0), xycoords=("axes fraction", "data"), fontsize=7)


def describe(frame: pl.DataFrame) -> Description:
    """Say the lowest and the highest PGR of simulated supervisors, and every bar."""
    several, texts = frame["task"].n_unique() > 1, []
    for row in frame.iter_rows(named=True):
        task = f"{row['task']}, " if several else ""
        text = f"{task}{row['supervisor']}, {row['method']}: PGR {pgr_text(row)}"
        if row["agreement_wrong"] is not None:
            wrong = estimate_text(row, "agreement_wrong", digits=2)
            text += f", agreement with wrong labels {wrong}"
        texts.append(text)
    return Description(
        title=_title(frame),
        alt=listed(texts),
        note="Bars: over all seeds; lines: 95% intervals, which the edge of a panel may cut. "
        "Agreement with wrong labels is imitation of errors. The real supervisor's labels are "
        "soft, all others hard.",
    )


def _title(frame: pl.DataFrame) -> str:
    """The lowest and the highest PGR of students of simulated supervisors."""
    rows = frame.filter(frame["supervisor"] != REAL).drop_nulls("pgr").sort("pgr")
    known = rows.filter([not is_wide(row) for row in rows.iter_rows(named=True)])
    if not len(known):
        return "PGR is undefined for every simulated supervisor"
    low, high = known.row(0, named=True), known.row(-1, named=True)
    keys = ("supervisor", *(c for c in ("method", "task") if frame[c].n_unique() > 1))
    least, most = (", ".join(row[key] for key in keys) for row in (low, high))
    return f"PGR lies between {low['pgr']:.2f} ({least}) and {high['pgr']:.2f} ({most})"


ERROR_STRUCTURE = FigureKind("error-structure", data, draw, describe)
