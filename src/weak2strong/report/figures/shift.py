"""How far tokens of finetuned models are shifted: shares by writer, and by place in the answer."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from weak2strong.analysis.shifts import BANDS, place_text
from weak2strong.experiments.shift import FinishedShift, writer_name
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import clipped, curve, legend, new_figure, row_labels
from weak2strong.report.figures.kind import Description, FigureKind, listed, means_of
from weak2strong.report.figures.style import COLOURS, GRID, INK, PAPER, Styles, model_style

BAND_COLOURS = dict(zip(BANDS, ((GRID, INK), (COLOURS[5], INK), (COLOURS[1], PAPER)), strict=True))
"""The colour of each bar, and of the number in it."""

SMALLEST = 0.09
"""The smallest share whose number fits into its bar."""


def data(shift: FinishedShift) -> pl.DataFrame:
    """One row for each task, writer and places; all places together have no first one."""
    table = shift.table()
    names = [writer_name(row) for row in table.iter_rows(named=True)]
    return table.with_columns(pl.Series("writer", names, pl.String))


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw two panels for each task: bars of shares by writer, and shifted tokens by place."""
    tasks = frame.partition_by("task", maintain_order=True)
    writers = {row["writer"]: row for row in frame.iter_rows(named=True)}
    own = {w: model_style(row["role"], row["method"], styles) for w, row in writers.items()}
    height = 0.9 + len(tasks) * max(1.7, 0.5 + 0.3 * len(writers))
    figure, grid = new_figure(len(tasks), 2, height, sharex="col", squeeze=False)
    known = frame.select("first", "last").drop_nulls("first").unique().sort("first").rows()
    for (bars, places), rows in zip(grid, tasks, strict=True):
        _bars(bars, rows.filter(pl.col("first").is_null()))
        _places(places, rows.filter(pl.col("first").is_not_null()), [x for x, _ in known], own)
        bars.set_title(clipped(rows["task"][0]), pad=3)
    bars, places = grid[-1]
    bars.set(xlim=(0, 1), xlabel="share of tokens")
    places.set_xlabel("place of the token in the answer")
    places.set_xticks(range(len(known)), [place_text(*place) for place in known])
    handles: list[Artist] = [Patch(color=c, label=band) for band, (c, _) in BAND_COLOURS.items()]
    handles += [
        Line2D([], [], color=style.colour, marker=style.mark, markersize=5, label=writer)
        for writer, style in own.items()
    ]
    legend(figure, 3, handles=handles)
    return figure


def _bars(axes: Axes, rows: pl.DataFrame) -> None:
    """Draw a bar for each writer, whose parts add up to all of its tokens."""
    left = [0.0] * len(rows)
    for band, (colour, ink) in BAND_COLOURS.items():
        shares = rows[band].fill_null(0).to_list()
        drawn = axes.barh(range(len(rows)), shares, 0.66, left, color=colour)
        texts = [f"{100 * share:.0f}%" if share >= SMALLEST else "" for share in shares]
        axes.bar_label(drawn, texts, label_type="center", color=ink, fontsize=8)
        left = [start + share for start, share in zip(left, shares, strict=True)]
    row_labels(axes, [clipped(name, 20) for name in rows["writer"]])
    axes.grid(visible=False)


def _places(axes: Axes, rows: pl.DataFrame, firsts: Sequence[int], styles: Styles) -> None:
    """Draw a curve for each writer through the shares of shifted tokens, with intervals."""
    for number, (writer, style) in enumerate(styles.items()):
        of = rows.filter(writer=writer).drop_nulls("shifted")
        # Side by side, so that intervals do not cover each other.
        aside = 0.3 * (number + 0.5) / len(styles) - 0.15
        x = [firsts.index(first) + aside for first in of["first"]]
        curve(axes, x, of["shifted"], style, 5)
        low, high = of["shifted_low"].to_list(), of["shifted_high"].to_list()
        axes.vlines(x, low, high, color=style.colour, linewidth=1, alpha=0.6)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("share shifted")
    axes.grid(axis="y")


def describe(frame: pl.DataFrame) -> Description:
    """Say how many tokens of each writer are unshifted and shifted, and every share."""
    whole = frame.filter(pl.col("first").is_null())
    means = means_of(whole, "shifted", "writer")
    said = [f"{writer} {100 * share:.0f}%" for writer, share in means.items()]
    texts = (
        f"{row['task']}, {row['writer']}, {place_text(row['first'], row['last'])}: "
        + ", ".join(f"{band} {estimate_text(row, band)}" for band in BANDS)
        for row in frame.iter_rows(named=True)
    )
    return Description(
        title=f"Shifted tokens: {', '.join(said)}",
        alt=listed(texts),
        note="A token is unshifted where the pretrained model ranks it first in the same place, "
        "marginal where second or third, shifted beyond (Lin et al. 2023). Means over seeds; "
        "lines: 95% intervals over seeds and test examples.",
    )


SHIFT = FigureKind("shift", data, draw, describe)
