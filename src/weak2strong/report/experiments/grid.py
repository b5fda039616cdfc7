"""The folder of `w2s grid`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.grid import models_of, read_grid
from weak2strong.analysis.summary import warnings_of
from weak2strong.report.experiments.experiment import Experiment, counted, incomplete
from weak2strong.report.figures.agreement_by_size import AGREEMENT_BY_SIZE
from weak2strong.report.figures.kind import with_data
from weak2strong.report.figures.sizes import GRID_SIZES
from weak2strong.report.grid import grid_tables
from weak2strong.report.words import PGR


def grid(folder: Path) -> Experiment:
    """Every weaker model of a ladder with every stronger one.

    Raises:
        UserError: where the folder holds none.
    """
    frame = read_grid(folder)
    runs = _runs(folder, frame.select("weak", "strong").unique(maintain_order=True).rows())
    models, config = models_of(frame.to_dicts()), runs[0].config
    return Experiment(
        folder=folder,
        title=f"Grid of {', '.join(models)}",
        about=(
            f"Every weaker one of {counted(len(models), 'model')} taught every stronger one, "
            f"{counted(len(runs), 'pair')} in all: {', '.join(dict.fromkeys(frame['task']))}, "
            f"{counted(config.seeds, 'seed')}. {PGR}"
        ),
        tables=[(table, "") for table in grid_tables(frame.to_dicts())],
        notes=["Rows are supervisors, columns students; the last row is each student's ceiling."],
        warnings=_warnings(runs),
        figures=[*with_data([GRID_SIZES], frame), *with_data([AGREEMENT_BY_SIZE], runs)],
        config=config,
        environment=runs[0].environment,
        work=[work for run in runs for work in run.work],
        runs=runs,
    )


def _runs(folder: Path, pairs: list[tuple[str, str]]) -> list[FinishedRun]:
    """The runs of the pairs, in that order, whatever their folders are called.

    Raises:
        UserError: where one is missing.
    """
    runs = [FinishedRun(file.parent) for file in sorted(folder.glob("*/results.parquet"))]
    of = {(run.config.weak_name, run.config.strong.name): run for run in runs}
    missing = [f"{weak} to {strong}" for weak, strong in pairs if (weak, strong) not in of]
    if missing:
        raise incomplete(folder, missing[0])
    return [of[pair] for pair in pairs]


def _warnings(runs: list[FinishedRun]) -> list[str]:
    """Those of every run with its name, but those that all have once and without."""
    said = [(run.title, text) for run in runs for text in warnings_of(run.lines())]
    times = Counter(text for _, text in said)
    common = [text for text, count in times.items() if count == len(runs)]
    return [*(f"{name}, {text}" for name, text in said if text not in common), *common]
