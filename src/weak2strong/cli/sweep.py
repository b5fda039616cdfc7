"""`w2s probe-sweep`: probes at many layers and settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import arg

from weak2strong.cli.asked import Asked

if TYPE_CHECKING:
    from weak2strong.experiments.sweep import Grid

Layers = Annotated[tuple[str, ...] | None, arg(metavar="LAYER ...", help_behavior_hint="")]
Whole = Annotated[tuple[int, ...] | None, arg(metavar="K ...", help_behavior_hint="")]
Numbers = Annotated[tuple[float, ...] | None, arg(metavar="PENALTY ...", help_behavior_hint="")]


@dataclass(frozen=True)
class ProbeSweep(Asked):
    """Score probes of the weak labels on layers of the frozen student, for a grid of settings.

    Nearest neighbours and logistic regression, as in EleutherAI 2024: scores on test, beside
    them the agreement with weak labels on validation (to choose by without ground
    truth) and the scores of the same probes trained on ground truth. Methods of a study
    play no part.
    """

    layers: Layers = None
    """Layers by number (0 is the embeddings, -1 the last), middle, last, or all (default)."""
    k: Whole = None
    """Numbers of neighbours (default: 5 10 20 50 100 200); --k alone leaves that probe out."""
    penalty: Numbers = None
    """Penalties of logistic regression (default: 0.0001 0.001 0.01 0.1 1), likewise."""

    def __call__(self) -> None:
        """Sweep, then print the grids and the paths of what was written."""
        from weak2strong.api import SweepResults
        from weak2strong.experiments.sweep import run_sweep
        from weak2strong.ground.progress import Progress
        from weak2strong.report.sweeps import print_sweep
        from weak2strong.report.table import table_console

        config, grid = self.study_config(), self.grid()
        with Progress(quiet=self.quiet) as progress:
            folder = run_sweep(config, grid, self.out, self.store, progress)
        done = SweepResults(folder)
        config = done.config
        print_sweep(done.grids(), config.weak_name, config.strong.name, table_console())
        print("\nWritten to")
        for name, what in WRITTEN.items():
            print(f"  {folder / name}  {what}")

    def grid(self) -> Grid:
        """The grid that the flags describe."""
        from weak2strong.experiments.sweep import Grid

        given: dict[str, Any] = {
            "layers": None if self.layers is None else tuple(map(layer_named, self.layers)),
            "ks": self.k,
            "penalties": self.penalty,
        }
        return Grid(**{k: v for k, v in given.items() if v is not None})


WRITTEN = {
    "sweep.parquet": "a row a score",
    "sweep.csv": "the same as text",
    "study.yaml": "the study",
    "environment.json": "versions and device",
}


def layer_named(text: str) -> int | str:
    """A layer as the command line names it: a number, or a word."""
    try:
        return int(text)
    except ValueError:
        return text
