"""What is shown of a finished run: by `w2s run` and `w2s table`, and in a notebook."""

from __future__ import annotations

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.literature import literature_table
from weak2strong.analysis.results import results_document
from weak2strong.ground.table import Document


def run_document(run: FinishedRun, metric: str | None = None) -> Document:
    """The table of a run, that over tasks, and what is published beside them.

    Args:
        run: a finished run.
        metric: another one than the study's.
    """
    lines = run.lines(metric)
    beside = literature_table(run, lines)
    over = run.over if metric is None else run.over_tasks(lines)
    return results_document(lines, over, run.folder, [beside] if beside else [])
