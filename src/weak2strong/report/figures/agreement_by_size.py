"""Agreement with the supervisor against the student's size, a hue a supervisor, of several runs.

Burns et al. 2023, figure 8: larger students agree less with their supervisor's errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.experiments.grid import FinishedGrid
from weak2strong.report.figures.agreement import PARTS
from weak2strong.report.figures.agreement import data as agreement
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.marks import curve, legend_of
from weak2strong.report.figures.panels import panel_columns, size_axis
from weak2strong.report.figures.sizes import COLUMNS, runs_by_size, supervisor_styles
from weak2strong.report.figures.style import Styles

PANELS = {
    "all": "all labels",
    "supervisor is right": "right ones",
    "supervisor is wrong": "wrong ones",
}
"""Parts of the test set from top to bottom, and what their panels are called."""


def data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """A row a run, method and part of the test set: means over the tasks that all runs have.

    Columns weak, strong, parameters (of the strong trunk), method, floor, where, agreement. None
    where fewer than two sizes are known, or runs differ in tasks.
    """
    frames = []
    for run, size in runs_by_size(runs):
        floors = [lines[0].recovered.floor for lines in run.by_task.values()]
        over_seeds = agreement(run).group_by("task", "method", "where", maintain_order=True)
        over_tasks = over_seeds.agg(pl.col("agreement").mean()).group_by(
            "method", "where", maintain_order=True
        )
        frames.append(
            over_tasks.agg(pl.col("agreement").mean()).select(
                pl.lit(run.config.weak_name).alias("weak"),
                pl.lit(run.config.strong.name).alias("strong"),
                pl.lit(size).alias("parameters"),
                "method",
                pl.lit(sum(floors) / len(floors)).alias("floor"),
                "where",
                "agreement",
            )
        )
    if not frames:
        return None
    return pl.concat(frames).sort("weak", "parameters", maintain_order=True)


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """A column of panels a method, one for each part of the test set."""
    methods = frame["method"].unique(maintain_order=True).to_list()
    figure, panels = panel_columns(methods, tuple(PANELS.values()), 5.2, COLUMNS)
    for method, column in panels.items():
        for axes, part in zip(column, PANELS, strict=True):
            for weak, style in supervisor_styles(frame).items():
                rows = frame.filter(method=method, weak=weak, where=part)
                if len(rows):
                    x, y = rows["parameters"], rows["agreement"]
                    curve(axes, x, y, style, label=f"supervised by {weak}")
    first = panels[methods[0]][0]
    size_axis(first, frame["parameters"].unique().sort().to_list())
    figure.supxlabel("parameters of the student")
    figure.supylabel("agreement with the supervisor on")
    legend_of(first, figure)
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """What size does to imitation; and every point."""
    texts = []
    for rows in frame.partition_by("weak", "strong", "method", maintain_order=True):
        first, shares = rows.row(0, named=True), dict(rows.select("where", "agreement").iter_rows())
        texts.append(
            f"{first['weak']} to {first['strong']} ({first['parameters']:,} parameters), "
            f"{first['method']}: "
            + ", ".join(f"{name} {shares[p]:.2f}" for p, name in PANELS.items() if p in shares)
        )
    return Description(
        title=_title(frame.filter(where=PARTS["wrong"])),
        alt=listed(texts),
        note="Share of test examples on which the student gives its supervisor's answer: all, "
        "those where that is right, and those where it is wrong. Means over tasks and seeds. Lines "
        "that fall in the lowest panels are hoped for: larger students imitate fewer errors.",
    )


def _title(wrong: pl.DataFrame) -> str:
    """What size does to imitation, by the supervisor with the most sizes of students."""
    if not len(wrong):
        return "Supervisors make no error that students could imitate"
    counts = wrong.group_by("weak", maintain_order=True).agg(pl.col("parameters").n_unique())
    weak = counts.sort("parameters", descending=True, maintain_order=True)["weak"][0]
    rows = wrong.filter(weak=weak)
    rows = rows.filter(method=rows["method"][0]).sort("parameters")
    small, large = rows.row(0, named=True), rows.row(-1, named=True)
    text = (
        f"Of the errors of {weak}, students of {small['method']} imitate "
        f"{100 * small['agreement']:.0f}% with {small['strong']}"
    )
    if small["strong"] == large["strong"]:
        return text
    return f"{text} and {100 * large['agreement']:.0f}% with {large['strong']}"


AGREEMENT_BY_SIZE = FigureKind("agreement-by-size", data, draw, describe)
GRID_AGREEMENT = FigureKind[FinishedGrid](
    "agreement-by-size", lambda grid: data(grid.runs), draw, describe
)
