"""What figures are drawn with: panels and their axes, bars, intervals, curves, texts, legends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from weak2strong.report.figures.style import INK, MUTED, PAPER, ROLES, MethodStyle

WIDTH = 6.6
"""The width of a figure in inches: a text column of a paper."""

FURTHEST = 1.0
"""How far beyond floor and ceiling a figure still shows a PGR, in gaps."""

LEGEND = 116
"""The letters that fit side by side into a legend; a mark and its margins take those of six."""

LEGEND_ROW = 0.17
"""The height of a row of a legend in inches."""

ROOM = 0.12
"""The share of an axis of sizes that stays empty beside them."""


def new_figure(
    rows: int = 1,
    columns: int = 1,
    height: float = 3.0,
    layout: Literal["constrained", "none"] = "constrained",
    **more: Any,
) -> tuple[Figure, Any]:
    """An empty figure of the usual width and its axes; no window, no state of pyplot."""
    figure = Figure(figsize=(WIDTH, height), layout=layout)  # pyright: ignore[reportArgumentType]
    return figure, figure.subplots(rows, columns, **more)


def panel_grid(
    names: Sequence[str],
    most: int,
    height: float,
    longest: int,
    layout: Literal["constrained", "none"] = "constrained",
    titles: Sequence[str] = (),
) -> tuple[Figure, dict[str, Axes]]:
    """A small panel for each name, all on the same scales.

    Args:
        names: of the panels.
        most: panels side by side.
        height: of a row of panels in inches.
        longest: title in characters.
        layout: "none" where the caller sets the margins.
        titles: of the panels, if others than their names.

    Returns:
        The figure, and the panel of each name.
    """
    columns = min(most, len(names))
    rows = -(-len(names) // columns)
    shared: dict[str, Any] = {"sharex": True, "sharey": True, "squeeze": False}
    figure, grid = new_figure(rows, columns, 0.4 + rows * height, layout, **shared)
    panels = grid.ravel()
    for axes in panels[len(names) :]:
        axes.remove()
    for axes in panels[max(0, len(names) - columns) : len(names)]:
        axes.tick_params(axis="x", labelbottom=True)
    for axes, title in zip(panels, titles or names, strict=False):
        axes.set_title(clipped(title, longest), pad=3)
    return figure, dict(zip(names, panels, strict=False))


def panel_columns(
    names: Sequence[str],
    labels: Sequence[str],
    height: float,
    most: int,
    one_scale: bool = True,
) -> tuple[Figure, dict[str, list[Axes]]]:
    """A column of panels for each name, in blocks where there are more columns than fit a page.

    Panels share the horizontal axis.

    Args:
        names: of the columns, which are their titles.
        labels: of the vertical axes, from top to bottom: a panel for each.
        height: of a block in inches.
        most: columns side by side.
        one_scale: whether panels of one label share the vertical axis too.

    Returns:
        The figure, and the panels of each column from top to bottom.
    """
    blocks, deep = -(-len(names) // most), len(labels)
    columns = -(-len(names) // blocks)
    figure, grid = new_figure(
        deep * blocks, columns, height * blocks, sharex=True, sharey=False, squeeze=False
    )
    panels_of = dict[str, list[Axes]]()
    for i, name in enumerate(names):
        block, column = divmod(i, columns)
        panels = list(grid[deep * block : deep * (block + 1), column])
        for depth, axes in enumerate(panels):
            if i and one_scale:
                axes.sharey(grid[depth, 0])
            if column == 0:
                axes.set_ylabel(labels[depth])
            labelled = column == 0 or not one_scale
            axes.tick_params(labelleft=labelled, labelbottom=depth == deep - 1)
            axes.grid(axis="y")
        panels[0].set_title(clipped(name, 20 if columns > 2 else 34))
        panels_of[name] = panels
    for axes in grid[deep * (blocks - 1) :, (len(names) - 1) % columns + 1 :].ravel():
        axes.remove()
    return figure, panels_of


def row_labels(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of an axis, the first on top, with nothing but the names."""
    axes.set_yticks(range(len(names)), [clipped(n) for n in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """Make the horizontal axis one of parameters, logarithmic, with a tick for each size."""
    axes.set_xscale("log")
    axes.set_xticks(sizes, [_size_text(size) for size in sizes])
    axes.minorticks_off()
    room = (max(sizes) / min(sizes)) ** ROOM
    axes.set_xlim(min(sizes) / room, max(sizes) * room)


def _size_text(count: int) -> str:
    """A number of parameters, such as ``238k`` or ``7.2B``."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{name}"
    return str(count)


def pgr_range(values: Iterable[float | None]) -> tuple[float, float]:
    """The ends of an axis of PGR: floor, ceiling and the values, as far as `FURTHEST` allows."""
    known = [value for value in values if value is not None]
    return max(min([0.0, *known]), -FURTHEST), min(max([1.0, *known]), 1 + FURTHEST)


def clipped(name: str, longest: int = 34) -> str:
    """A name that leaves room for the figure; the star of an oracle stays."""
    if len(name) <= longest:
        return name
    star = " *" if name.endswith(" *") else ""
    return f"{name[: longest - 1 - len(star)]}…{star}"


def score_bar(
    axes: Axes,
    y: float,
    mean: float,
    rows: pl.DataFrame,
    colour: str,
    others: Sequence[float] = (),
) -> None:
    """The mean score of a setting as a horizontal bar with its number.

    Args:
        axes: the panel.
        y: where the bar stands.
        mean: of the scores.
        rows: the setting's score, low and high on each task. The interval of one task is a line;
            the scores of several tasks are circles.
        colour: of the bar.
        others: where further marks stand, which the number leaves free.
    """
    scores = rows["score"].to_list()
    furthest = max([*scores, *others])
    axes.barh(y, mean, height=0.62, color=colour)
    if len(scores) > 1:
        circles(axes, scores, y, color=PAPER, markeredgecolor=INK, markersize=3.2)
    else:
        bar_interval(axes, y, rows["low"][0], rows["high"][0])
        furthest = max(furthest, rows["high"][0])
    text_at(axes, (furthest, y), f"{mean:.3f}", (5, 0), fontsize=9)


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


def text_at(
    axes: Axes,
    point: tuple[float, float],
    text: str,
    gap: tuple[float, float] = (4, 0),
    **more: Any,
) -> None:
    """Write a text beside a point; ``xycoords`` says in which coordinates the point is."""
    style = {"textcoords": "offset points", "va": "center", "fontsize": 8}
    axes.annotate(text, point, gap, **style | more)


def texts_beside(
    axes: Axes, x: float, texts: Mapping[str, float], height: float, **more: Any
) -> None:
    """Write a small text to the right of each line's end; those of close ends stand apart.

    Args:
        axes: the panel, with all of its lines.
        x: of the ends.
        texts: the height of the line's end of each text.
        height: about that of the panel in inches.
        **more: how the texts look.
    """
    size = more.setdefault("fontsize", 6.5)
    low, high = axes.get_ylim()
    least = 1.2 * size / (72 * height) * (high - low)
    for text, y in zip(texts, spread(list(texts.values()), least), strict=True):
        text_at(axes, (x, y), text, (3, 0), **more)


def spread(values: Sequence[float], least: float) -> list[float]:
    """Values of which no two are nearer to each other than that, in the same order.

    Near ones make a row around their own mean, and rows that then meet make one.
    """
    rows = list[list[int]]()
    for i in sorted(range(len(values)), key=lambda i: values[i]):
        rows.append([i])
        while len(rows) > 1 and _ends(rows[-2], values, least)[1] > (
            _ends(rows[-1], values, least)[0] - least
        ):
            rows[-2:] = [rows[-2] + rows[-1]]
    placed = list(values)
    for row in rows:
        first, _ = _ends(row, values, least)
        for place, i in enumerate(row):
            placed[i] = first + place * least
    return placed


def _ends(row: Sequence[int], values: Sequence[float], least: float) -> tuple[float, float]:
    """Where a row of values begins and ends that are so far apart."""
    middle, half = sum(values[i] for i in row) / len(row), least * (len(row) - 1) / 2
    return middle - half, middle + half


def text_above(axes: Axes, x: float, text: str, gap: float = 0, ha: str = "center") -> None:
    """Write a small text above the panel, over a point of its horizontal axis."""
    style = {"va": "baseline", "color": MUTED, "ha": ha, "xycoords": ("data", "axes fraction")}
    text_at(axes, (x, 1), text, (gap, 2), **style)


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
    most: int,
    lines: Mapping[str, Mapping[str, Any]] | None = None,
    handles: Sequence[Artist] = (),
    **more: Any,
) -> None:
    """A legend above the panels.

    Args:
        figure: the figure.
        most: columns, where their labels are short enough to fit the page.
        lines: the looks of lines and marks by their labels.
        handles: what the legend explains where there are no ``lines``.
        **more: further arguments of ``Figure.legend``.
    """
    if lines is not None:
        handles = [Line2D([], [], label=label, **style) for label, style in lines.items()]
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = max(1, min(most, int(LEGEND / (longest + 6))))
    # Two rows of a legend fit into the usual height.
    rows = -(-len(handles) // columns)
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW * max(0, rows - 2))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, **more)
