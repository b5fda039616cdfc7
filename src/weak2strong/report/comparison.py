"""Several runs side by side: a table of PGR by method, and figures of settings and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.agreement_by_size import AGREEMENT_BY_SIZE
from weak2strong.report.figures.kind import FigureWithData, with_data
from weak2strong.report.figures.settings import SETTINGS
from weak2strong.report.figures.sizes import SIZES
from weak2strong.report.figures.style import Styles
from weak2strong.report.names import run_names
from weak2strong.report.pictures import PageFigure, page_figure
from weak2strong.report.table import pgr_text


@dataclass(frozen=True)
class Comparison:
    """Several runs in one table.

    Attributes:
        titles: of the columns.
        rows: a run and method each.
        figures: that need several runs.
    """

    titles: list[str]
    rows: list[list[str]]
    figures: list[PageFigure]


def compare_runs(
    runs: Sequence[FinishedRun], styles: Styles, figures: bool = True
) -> Comparison | None:
    """The comparison, without figures where the page has them elsewhere; None below two runs."""
    if len(runs) < 2:
        return None
    rows = [
        [name, method, str(len(run.by_task)), str(run.config.seeds), _whole(run, method)]
        for run, name in run_names(runs).items()
        for method in run.config.methods
    ]
    shown = figures_of_several_runs(runs) if figures else ()
    drawn = [page_figure(kind, frame, styles, "compared") for kind, frame in shown]
    return Comparison(["run", "method", "tasks", "seeds", "PGR [95%]"], rows, drawn)


def figures_of_several_runs(runs: Sequence[FinishedRun]) -> Iterator[FigureWithData]:
    """The figures that take several runs, with their data."""
    return with_data([SETTINGS, SIZES, AGREEMENT_BY_SIZE], runs)


def _whole(run: FinishedRun, method: str) -> str:
    """PGR of a method: of the one task, or the mean over those with a gap."""
    if run.over is None:
        return pgr_text(next(x.recovered for x in run.lines() if x.method == method))
    a = run.over.methods[method]
    if a.mean is None or a.mean_interval is None:
        return "undefined"
    return f"{a.mean:.2f} [{a.mean_interval.low:.2f}, {a.mean_interval.high:.2f}]"
