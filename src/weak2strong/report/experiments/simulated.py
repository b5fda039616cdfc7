"""The folder of `w2s simulate`."""

from __future__ import annotations

from pathlib import Path

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.simulated import REAL, read_simulated
from weak2strong.analysis.summary import few_seeds
from weak2strong.report.experiments.experiment import Experiment, counted, incomplete
from weak2strong.report.figures.error_structure import ERROR_STRUCTURE
from weak2strong.report.figures.kind import with_data
from weak2strong.report.simulated import simulated_notes, simulated_tables
from weak2strong.report.words import PGR
from weak2strong.simulators import SIMULATORS


def simulated(folder: Path) -> Experiment:
    """Students of supervisors whose errors were placed, and of the real one.

    Raises:
        UserError: where the folder holds none.
    """
    frame = read_simulated(folder)
    rows = frame.to_dicts()
    kinds = [name for name in dict.fromkeys(frame["supervisor"]) if name != REAL]
    summaries = {kind: SIMULATORS.get(kind).summary for kind in kinds if kind in set(SIMULATORS)}
    names = (REAL, *kinds)
    for name in names:
        if not (folder / name / "results.parquet").exists():
            raise incomplete(folder, name)
    runs = [FinishedRun(folder / name) for name in names]
    config, undefined = runs[0].config, dict[str, list[str]]()
    for row in rows:
        if row["pgr"] is None:
            undefined.setdefault(row["task"], []).append(row["supervisor"])
    return Experiment(
        folder=folder,
        title=f"Simulated supervisors of {config.strong.name}",
        about=(
            f"{counted(len(kinds), 'simulated supervisor')} took the place of {config.weak.name} "
            f"and taught {config.strong.name}: {', '.join(dict.fromkeys(frame['task']))}, "
            f"{counted(config.seeds, 'seed')}. Their errors sit where their names say. {PGR}"
        ),
        tables=[(table, "") for table in simulated_tables(rows)],
        notes=[
            *simulated_notes(rows, summaries),
            f"Each supervisor's whole run: w2s report {folder / REAL}, and the like.",
        ],
        warnings=[
            *(
                f"{task}: PGR is undefined for students of {', '.join(dict.fromkeys(of))}: the "
                "ceiling is not clearly above the floor."
                for task, of in undefined.items()
            ),
            *few_seeds({config.seeds}),
        ],
        figures=list(with_data([ERROR_STRUCTURE], frame)),
        config=config,
        environment=runs[0].environment,
        work=[work for run in runs for work in run.work],
    )
