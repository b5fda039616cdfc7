"""What trusted labels are worth over their number: to choose by, and to finetune on alone."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.choosing import ORACLE
from weak2strong.experiments.trusted import TITLES, FinishedTrusted, sentences
from weak2strong.ground.metrics import metric_title
from weak2strong.ground.table import estimate_text
from weak2strong.report.figures.drawing import curve, legend, panel_grid
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import DASHES, INK, ROLES, Styles, ordered_styles

BASE = {"color": INK, "linewidth": 1.2, "linestyle": DASHES}
"""The line of the student that is kept without any trusted label."""


def data(trusted: FinishedTrusted) -> pl.DataFrame:
    """One row for each task, use of the labels and number of them."""
    return trusted.table()


def draw(frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each task: scores over the number of trusted labels."""
    del styles  # The colours are those of the uses.
    tasks = frame.partition_by("task", maintain_order=True, as_dict=True)
    figure, panels = panel_grid([str(name) for (name,) in tasks], 2, 2.6, 40)
    uses = ordered_styles(use for use in TITLES if use in set(frame["policy"]))
    for (name,), rows in tasks.items():
        _panel(panels[str(name)], rows, uses)
    figure.supxlabel("trusted labels")
    figure.supylabel(f"{metric_title(frame['metric'][0])} on the test set")
    lines = {
        TITLES[use]: {"color": style.colour, "marker": style.mark, "markersize": 5}
        for use, style in uses.items()
    }
    lines |= {f"last student of {frame['method'][0]}": BASE, **ROLES}
    legend(figure, 3, lines)
    return figure


def _panel(axes: Axes, rows: pl.DataFrame, uses: Styles) -> None:
    """Draw one task."""
    for role, look in zip(("floor", "ceiling"), ROLES.values(), strict=True):
        axes.axhline(rows[role][0], **look)
    axes.axhline(rows.filter(policy="none")["score"][0], **BASE)
    counts = sorted(n for n in rows["trusted"].unique().to_list() if n)
    for i, (use, style) in enumerate(uses.items()):
        points = rows.filter(policy=use).sort("trusted")
        # Side by side, so that intervals do not cover each other.
        x = [n * 1.06 ** (i - (len(uses) - 1) / 2) for n in points["trusted"]]
        curve(axes, x, points["score"], style, 5)
        low, high = (points[f"score_{end}"].to_list() for end in ("low", "high"))
        axes.vlines(x, low, high, color=style.colour, linewidth=1, alpha=0.5)
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(n) for n in counts])
    axes.minorticks_off()
    axes.grid(axis="both")


def describe(frame: pl.DataFrame) -> Description:
    """Say when labels help, and every point."""
    shown = frame.filter(frame["policy"] != ORACLE)
    texts = (
        f"{row['task']}, "
        + (f"{TITLES[row['policy']]}, {row['trusted']} labels" if row["trusted"] else "no labels")
        + f": {estimate_text(row, 'score')}"
        for row in shown.iter_rows(named=True)
    )
    said = sentences(frame.to_dicts())
    several = frame["task"].n_unique() > 1
    return Description(
        title="What a few trusted labels are worth" if several else said[0].removesuffix("."),
        alt=listed(texts),
        note=(" ".join(said) + " " if several else "")
        + "Points: means over seeds and draws of labels, with 95% intervals over seeds and test "
        "examples. The labels are of validation, so that scores of what they choose are honest.",
    )


TRUSTED = FigureKind("trusted", data, draw, describe)
