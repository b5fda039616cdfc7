"""`w2s analyse`: what the test predictions of finished runs say beyond their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from weak2strong.cli.asked import Place

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Analyse:
    """Agreement, calibration, misfit, saliency, difficulty and the best ceiling of finished runs.

    Tables are written to analysis/ in every run folder, one parquet file each.
    """

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="RUN ...", help_behavior_hint="")]
    ] = ()
    """The run folders (default: runs/latest). Several, with students of several sizes, show
    whether larger students agree less with wrong weak labels."""
    out: Place = None
    """A folder for the tables of all runs together, in place of analysis/ in each."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """Another metric of the scores than the study's."""
    edges: Annotated[tuple[float, ...], arg(metavar="NUMBER ...", help_behavior_hint="")] = ()
    """Between buckets of difficulty, rising, in the task's unit (default: quartiles)."""

    def __call__(self) -> None:
        """Analyse, print, and write."""
        import polars as pl

        from weak2strong.api import Results
        from weak2strong.ground.errors import UserError
        from weak2strong.report.analyses import print_analyses
        from weak2strong.report.table import table_console

        folders = self.folders or (Path("runs/latest"),)
        if len({f.resolve() for f in folders}) < len(folders):
            raise UserError("A run folder is named twice: leave it out once.")
        found = [Results(folder).analyses(self.metric, self.edges) for folder in folders]
        tables = [
            {n: t.select(pl.lit(str(folder)).alias("run"), pl.all()) for n, t in a.tables.items()}
            for folder, a in zip(folders, found, strict=True)
        ]
        together = {
            name: pl.concat([t[name] for t in tables if name in t])
            for name in dict.fromkeys(name for t in tables for name in t)
        }
        left_out = [
            (str(f), text) for f, a in zip(folders, found, strict=True) for text in a.left_out
        ]
        over = [a.ceilings.over if a.ceilings else None for a in found]
        print_analyses(together, left_out, over[0] if len(folders) == 1 else None, table_console())
        if self.out is not None:
            _write(self.out, together)
            return
        for folder, of in zip(folders, tables, strict=True):
            _write(folder / "analysis", of)


def _write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """One parquet file a table."""
    from weak2strong.analysis.analyse import TABLES
    from weak2strong.ground.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.write_parquet(folder / f"{name}.parquet")
    except OSError as e:
        raise UserError(
            f"Cannot write to {folder} ({e.strerror}): choose another folder with --out."
        ) from e
    print(f"\nWritten to {folder}:")
    for name in tables:
        print(f"  {name}.parquet  {TABLES[name]}")
