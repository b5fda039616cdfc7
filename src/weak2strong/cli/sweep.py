"""`w2s probe-sweep`: probes at many layers and settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from weak2strong.cli.asked import Asked

Layers = Annotated[tuple[str, ...], arg(metavar="LAYER ...", help_behavior_hint="")]
Whole = Annotated[tuple[int, ...], arg(metavar="K ...", help_behavior_hint="")]
Numbers = Annotated[tuple[float, ...], arg(metavar="PENALTY ...", help_behavior_hint="")]


@dataclass(frozen=True)
class ProbeSweep(Asked):
    """Score probes of the weak labels on layers of the frozen student, for a grid of settings.

    Nearest neighbours and logistic regression, as in EleutherAI 2024: scores on test, beside
    them the agreement with weak labels on validation (to choose by without ground
    truth) and the scores of the same probes trained on ground truth. Methods of a study
    play no part.
    """

    layers: Layers = ("all",)
    """Layers by number (0 is the embeddings, -1 the last), middle, last, or all (default)."""
    k: Whole = (5, 10, 20, 50, 100, 200)
    """Numbers of neighbours (default: 5 10 20 50 100 200)."""
    penalty: Numbers = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    """Penalties of logistic regression (default: 1e-4 1e-3 1e-2 1e-1 1)."""

    def __call__(self) -> None:
        """Sweep, then print the grids and the paths of what was written."""
        from weak2strong.api import SweepResults
        from weak2strong.progress import Progress
        from weak2strong.report.sweeps import print_sweep
        from weak2strong.report.table import table_console
        from weak2strong.study.sweeps import Grid, run_sweep

        grid = Grid(tuple(map(_layer, self.layers)), self.k, self.penalty)
        config = self.study_config()
        with Progress(quiet=self.quiet) as progress:
            folder = run_sweep(config, grid, self.out, self.store, progress)
        done = SweepResults(folder)
        config = done.config
        print_sweep(done.grids(), config.weak_name, config.strong.name, table_console())
        print("\nWritten to")
        for name, what in WRITTEN.items():
            print(f"  {folder / name}  {what}")


WRITTEN = {
    "sweep.parquet": "a row a score",
    "sweep.csv": "the same as text",
    "study.yaml": "the study",
    "environment.json": "versions and device",
}


def _layer(text: str) -> int | str:
    """A layer as the command line names it: a number, or a word."""
    try:
        return int(text)
    except ValueError:
        return text
