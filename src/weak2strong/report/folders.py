"""From a folder to what stands in it: runs and experiments, told by the files they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from weak2strong.analysis import grid as grids
from weak2strong.analysis import simulated as simulations
from weak2strong.analysis.finished import FinishedRun
from weak2strong.experiments import sweep as sweeps
from weak2strong.experiments.overfitting import CURVES
from weak2strong.ground.errors import UserError
from weak2strong.report.experiments.experiment import Experiment
from weak2strong.report.experiments.grid import grid
from weak2strong.report.experiments.overfitting import overfitting
from weak2strong.report.experiments.simulated import simulated
from weak2strong.report.experiments.sweep import sweep
from weak2strong.report.figures.kind import FigureWithData
from weak2strong.report.pictures import figures_of_run
from weak2strong.report.unfinished import read_unfinished

READERS: Mapping[str, Callable[[Path], FinishedRun | Experiment]] = {
    "results.parquet": FinishedRun,
    grids.FILE: grid,
    simulations.FILE: simulated,
    CURVES: overfitting,
    sweeps.FILE: sweep,
}
"""By the file that only a finished folder of the kind has."""


def read_folder(folder: Path) -> list[FinishedRun | Experiment]:
    """All that is finished in a folder: one thing as a rule, several where it took several.

    Raises:
        UserError: where one of them cannot be read.
    """
    return [read(folder) for file, read in READERS.items() if (folder / file).exists()]


def read_finished(folder: Path) -> list[FinishedRun | Experiment]:
    """The same, of a folder with something finished in it.

    Raises:
        UserError: likewise, and where there is nothing.
    """
    found = read_folder(folder)
    if not found:
        read_unfinished(folder)
        raise UserError(
            f"{folder} holds no finished run: run its study with `w2s run --out {folder}`."
        )
    return found


def runs_in(found: Iterable[FinishedRun | Experiment]) -> list[FinishedRun]:
    """The finished runs of folders, those that experiments compare among them, each once."""
    every = (run for x in found for run in ([x] if isinstance(x, FinishedRun) else x.runs))
    return list(dict.fromkeys(every))


def figures_of(found: Iterable[FinishedRun | Experiment]) -> Iterator[FigureWithData]:
    """All figures of what stands in a folder, with their data."""
    for one in found:
        yield from figures_of_run(one) if isinstance(one, FinishedRun) else one.figures
