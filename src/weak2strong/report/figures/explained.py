"""PGR, or the gain, against traits of tasks: a panel a trait, a named point a task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from weak2strong.analysis.ranks import FEWEST
from weak2strong.analysis.traits import OUTCOMES, TRAITS
from weak2strong.experiments.explain import CORRELATIONS, TASKS, FinishedExplain
from weak2strong.ground.table import counted, estimate_text
from weak2strong.report.figures.drawing import clipped, new_figure, text_at
from weak2strong.report.figures.kind import Description, FigureKind, listed
from weak2strong.report.figures.style import MUTED, Styles

LETTER = 3.1
"""The width of a letter of a name in points, and twice its height."""

PLACES = (((4, 0), "left"), ((-4, 0), "right"), ((0, 6), "center"), ((0, -6), "center"))
"""Where the name of a point may stand: its distance in points, and on which side it is aligned."""


def data(outcome: str, explained: FinishedExplain) -> pl.DataFrame | None:
    """One row for each task and trait of the first method, with the correlation of the trait.

    None where no task has the outcome.
    """
    tasks = explained.read_table(TASKS)
    rows = tasks.filter(method=tasks["method"][0]).drop_nulls(outcome)
    wide = rows.select("task", "method", outcome, *(t.name for t in TRAITS))
    long = wide.unpivot(
        [t.name for t in TRAITS], index=["task", "method", outcome], variable_name="trait"
    ).drop_nulls("value")
    found = explained.read_table(CORRELATIONS).filter(outcome=outcome)
    return long.rename({outcome: "outcome"}).join(
        found.select("method", "trait", "r", "r_low", "r_high", "holm", "clear"),
        on=["method", "trait"],
        how="left",
        maintain_order="left",
    )


def draw(outcome: str, frame: pl.DataFrame, styles: Styles) -> Figure:
    """Draw a panel for each trait, two side by side."""
    panels = frame.partition_by("trait", maintain_order=True)
    deep = -(-len(panels) // 2)
    figure, grid = new_figure(deep, 2, 0.3 + 2.4 * deep, sharey=True, squeeze=False)
    colour = styles[frame["method"][0]].colour
    titles = {trait.name: trait.title for trait in TRAITS}
    for axes, rows in zip(grid.ravel(), panels, strict=False):
        first = rows.row(0, named=True)
        axes.plot(rows["value"], rows["outcome"], "o", color=colour, markersize=4)
        clear = ", clear" if first["clear"] else ""
        axes.set_title(f"{titles[first['trait']]}: {_correlation(rows)}{clear}", pad=3)
        axes.margins(x=0.16, y=0.08)
        axes.grid(axis="both")
    for axes in grid.ravel()[len(panels) :]:
        axes.remove()
    figure.supylabel(f"{OUTCOMES[outcome]} of {frame['method'][0]}")
    figure.draw_without_rendering()
    for axes, rows in zip(grid.ravel(), panels, strict=False):
        _name_points(axes, rows["value"].to_list(), rows["outcome"].to_list(), rows["task"])
    return figure


def _correlation(rows: pl.DataFrame) -> str:
    """The correlation of a trait as a title has it, or why there is none."""
    r = rows["r"][0]
    if r is not None:
        # No minus before a zero.
        return f"r {round(r, 2) + 0.0:+.2f}"
    return counted(len(rows), "task") if len(rows) < FEWEST else "the same on all tasks"


def _name_points(
    axes: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str] | pl.Series
) -> None:
    """Write the name of each point beside it where that covers nothing else, within the panel."""
    scale = 72 / axes.figure.dpi
    dots = axes.transData.transform(list(zip(x, y, strict=True))) * scale
    left_end, bottom, right_end, top = axes.bbox.extents
    panel = (left_end * scale, bottom * scale, right_end * scale, top * scale)
    taken = [(a - 2, b - 2, a + 2, b + 2) for a, b in dots]
    common = _common_start(list(names))
    for (a, b), at, name in zip(dots, zip(x, y, strict=True), names, strict=True):
        text = clipped(name.removeprefix(common), 16)
        width, height = LETTER * len(text), 2 * LETTER
        for (right, up), side in PLACES:
            left = a + right - {"left": 0, "right": width, "center": width / 2}[side]
            box = (left, b + up - height / 2, left + width, b + up + height / 2)
            if _within(box, panel) and not any(_meet(box, other) for other in taken):
                text_at(axes, at, text, (right, up), fontsize=5.5, color=MUTED, ha=side)
                taken.append(box)
                break


def _common_start(names: list[str]) -> str:
    """What all names begin with, up to a hyphen; panels leave it out."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[: first.rfind("-", 0, same) + 1]


Box = tuple[float, float, float, float]


def _within(one: Box, other: Box) -> bool:
    """Whether a box of left, bottom, right and top lies in another one."""
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def _meet(one: Box, other: Box) -> bool:
    """Whether two boxes of left, bottom, right and top cover the same place."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def describe(outcome: str, frame: pl.DataFrame) -> Description:
    """Say which traits clearly go with the outcome, and every correlation."""
    titles = {trait.name: trait.title for trait in TRAITS}
    found = frame.unique("trait", maintain_order=True)
    texts = (
        f"{titles[row['trait']]}: rank correlation {estimate_text(row, 'r', 2, sign=True)}"
        for row in found.iter_rows(named=True)
    )
    clear = [titles[trait] for trait in found.filter("clear")["trait"]]
    what, method = OUTCOMES[outcome], frame["method"][0]
    tasks = frame["task"].n_unique()
    if tasks < FEWEST:
        title = f"Too few for a correlation with {what} of {method}: {counted(tasks, 'task')}"
    elif clear:
        title = f"{what} of {method} goes with {', '.join(clear)}, over {tasks} tasks"
    else:
        title = f"No trait of {tasks} tasks clearly goes with {what} of {method}"
    return Description(
        title=title,
        alt=listed(texts),
        note="A point is a task; names that find no room are left out (the data have all), "
        "as is what all names begin with. r: Spearman's rank correlation; clear: p at most .05 "
        "after Holm over all correlations of the table.",
    )


def _kind(outcome: str) -> FigureKind:
    return FigureKind(
        f"explained-{outcome}",
        partial(data, outcome),
        partial(draw, outcome),
        partial(describe, outcome),
    )


EXPLAINED_PGR, EXPLAINED_GAIN = map(_kind, OUTCOMES)
