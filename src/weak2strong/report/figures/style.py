"""The style of all figures: one colour and mark for each method, sizes for print, dark colours.

Figures are drawn once, in the colours for white paper. A page replaces each of these exact
colours by a variable of its style sheet, whose value depends on light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from weak2strong.methods import METHODS
from weak2strong.methods.reference import names_in

INK, MUTED, GRID, PAPER = "#1b1f24", "#57606b", "#d9dee4", "#fefeff"
FLOOR, CEILING = "#6b7480", "#1b1f25"

PALETTE = {
    "#0069ad": "#58a9e8",
    "#c84e00": "#ff8a4a",
    "#008763": "#35c79a",
    "#a8488f": "#dd86c8",
    "#8a6d00": "#d9b53a",
    "#3d87c2": "#9ccdf2",
    "#7d1f4d": "#e0759f",
    "#5b6f1d": "#a9c25a",
}
"""Eight colours on white and on a dark page. The common kinds of colour blindness keep them apart
in lightness or hue, and their contrast is 3:1 or more."""

COLOURS = tuple(PALETTE)

DARK = {
    INK: "#e8ecf0",
    MUTED: "#a7b1bc",
    GRID: "#343c46",
    PAPER: "#14181d",
    FLOOR: "#919ba6",
    CEILING: "#f2f5f8",
    **PALETTE,
}
"""Each colour of a figure on a dark page."""

MARKS = ("o", "s", "^", "D", "v", "P", "X", "<")
"""Marks tell methods apart that share a colour."""

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
    "figure.labelsize": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.5,
    "text.color": INK,
    # Names are the user's: a dollar sign is a dollar sign.
    "text.parse_math": False,
    **dict.fromkeys(("xtick.color", "ytick.color"), MUTED),
    **dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 8),
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

DASHES = (0, (2, 2))
"""The pattern of lines that something is compared with."""

ROLES = {
    "supervisor (floor)": {"color": FLOOR, "linewidth": 1.2},
    "ceiling": {"color": CEILING, "linewidth": 1.2},
}
"""The lines of floor and ceiling, by what a legend calls them."""


def method_styles(methods: Sequence[str]) -> Styles:
    """A style for each method, which depends on the registry's order and on the other methods.

    Colours go round in the order of the registry. Where that gives two methods one colour, the
    later takes the next that is free; where none is free, its mark tells it apart.

    Args:
        methods: the references of all methods of a page.

    Returns:
        Styles in the order of ``methods``.
    """
    registered, n = list(METHODS), len(COLOURS)
    methods_of_colour = dict[int, int]()

    def position(method: str) -> int:
        name = names_in(method)[0]
        return registered.index(name) if name in registered else len(registered)

    styles, unique = Styles(), list(dict.fromkeys(methods))
    for method in sorted(unique, key=position):
        own = position(method) % n
        free = (c for c in (*range(own, n), *range(own)) if c not in methods_of_colour)
        colour = next(free, own)
        sharing = methods_of_colour.get(colour, 0)
        styles[method] = MethodStyle(COLOURS[colour], MARKS[sharing % len(MARKS)])
        methods_of_colour[colour] = sharing + 1
    return {method: styles[method] for method in unique}


def ordered_styles(names: Iterable[str]) -> Styles:
    """A style for each name, by the order of the names alone."""
    return {
        name: MethodStyle(*style)
        for name, style in zip(names, cycle(zip(COLOURS, MARKS, strict=True)), strict=False)
    }


def model_style(role: str, method: str, styles: Styles) -> MethodStyle:
    """The style of a student's method, or that of the supervisor or the ceiling."""
    colours = {"floor": FLOOR, "ceiling": CEILING}
    return MethodStyle(colours[role], "o") if role in colours else styles[method]


@contextmanager
def styled() -> Iterator[None]:
    """Within it, figures are drawn and saved in the house style, whatever the user's own is."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        parameters: Any = mpl.rcParams
        parameters.update(SETTINGS)
        yield
