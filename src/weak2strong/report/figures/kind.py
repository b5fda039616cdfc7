"""What a figure is: data that are there or not, and functions that draw and describe them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weak2strong.report.figures.style import Looks
from weak2strong.report.finished import Finished

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureKind:
    """A figure that any run with the data for it has.

    Attributes:
        name: of its files.
        data: a tidy frame of all that is drawn; None where the run has not got it.
        draw: from that frame and the looks of the methods to the figure.
        title: what is seen, from the same frame.
        alt: the same in words and numbers, for those who do not see it.
        note: how to read it: axes, marks, intervals.
    """

    name: str
    data: Callable[[Finished], pl.DataFrame | None]
    draw: Callable[[pl.DataFrame, Looks], Figure]
    title: Callable[[pl.DataFrame], str]
    alt: Callable[[pl.DataFrame], str]
    note: Callable[[pl.DataFrame], str]
