"""The folder of `w2s overfitting`."""

from __future__ import annotations

from pathlib import Path

from weak2strong.analysis.finished import FinishedFolder
from weak2strong.analysis.overfitting import reached, read_overfitting
from weak2strong.analysis.summary import few_seeds
from weak2strong.engine.work import read_work
from weak2strong.report.experiments.experiment import Experiment, counted
from weak2strong.report.figures.kind import with_data
from weak2strong.report.figures.overfitting import OVERFITTING
from weak2strong.report.overfitting import NOTE, overfitting_table
from weak2strong.report.words import PGR


def overfitting(folder: Path) -> Experiment:
    """Curves, and the three points.

    Raises:
        UserError: where the folder holds none.
    """
    config, curves, points = read_overfitting(folder)
    found = reached(config, curves, points)
    tasks = list(dict.fromkeys(x.task for x in found))
    looks = curves.group_by("task", "method", "seed").len()["len"].to_list()
    reasons = dict.fromkeys((x.task, x.recovered.undefined) for x in found)
    return Experiment(
        folder=folder,
        title=f"Overfitting, {config.weak_name} to {config.strong.name}",
        about=(
            f"Students of {config.strong.name} on weak labels of {config.weak_name} were trained "
            f"to their last step and looked at {counted(max(looks), 'time')} on the way: "
            f"{', '.join(tasks)}, {counted(config.seeds, 'seed')}. {PGR}"
        ),
        tables=[(overfitting_table(config, found), NOTE)],
        notes=[],
        warnings=[
            *(f"{task}: PGR is undefined. {why}" for task, why in reasons if why),
            *few_seeds({config.seeds}),
        ],
        figures=list(with_data([OVERFITTING], (curves, found))),
        config=config,
        environment=FinishedFolder(folder).environment,
        work=read_work(folder),
    )
