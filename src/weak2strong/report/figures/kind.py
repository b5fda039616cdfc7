"""What a figure is: the numbers that it shows, and how they are drawn and said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weak2strong.ground.errors import unknown_name
from weak2strong.ground.registry import Registry
from weak2strong.report.figures.style import Styles

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from weak2strong.analysis.finished import FinishedRun


@dataclass(frozen=True)
class Description:
    """A figure in words.

    Attributes:
        title: what the figure shows.
        alt: the same in words and numbers, for those who do not see it.
        note: how to read it: axes, marks, intervals.
    """

    title: str
    alt: str
    note: str


@dataclass(frozen=True)
class FigureKind:
    """A figure that any source with the data for it has.

    Attributes:
        name: of the figure and its files.
        data: from the source (a finished run, several runs or an experiment, by the registry of the
            figure) to a tidy frame of all that the figure shows; None where the source lacks it.
        draw: from that frame and the styles of the methods to the figure.
        describe: from that frame to the figure in words.
    """

    name: str
    data: Callable[[Any], pl.DataFrame | None]
    draw: Callable[[pl.DataFrame, Styles], Figure]
    describe: Callable[[pl.DataFrame], Description]


FigureWithData = tuple[FigureKind, "pl.DataFrame"]
"""A figure and its data."""


def with_data(
    figures: Registry, source: Any, names: Iterable[str] | None = None
) -> Iterator[FigureWithData]:
    """The figures of a registry that a source has the data for, with these.

    Args:
        figures: the registry.
        source: what its figures are made of.
        names: of the figures; all of the registry if None.
    """
    for name in figures if names is None else names:
        kind = figures.get(name)
        frame = kind.data(source)
        if frame is not None and len(frame):
            yield kind, frame


def chosen(figures: Sequence[FigureWithData], names: Sequence[str]) -> list[FigureWithData]:
    """The figures with some names, in their own order; all of them where no name is given.

    Raises:
        UserError: for a name that none of them has.
    """
    have = [kind.name for kind, _ in figures]
    for name in names:
        if name not in have:
            raise unknown_name("figure of this folder", name, have)
    return [figure for figure in figures if not names or figure[0].name in names]


def listed(parts: Iterable[str], lead: str = "", between: str = "; ") -> str:
    """A sentence that lists parts."""
    return f"{lead}{between.join(parts)}."


def means_of(frame: pl.DataFrame, column: str, by: str) -> dict[str, float]:
    """The mean of a column by the names in another one, in their order; none where all are null."""
    rows = frame.drop_nulls(column).select(by, column)
    return dict(rows.group_by(by, maintain_order=True).mean().iter_rows())


def by_model(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each model, by "supervisor", "ceiling" and the names of the students' methods."""
    names = {"floor": "supervisor", "ceiling": "ceiling"}
    models = frame.group_by("role", "method", maintain_order=True)
    return {names.get(str(role), str(method)): rows for (role, method), rows in models}


def fair(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of students that saw no ground truth, of whom titles speak; all, where all did."""
    rest = frame.filter(~frame["oracle"])
    return rest if len(rest) else frame


def saw_truth(run: FinishedRun) -> pl.Expr:
    """Whether students of the ``method`` of a row saw ground truth, for its column ``oracle``."""
    import polars as pl

    return pl.col("method").is_in(list(run.oracles))


def marked(frame: pl.DataFrame, names: Iterable[str], by: str = "method") -> list[str]:
    """Names of methods with the star of tables behind those whose students saw ground truth.

    Args:
        frame: rows with the column of the names and ``oracle``.
        names: of methods, as a rule; those of other models stay as they are.
        by: the column that the names are from.
    """
    see_truth = set(frame.filter("oracle")[by])
    return [f"{name} *" if name in see_truth else name for name in names]


def oracles_note(frame: pl.DataFrame, titled: bool = True) -> str:
    """A sentence on the methods whose students saw ground truth, for a note; empty without any.

    Args:
        frame: rows with ``method`` and ``oracle``.
        titled: whether the title is of the methods of `fair` alone.
    """
    names = frame.filter("oracle")["method"].unique(maintain_order=True).to_list()
    if not names:
        return ""
    others = titled and not fair(frame)["oracle"].any()
    rest = "; the title is of the others" if others else ""
    return f" * saw ground truth (oracle): {', '.join(names)}{rest}."
