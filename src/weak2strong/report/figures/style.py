"""How all figures look: one colour and mark a method, sizes for print, colours by theme.

Figures are drawn once, in the colours for white paper. A page replaces each of these exact
colours by a variable of its style sheet, whose value depends on light or dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from weak2strong.methods import METHODS
from weak2strong.methods.reference import names_in

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1b1f24", "#57606b", "#d9dee4", "#fefeff"
FLOOR, CEILING = "#6b7480", "#1b1f25"

COLOURS = (
    "#0069ad",
    "#c84e00",
    "#008763",
    "#a8488f",
    "#8a6d00",
    "#3d87c2",
    "#7d1f4d",
    "#5b6f1d",
)
"""Eight hues that the common kinds of colour blindness keep apart in lightness or hue, with a
contrast of 3:1 or more on white."""

DARK = {
    INK: "#e8ecf0",
    MUTED: "#a7b1bc",
    GRID: "#343c46",
    PAPER: "#14181d",
    FLOOR: "#919ba6",
    CEILING: "#f2f5f8",
    COLOURS[0]: "#58a9e8",
    COLOURS[1]: "#ff8a4a",
    COLOURS[2]: "#35c79a",
    COLOURS[3]: "#dd86c8",
    COLOURS[4]: "#d9b53a",
    COLOURS[5]: "#9ccdf2",
    COLOURS[6]: "#e0759f",
    COLOURS[7]: "#a9c25a",
}
"""What each colour is on a dark page."""

MARKS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""What tells methods apart that share a colour."""

WIDTH = 6.6
"""Of a figure in inches: a text column of a paper."""

SETTINGS: dict[str, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.5,
    "text.color": INK,
    # Names are the user's: a dollar sign is a dollar sign.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


@dataclass(frozen=True)
class MethodStyle:
    """What a method has in every figure of a page: its colour and its mark."""

    colour: str
    mark: str


Styles = dict[str, MethodStyle]


def method_styles(methods: Sequence[str]) -> Styles:
    """A look a method, which depends on the registry's order and on who else is there.

    Colours go round in the order of the registry. Where that gives two methods one colour, the
    later takes the next that is free; where none is free, its mark tells it apart.

    Args:
        methods: references of all methods of a page.

    Returns:
        Styles in the order of ``methods``.
    """
    registered, n = list(METHODS), len(COLOURS)
    taken = dict[int, int]()

    def place(method: str) -> int:
        name = names_in(method)[0]
        return registered.index(name) if name in registered else len(registered)

    found, unique = Styles(), list(dict.fromkeys(methods))
    for method in sorted(unique, key=place):
        own = place(method) % n
        free = [c for c in (*range(own, n), *range(own)) if c not in taken]
        colour = free[0] if free else own
        found[method] = MethodStyle(COLOURS[colour], MARKS[taken.get(colour, 0) % len(MARKS)])
        taken[colour] = taken.get(colour, 0) + 1
    return {method: found[method] for method in unique}


@contextmanager
def styled() -> Iterator[None]:
    """Within it, figures are drawn and saved in the house style, whatever the user's own is."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        parameters: Any = mpl.rcParams
        parameters.update(SETTINGS)
        yield


def style_of(name: str, styles: Styles) -> MethodStyle:
    """That of a method, or of ``supervisor`` or ``ceiling``."""
    return styles.get(name) or MethodStyle(FLOOR if name == "supervisor" else CEILING, "o")


def curves(frame: pl.DataFrame, styles: Styles | None = None) -> list[tuple[str, pl.DataFrame]]:
    """The rows of supervisor, students and ceiling by name; students in the order of the styles."""
    there = set(frame.filter(role="student")["method"])
    methods = [m for m in styles if m in there] if styles else sorted(there)
    students = [(m, frame.filter(role="student", method=m)) for m in methods]
    supervisor, ceiling = frame.filter(role="floor"), frame.filter(role="ceiling")
    return [("supervisor", supervisor), *students, ("ceiling", ceiling)]


def new_figure(
    rows: int = 1,
    columns: int = 1,
    height: float = 3.0,
    layout: Literal["constrained", "none"] = "constrained",
    **more: Any,
) -> tuple[Figure, Any]:
    """An empty figure of the usual width and its axes; no window, no state of pyplot."""
    from matplotlib.figure import Figure

    arrange: Any = layout
    figure = Figure(figsize=(WIDTH, height), layout=arrange)
    return figure, figure.subplots(rows, columns, **more)


def panel_columns(
    names: Sequence[str],
    labels: Sequence[str],
    height: float,
    most: int,
    one_scale: bool = True,
) -> tuple[Figure, dict[str, list[Axes]]]:
    """A column of panels a name, in blocks where there are more columns than fit a page.

    Panels share the horizontal axis.

    Args:
        names: of the columns.
        labels: of the vertical axes, from top to bottom: a panel each.
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
    found = dict[str, list[Any]]()
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
        found[name] = panels
    for axes in grid[deep * (blocks - 1) :, (len(names) - 1) % columns + 1 :].ravel():
        axes.remove()
    return figure, found


def row_labels(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of an axis, the first on top, with nothing but the names."""
    axes.set_yticks(range(len(names)), [clipped(n) for n in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def clipped(name: str, longest: int = 34) -> str:
    """A name that leaves room for the figure."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def number_text(values: Sequence[float], digits: int = 2) -> str:
    """A number and, where there are three, its interval: ``0.60 [0.25, 0.94]``."""
    value, *ends = values
    text = f"{value:.{digits}f}"
    return f"{text} [{', '.join(f'{x:.{digits}f}' for x in ends)}]" if ends else text
