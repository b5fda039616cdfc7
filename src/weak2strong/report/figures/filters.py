"""What filters drop: the share of wrong weak labels among dropped and kept, by task."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.filters import filter_rows, said_of
from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.drawing import legend, panel_grid, row_labels, text_at
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    listed,
    marked,
    oracles_note,
    saw_truth,
)
from weak2strong.report.figures.style import INK, MUTED, PAPER, Styles

DROPPED = {"marker": "X", "linestyle": "none", "markersize": 6.5}
KEPT = {"marker": "o", "linestyle": "none", "markersize": 5.5, "color": PAPER}


def data(run: FinishedRun) -> pl.DataFrame | None:
    """The rows of `filter_rows`, tasks with the largest mean difference first; None without any.

    ``oracle`` marks students that saw ground truth.
    """
    rows = list(filter_rows(run.agreement))
    if not rows:
        return None
    order = pl.col("difference").mean().over("task")
    frame = pl.DataFrame(rows).sort(order, descending=True, maintain_order=True)
    return frame.with_columns(oracle=saw_truth(run))


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each method, a row for each task: a cross for dropped, a ring for kept."""
    tasks = frame["task"].unique(maintain_order=True).to_list()
    methods = frame["method"].unique(maintain_order=True).to_list()
    height, titles = 0.45 + 0.19 * len(tasks), marked(frame, methods)
    figure, panels = panel_grid(methods, 3, height, 25, titles=titles)
    for method, axes in panels.items():
        colour = styles[method].colour
        for row in frame.filter(method=method).iter_rows(named=True):
            y, ends = tasks.index(row["task"]), (row["wrong_kept"], row["wrong_dropped"])
            axes.hlines(y, min(ends), max(ends), color=colour, linewidth=1)
            axes.plot(row["wrong_kept"], y, markeredgecolor=colour, **KEPT)
            axes.plot(row["wrong_dropped"], y, color=colour, markeredgecolor=PAPER, **DROPPED)
            point, where = (1, y), ("axes fraction", "data")
            style = {"ha": "right", "fontsize": 6.5, "color": MUTED, "xycoords": where}
            text_at(axes, point, f"{row['dropped']:,.0f}", (-2, 0), **style)
        row_labels(axes, tasks)
    most = max(*frame["wrong_kept"], *frame["wrong_dropped"])
    panels[methods[0]].set_xlim(-0.03 * most, 1.3 * most)
    figure.supxlabel("share of weak labels that are wrong; right: how many are dropped, a seed")
    marks = {
        "dropped": DROPPED | {"color": INK, "markeredgecolor": PAPER},
        "kept": KEPT | {"markeredgecolor": INK},
    }
    legend(figure, 2, marks, handletextpad=0.2)
    return figure


def describe(frame: pl.DataFrame) -> Description:
    """Say on how many tasks each method drops what is wrong more often, and every row."""
    counts = frame.group_by("method", maintain_order=True).agg(
        (pl.col("difference") > 0).sum().alias("better"), pl.len().alias("tasks")
    )
    title = "; ".join(f"{method} on {n} of {of}" for method, n, of in counts.iter_rows())
    texts = (
        f"{r['task']}, {r['method']}: {r['dropped']:,.0f} dropped, {r['wrong_dropped']:.3f} of "
        f"them wrong, {r['wrong_kept']:.3f} of those kept"
        for r in frame.iter_rows(named=True)
    )
    return Description(
        title=f"On so many tasks dropped labels are wrong more often than kept ones: {title}",
        alt=listed(texts),
        note="Crosses: dropped; rings: kept. "
        + " ".join(said_of(frame.to_dicts()))
        + oracles_note(frame, titled=False),
    )


FILTERS = FigureKind("filters", data, draw, describe)
