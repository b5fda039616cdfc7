"""Empty figures: one panel or many, their axes, and the names along them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 6.6
"""The width of a figure in inches: a text column of a paper."""

FURTHEST = 1.0
"""How far beyond floor and ceiling a figure still shows a PGR, in gaps."""

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
) -> tuple[Figure, dict[str, Axes]]:
    """A small panel for each name, all on the same scales.

    Args:
        names: of the panels, which are their titles.
        most: panels side by side.
        height: of a row of panels in inches.
        longest: title in characters.
        layout: "none" where the caller sets the margins.

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
    for axes, name in zip(panels, names, strict=False):
        axes.set_title(clipped(name, longest), pad=3)
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
    return max(min(0.0, *known), -FURTHEST), min(max(1.0, *known), 1 + FURTHEST)


def clipped(name: str, longest: int = 34) -> str:
    """A name that leaves room for the figure."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
