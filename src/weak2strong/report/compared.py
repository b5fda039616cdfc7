"""Several runs side by side: a table of PGR by method, and figures of settings and sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.drawn import Drawn, page_figure
from weak2strong.report.figures.agreement_by_size import AGREEMENT_BY_SIZE
from weak2strong.report.figures.kind import Filled, filled
from weak2strong.report.figures.settings import SETTINGS
from weak2strong.report.figures.sizes import SIZES
from weak2strong.report.figures.style import Looks
from weak2strong.report.names import told_apart
from weak2strong.report.table import pgr_text


@dataclass(frozen=True)
class Compared:
    """Several runs in one table.

    Attributes:
        titles: of the columns.
        rows: a run and method each.
        figures: that need several runs.
    """

    titles: list[str]
    rows: list[list[str]]
    figures: list[Drawn]


def compared(runs: Sequence[FinishedRun], looks: Looks, figures: bool = True) -> Compared | None:
    """The comparison, without figures where the page has them elsewhere; None below two runs."""
    if len(runs) < 2:
        return None
    rows = [
        [name, method, str(len(run.by_task)), str(run.config.seeds), _whole(run, method)]
        for run, name in told_apart(runs).items()
        for method in run.config.methods
    ]
    shown = across(runs) if figures else ()
    drawn = [page_figure(kind, frame, looks, "compared") for kind, frame in shown]
    return Compared(["run", "method", "tasks", "seeds", "PGR [95%]"], rows, drawn)


def across(runs: Sequence[FinishedRun]) -> Iterator[Filled]:
    """The figures that take several runs, with their data."""
    return filled([SETTINGS, SIZES, AGREEMENT_BY_SIZE], runs)


def _whole(run: FinishedRun, method: str) -> str:
    """PGR of a method: of the one task, or the mean over those with a gap."""
    if run.over is None:
        return pgr_text(next(x.recovered for x in run.lines() if x.method == method))
    a = run.over.methods[method]
    if a.mean is None or a.mean_interval is None:
        return "undefined"
    return f"{a.mean:.2f} [{a.mean_interval.low:.2f}, {a.mean_interval.high:.2f}]"
