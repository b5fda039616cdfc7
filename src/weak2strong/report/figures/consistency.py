"""The share of consistent answers to pairs: of supervisor, students and ceiling."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from weak2strong.analysis.analyses.consistency import consistency_rows
from weak2strong.analysis.finished import FinishedRun
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import (
    bar_interval,
    clipped,
    legend,
    new_figure,
    row_labels,
    text_at,
)
from weak2strong.report.figures.kind import (
    Description,
    FigureKind,
    listed,
    marked,
    means_of,
    oracles_note,
)
from weak2strong.report.figures.style import INK, PAPER, Styles, model_style

NAMES = {"floor": "supervisor", "ceiling": "ceiling"}

ENDS = ("consistent", "consistent_low", "consistent_high")

EXPECTED = {"color": INK, "marker": "|", "markersize": 10, "linestyle": "none"}
"""The mark of the consistency that accuracy alone gives."""


def data(run: FinishedRun) -> pl.DataFrame | None:
    """One row for each task, relation and model; None where no task has pairs.

    ``oracle`` marks students that saw ground truth.
    """
    see_truth = run.oracles
    rows = [
        {
            "task": task,
            "model": NAMES.get(row["role"], row["method"]),
            **row,
            "oracle": row["method"] in see_truth,
        }
        for task, tested in run.tested.items()
        if tested.pairs is not None
        for row in consistency_rows(tested)
    ]
    return pl.DataFrame(rows, infer_schema_length=None) if rows else None


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each task and relation, with a bar for each model."""
    panels = frame.partition_by("task", "relation", maintain_order=True)
    height = 0.7 + sum(0.45 + 0.28 * len(rows) for rows in panels)
    figure, grid = new_figure(len(panels), 1, height, sharex=True, squeeze=False)
    for axes, rows in zip(grid.ravel(), panels, strict=True):
        for y, row in enumerate(rows.iter_rows(named=True)):
            value, low, high = (row[end] for end in ENDS)
            if value is None:
                continue
            colour = model_style(row["role"], row["method"], styles).colour
            axes.barh(y, value, height=0.62, color=colour)
            bar_interval(axes, y, low, high)
            if row["if_independent"] is not None:
                # A light line beneath lets the mark be seen on a dark bar, too.
                axes.vlines(row["if_independent"], y - 0.26, y + 0.26, color=PAPER, linewidth=3.6)
                axes.plot(row["if_independent"], y, **EXPECTED)
            text_at(axes, (high, y), f"{value:.3f}", (6, 0))
        row_labels(axes, marked(frame, rows["model"]))
        axes.set_title(f"{clipped(rows['task'][0])}: two that say the {_said(rows)}", pad=3)
    grid.ravel()[-1].set(xlim=(0, 1.12), xlabel="share of pairs with consistent answers")
    if frame["if_independent"].is_not_null().any():
        legend(figure, 1, {"by accuracy alone": EXPECTED})
    return figure


def _said(rows: pl.DataFrame) -> str:
    return str(rows["relation"][0])


def describe(frame: pl.DataFrame) -> Description:
    """Say how consistent supervisor, best student and ceiling are, and every bar."""
    means = means_of(frame, "consistent", "model")
    said = [f"{model} {share:.2f}" for model, share in means.items()]
    texts = (
        f"{row['task']}, {row['relation']}, {row['model']}: {estimate_text(row, 'consistent')}"
        for row in frame.iter_rows(named=True)
    )
    return Description(
        title=f"Consistent answers to pairs: {', '.join(said)}",
        alt=listed(texts),
        note="Bars: share of test pairs that are answered consistently, means over seeds, with 95% "
        "intervals over seeds and pairs. Upright marks: what accuracy alone would give, if errors "
        "of the two fell independently. Consistent answers may both be wrong."
        f"{oracles_note(frame, titled=False)}",
    )


CONSISTENCY = FigureKind("consistency", data, draw, describe)
