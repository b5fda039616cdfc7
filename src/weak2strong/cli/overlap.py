"""`w2s overlap`: why students correct their supervisors, as two published ideas have it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from weak2strong.cli.asked import Place
from weak2strong.cli.sweep import layer_named

if TYPE_CHECKING:
    from weak2strong.analysis.corrections import Corrections


@dataclass(frozen=True)
class Overlap:
    """Estimate overlap density and expansion of a finished run, beside what its students gained.

    Overlap density is that of Shin et al. 2024, expansion that of Lang et al. 2024; both are seen
    in activations of the frozen student, on the examples that students learned from. What the store
    lacks of the run is made again.
    """

    folder: Positional[Path] = Path("runs/latest")
    """The run folder."""
    layer: Annotated[str, arg(metavar="LAYER", help_behavior_hint="")] = "usual"
    """Of the activations: middle, last, a number (0 is the embeddings, -1 the last), or usual, the
    middle of a deep model and the last of one below 8 layers (default)."""
    k: Annotated[int, arg(metavar="N", help_behavior_hint="")] = 5
    """Neighbours of an example (default: 5)."""
    out: Place = None
    """A folder for the tables, in place of the run folder."""
    store: Place = None
    """Where stages are kept; ~/.cache/weak2strong by default, or $W2S_STORE."""
    quiet: Annotated[bool, arg(help_behavior_hint="")] = False
    """Show no progress."""

    def __call__(self) -> None:
        """Estimate, print, and write."""
        from weak2strong.analysis.corrections import corrections
        from weak2strong.api import Results
        from weak2strong.experiments.overlap import read_learned
        from weak2strong.ground.progress import Progress
        from weak2strong.report.corrections import print_corrections
        from weak2strong.report.table import table_console

        run = Results(self.folder)
        with Progress(quiet=self.quiet) as progress:
            layer = layer_named(self.layer)
            learned = read_learned(run.config, layer, self.k, self.store, progress)
            found = corrections(run.config, learned, self.k)
        print_corrections(found, run.lines(), run.config.seeds, table_console())
        _write(self.out or self.folder, found)


def _write(folder: Path, found: Corrections) -> None:
    """One parquet file a table."""
    from weak2strong.analysis.corrections import TABLES
    from weak2strong.ground.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            getattr(found, name).write_parquet(folder / f"{name}.parquet")
    except OSError as e:
        raise UserError(
            f"Cannot write to {folder} ({e.strerror}): choose another folder with --out."
        ) from e
    print("\nWritten to")
    for name, what in TABLES.items():
        print(f"  {folder / name}.parquet  {what}")
