"""The folder of `w2s probe-sweep`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from weak2strong.analysis.finished import FinishedFolder
from weak2strong.analysis.swept import summarise_sweep
from weak2strong.experiments.sweep import read_sweep
from weak2strong.ground.metrics import metric_title
from weak2strong.report.experiments.experiment import Experiment, counted
from weak2strong.report.figures.kind import with_data
from weak2strong.report.figures.sweep import SWEEP
from weak2strong.report.sweeps import NOTE, sweep_notes, sweep_tables
from weak2strong.report.table import seeds_text


def sweep(folder: Path) -> Experiment:
    """Probes at many layers and settings.

    Raises:
        UserError: where the folder holds no finished sweep.
    """
    config, scores = read_sweep(folder)
    grids = summarise_sweep(scores, config.metric or "accuracy")
    places = sum(one.score.size for one in grids)
    metric = metric_title(grids[0].metric)
    return Experiment(
        folder=folder,
        title=f"Probes of {config.strong.name}, taught by {config.weak_name}",
        about=(
            f"Probes learned weak labels of {config.weak_name} on layers of the frozen "
            f"{config.strong.name}, at {counted(places, 'place')} of layer and setting: "
            f"{', '.join(dict.fromkeys(x.task for x in grids))}. Scores are {metric}, "
            f"{seeds_text(config.seeds)}."
        ),
        tables=[
            (replace(table, caption=f"{one.task}, {one.probe}: {table.caption}"), note)
            for one in grids
            for table, note in zip(
                sweep_tables(one), ("", "", " ".join(sweep_notes(one))), strict=True
            )
        ],
        notes=[NOTE],
        warnings=[],
        figures=list(with_data([SWEEP], grids)),
        config=config,
        environment=FinishedFolder(folder).environment,
    )
