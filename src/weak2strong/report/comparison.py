"""Several runs side by side: a table of the PGR of each method, and figures that compare runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.over_tasks import interval_fields
from weak2strong.analysis.settings_table import settings_beside
from weak2strong.ground.table import Document, Table, count, pgr, words
from weak2strong.report.figures import COMPARING_FIGURES
from weak2strong.report.figures.kind import with_data
from weak2strong.report.figures.style import Styles
from weak2strong.report.names import run_names
from weak2strong.report.pictures import PageFigure, page_figures


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side.

    Attributes:
        table: one row for each run and method.
        settings: each run against the first, from which all differ in a setting; None otherwise.
        figures: those that compare the runs.
    """

    table: Table
    settings: Document | None
    figures: list[PageFigure]


def compare_runs(
    runs: Sequence[FinishedRun],
    styles: Styles,
    figures: bool = True,
    settings: bool = True,
    folders: Sequence[Path] = (),
) -> Comparison | None:
    """Compare runs; None where there are fewer than two.

    Args:
        runs: the runs.
        styles: of their methods.
        figures: whether figures compare them.
        settings: whether it is told in which settings they differ.
        folders: that hold these runs, where `w2s figures` compares them.
    """
    if len(runs) < 2:
        return None
    rows = [
        {"run": name, "method": method, "tasks": _tasks(run), "seeds": run.config.seeds}
        | _pgr(run, method)
        for run, name in run_names(runs).items()
        for method in run.config.methods
    ]
    columns = (words("run"), words("method"), words("tasks"), count("seeds"), pgr())
    figures_with_data = with_data(COMPARING_FIGURES, runs) if figures else ()
    pictures = page_figures(figures_with_data, styles, "compared", folders)
    table = Table("compared", "PGR of every run and method", columns, rows)
    return Comparison(table, settings_beside(runs) if settings else None, pictures)


def _tasks(run: FinishedRun) -> str:
    """Over how many of its tasks the PGR of a run is a mean."""
    tasks = len(run.by_task)
    used = len(run.over.used) if run.over else tasks
    return str(tasks) if used == tasks else f"{used} of {tasks}"


def _pgr(run: FinishedRun, method: str) -> dict[str, Any]:
    """The fields of a method's PGR: on the one task, or the mean over the tasks that count."""
    if run.over is None:
        return next(x.recovered.pgr for x in run.lines() if x.method == method)
    a = run.over.methods[method]
    return dict(interval_fields("pgr", a.mean, a.mean_interval))
