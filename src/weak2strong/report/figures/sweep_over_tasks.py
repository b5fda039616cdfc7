"""Probes minus weak labels over many tasks by layer and setting, and mean ranks of the layers."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.swept_over_tasks import (
    said_of_intervals,
    said_of_layers,
    swept_over_tasks,
)
from weak2strong.experiments.sweep import SETTINGS, FinishedSweep
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import new_figure, texts_beside
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import INK, MUTED, Styles, ordered_styles

HEIGHT = 2.1
"""Of a row of panels in inches."""

NAMED = 6
"""Up to so many settings each line has its name; of more the first and the last one."""


def data(sweep: FinishedSweep) -> pl.DataFrame | None:
    """The rows of `swept_over_tasks` on the metric of its table; None for one task."""
    rows = swept_over_tasks(sweep.grids(sweep.metric_over_tasks))
    if not rows:
        return None
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(metric=pl.lit(sweep.metric_over_tasks))


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw two panels for each probe: a line for each setting, and the ranks of layers."""
    probes = frame["probe"].unique(maintain_order=True).to_list()
    figure, grid = new_figure(len(probes), 2, 0.5 + HEIGHT * len(probes), squeeze=False)
    colours = ordered_styles(probes)
    for (lines, ranks), probe in zip(grid, probes, strict=True):
        rows, colour = frame.filter(probe=probe), colours[probe].colour
        _differences(lines, rows, colour)
        whole = rows.filter(pl.col("setting").is_null())
        known = whole.drop_nulls("rank_low")
        ranks.vlines(known["layer"], known["rank_low"], known["rank_high"], color=colour)
        ranks.plot(whole["layer"], whole["rank"], color=colour, marker="o", markersize=4.5)
        # The best layer stands on top.
        ranks.set_ylim(len(whole) + 0.3, 0.7)
        ranks.set_ylabel("mean rank over tasks (1: best)")
        ranks.set_title(f"{probe}: ranks of layers")
        lines.set_title(f"{probe}: minus weak labels")
        lines.set_ylabel(f"{metric_title(frame['metric'][0])}, difference")
        for axes in (lines, ranks):
            axes.set_xlabel("layer")
            axes.set_xticks(whole["layer"].to_list()[:: -(-len(whole) // 8)])
            axes.grid(axis="y")
    return figure


def _differences(axes: Axes, rows: pl.DataFrame, colour: str) -> None:
    """Draw a line for each setting, the larger the stronger, and the mean over all settings."""
    settings = rows["setting"].drop_nulls().unique().sort().to_list()
    axes.axhline(0, color=MUTED, linewidth=0.9)
    named = settings if len(settings) <= NAMED else [settings[0], settings[-1]]
    ends = dict[str, float]()
    for i, setting in enumerate(settings):
        line, name = rows.filter(setting=setting), SETTINGS[rows["probe"][0]]
        strength = 0.3 + 0.6 * i / max(1, len(settings) - 1)
        axes.plot(line["layer"], line["difference"], color=colour, alpha=strength, linewidth=1.1)
        if setting in named:
            ends[f"{name} {setting:g}"] = line["difference"][-1]
    whole = rows.filter(pl.col("setting").is_null())
    # The interval of two tasks is so wide that lines within it would be flat.
    shown = [0, *rows["difference"]]
    room = 0.1 * (max(shown) - min(shown) or 1)
    axes.set_ylim(min(shown) - room, max(shown) + room)
    axes.fill_between(
        whole["layer"], whole["difference_low"], whole["difference_high"], color=INK, alpha=0.1
    )
    axes.plot(whole["layer"], whole["difference"], color=INK, linewidth=1.8)
    # Title, numbers and name of the axis take a third of the height.
    texts_beside(axes, whole["layer"][-1], ends, HEIGHT * 2 / 3, color=MUTED)


def describe(frame: pl.DataFrame) -> Description:
    """Say which layers rank best, and every layer's mean difference and rank."""
    whole = frame.filter(pl.col("setting").is_null())
    said = said_of_layers(frame.to_dicts())
    texts = (
        f"{r['probe']}, layer {r['layer']}: {estimate_text(r, 'difference', sign=True)}, mean rank "
        f"{estimate_text(r, 'rank', 1)}"
        for r in whole.iter_rows(named=True)
    )
    return Description(
        title=" ".join(said).removesuffix("."),
        alt=listed(texts),
        note=f"Probes that learned weak labels minus these labels, on the test sets of "
        f"{whole['tasks'].max()} tasks, means over seeds. Thin: a setting each, the darker the "
        "larger; black: all settings, with a 95% interval, which the edge may cut. Ranks: of a "
        "layer's mean score over settings on each task, their mean. "
        + said_of_intervals(frame.to_dicts()),
    )


SWEEP_OVER_TASKS = FigureKind("sweep-over-tasks", data, draw, describe)
