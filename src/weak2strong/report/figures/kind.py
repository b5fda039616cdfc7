"""What a figure is: data that are there or not, and functions that draw and describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from weak2strong.report.figures.style import Styles

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

Source = TypeVar("Source")
"""What a figure is made of: a finished run, several, or the tables of an experiment."""


@dataclass(frozen=True)
class FigureKind(Generic[Source]):
    """A figure that any source with the data for it has.

    Attributes:
        name: of its files.
        data: a tidy frame of all that is drawn; None where the source has not got it.
        draw: from that frame and the styles of the methods to the figure.
        title: what is seen, from the same frame.
        alt: the same in words and numbers, for those who do not see it.
        note: how to read it: axes, marks, intervals.
    """

    name: str
    data: Callable[[Source], pl.DataFrame | None]
    draw: Callable[[pl.DataFrame, Styles], Figure]
    title: Callable[[pl.DataFrame], str]
    alt: Callable[[pl.DataFrame], str]
    note: Callable[[pl.DataFrame], str]


FigureWithData = tuple[FigureKind[Any], "pl.DataFrame"]
"""A figure and its data."""


def with_data(kinds: Iterable[FigureKind[Source]], source: Source) -> Iterator[FigureWithData]:
    """The figures that a source has the data for, with these."""
    for kind in kinds:
        frame = kind.data(source)
        if frame is not None and len(frame):
            yield kind, frame
