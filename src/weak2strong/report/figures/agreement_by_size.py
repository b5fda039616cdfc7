"""Agreement with the supervisor against the student's size, with a colour for each supervisor.

Burns et al. 2023, figure 8: larger students agree less with their supervisor's errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.agreement import PARTS
from weak2strong.report.figures.agreement import data as agreement
from weak2strong.report.figures.drawing import legend
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.sizes import (
    runs_by_size,
    size_panels,
    supervised_curves,
    supervisor_styles,
)
from weak2strong.report.figures.style import Styles

PANELS = {
    "all": "all labels",
    "supervisor is right": "right ones",
    "supervisor is wrong": "wrong ones",
}
"""The parts of the test set from top to bottom, and the labels of their panels."""


def data(runs: Sequence[FinishedRun]) -> pl.DataFrame | None:
    """One row for each run, method and part of the test set: means over tasks.

    ``parameters`` are those of the strong trunk. There is no frame where the runs do not compare
    sizes.
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
    """Draw a column for each method, with a panel for each part of the test set."""
    figure, panels = size_panels(frame, tuple(PANELS.values()), 5.2)
    for method, column in panels.items():
        for axes, part in zip(column, PANELS, strict=True):
            rows = frame.filter(method=method, where=part)
            supervised_curves(axes, rows, "agreement", supervisor_styles(frame))
    figure.supylabel("agreement with the supervisor on")
    first, *_ = next(iter(panels.values()))
    legend(figure, 3, handles=first.get_legend_handles_labels()[0])
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say what size does to imitation, and every point."""
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
GRID_AGREEMENT = FigureKind("agreement-by-size", lambda grid: data(grid.runs), draw, describe)
