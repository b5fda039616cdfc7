"""Marks that figures share: bars with their numbers, intervals, lines to compare with, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from weak2strong.report.figures.style import INK, MUTED, PAPER, ROLES, MethodStyle


def score_bar(axes: Axes, y: float, mean: float, rows: pl.DataFrame, colour: str) -> None:
    """The mean score of a setting as a horizontal bar with its number.

    Args:
        axes: the panel.
        y: where the bar stands.
        mean: of the scores.
        rows: the setting's score, low and high on each task. The interval of one task is a line;
            the scores of several tasks are circles.
        colour: of the bar.
    """
    scores = rows["score"].to_list()
    furthest = max(scores)
    axes.barh(y, mean, height=0.62, color=colour)
    if len(scores) > 1:
        circles(axes, scores, y, color=PAPER, markeredgecolor=INK, markersize=3.2)
    else:
        bar_interval(axes, y, rows["low"][0], rows["high"][0])
        furthest = max(furthest, rows["high"][0])
    text_beside(axes, furthest, y, f"{mean:.3f}", 5, fontsize=9)


def score_bars_note(tasks: int) -> str:
    """How to read the bars, circles and lines of `score_bar`."""
    if tasks > 1:
        return f"Bars: means over {tasks} tasks and all seeds. Circles: tasks."
    return "Bars: means over seeds. Lines: 95% intervals over seeds and test examples."


def bar_interval(axes: Axes, y: float, low: float, high: float) -> None:
    """An interval upon a bar; a light line beneath lets it be seen on a dark bar, too."""
    for colour, width in ((PAPER, 3.2), (INK, 1.4)):
        axes.hlines(y, low, high, color=colour, linewidth=width)


def circles(axes: Axes, values: Sequence[float], y: float, **more: Any) -> None:
    """Values of single tasks or seeds as circles on one row."""
    axes.plot(values, [y] * len(values), "o", markeredgewidth=0.7, **more)


def curve(axes: Axes, x: Any, y: Any, style: MethodStyle, size: float = 6, **more: Any) -> None:
    """A line with the marks of a method; nulls leave it out."""
    own: dict[str, Any] = {"color": style.colour, "marker": style.mark, "markeredgecolor": PAPER}
    axes.plot(x, y, markersize=size, **own | more)


def text_beside(axes: Axes, x: float, y: float, text: str, gap: float = 4, **more: Any) -> None:
    """A text to the right of a point; ``xycoords`` says in which coordinates that is."""
    style = {"textcoords": "offset points", "va": "center", "fontsize": 8}
    axes.annotate(text, (x, y), (gap, 0), **style | more)


def text_above(axes: Axes, x: float, text: str, gap: float = 0, ha: str = "center") -> None:
    """A small text above the panel, over a place of its horizontal axis."""
    style = {"textcoords": "offset points", "fontsize": 8, "color": MUTED, "ha": ha}
    axes.annotate(text, (x, 1), (gap, 2), xycoords=("data", "axes fraction"), **style)


def role_lines(
    axes: Axes, floor: float = 0, ceiling: float | None = 1, axis: str = "x", **more: Any
) -> None:
    """Lines across the panel where floor and ceiling stand on one axis."""
    line = axes.axvline if axis == "x" else axes.axhline
    for value, style in zip((floor, ceiling), ROLES.values(), strict=True):
        if value is not None:
            line(value, **style | more)


def legend(
    figure: Figure,
    columns: int = 3,
    lines: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> None:
    """A legend above the panels, of all that has a label or of lines and marks by their label."""
    handles = lines and [Line2D([], [], label=label, **style) for label, style in lines.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, **more)


def legend_of(axes: Axes, figure: Figure) -> None:
    """A legend above the panels, of what one of several alike panels shows."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
