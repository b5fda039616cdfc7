"""From a folder to what is finished in it: a run, experiments, or both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.engine.recorded import RESULTS
from weak2strong.experiments import EXPERIMENTS
from weak2strong.experiments.experiment import FinishedExperiment
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.runs import run_folder
from weak2strong.report.figures import EXPERIMENT_FIGURES, FIGURES
from weak2strong.report.figures.kind import FigureWithData, with_data
from weak2strong.report.unfinished import read_unfinished

Finished = FinishedRun | FinishedExperiment


def read_folder(folder: Path, saturated: float | None = None) -> list[Finished]:
    """All that is finished in a folder: one thing as a rule, several where it took several.

    Args:
        folder: its path.
        saturated: above which score of floor and ceiling tasks are left out; as the study says if
            None.
    """
    readers = list[Any]([FinishedRun] if FolderFiles(folder, "run").has(RESULTS) else [])
    experiments = (EXPERIMENTS.get(name).finished for name in EXPERIMENTS)
    readers += [reader for reader in experiments if reader.is_in(folder)]
    return [reader(folder, saturated=saturated) for reader in readers]


def load(folder: str | Path, saturated: float | None = None) -> Finished:
    """A finished run, or a finished experiment, from its folder.

    Where a run has tables of an experiment beside it, this is the run; ``w2s.Overlap.finished`` and
    the like read the others.

    Args:
        folder: a path, ``latest``, or the beginning of the name of a folder in ``runs``.
        saturated: above which score of floor and ceiling tasks are left out; as the study says if
            None.

    Raises:
        UserError: where nothing is finished there, or the names of several folders begin so.
    """
    return read_finished(run_folder(folder), saturated)[0]


def read_finished(folder: Path, saturated: float | None = None) -> list[Finished]:
    """All that is finished in a folder, at least one thing; arguments as of `read_folder`.

    Raises:
        UserError: where nothing is finished.
    """
    finished = read_folder(folder, saturated)
    if not finished:
        read_unfinished(folder)
        raise UserError(
            f"{folder} holds no finished run: run its study with `w2s run --out {folder}`."
        )
    return finished


def runs_in(finished: Iterable[Finished]) -> list[FinishedRun]:
    """The finished runs, and those that experiments compare, each once."""
    runs = (run for x in finished for run in ([x] if isinstance(x, FinishedRun) else x.compared))
    return list(dict.fromkeys(runs))


def figures_of(finished: Iterable[Finished]) -> Iterator[FigureWithData]:
    """All figures of runs and experiments, with their data."""
    for one in finished:
        if isinstance(one, FinishedRun):
            yield from with_data(FIGURES, one)
        else:
            yield from with_data(EXPERIMENT_FIGURES, one, one.FIGURES)
