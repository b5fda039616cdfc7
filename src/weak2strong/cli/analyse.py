"""`w2s analyse`: what the test predictions of finished runs say beyond their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import Positional, arg

from weak2strong.cli.lists import Plugins
from weak2strong.cli.printing import Printing
from weak2strong.cli.study import Place
from weak2strong.ground.lines import tell
from weak2strong.ground.rooms import Purpose
from weak2strong.ground.runs import LATEST_RUN

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Analyse(Printing):
    """Ask finished runs for agreement, calibration, misfit and more.

    Saliency, difficulty and the best ceiling are among it. Tables are written to analysis/ in every
    run folder, one parquet file each.
    """

    purpose: ClassVar[Purpose] = Purpose.ASK
    runs: ClassVar[tuple[str, ...]] = ("folders",)

    folders: Positional[
        Annotated[tuple[Path, ...], arg(metavar="[RUN ...]", help_behavior_hint="")]
    ] = ()
    """The run folders (default: runs/latest). Several, with students of several sizes, show
    whether larger students agree less with wrong weak labels."""
    out: Place = None
    """A folder for the tables of all runs together, in place of analysis/ in each."""
    metric: Annotated[str | None, arg(metavar="METRIC", help_behavior_hint="")] = None
    """Another metric of the scores than the study's."""
    edges: Annotated[tuple[float, ...], arg(metavar="NUMBER ...", help_behavior_hint="")] = ()
    """Between buckets of difficulty, rising, in the task's unit (default: quartiles)."""
    markdown: Place = None
    """A file to write the tables to as one page of Markdown, too."""
    plugin: Plugins = ()
    """Python files that add analyses of your own."""

    def __call__(self) -> None:
        """Analyse, print, and write."""
        import polars as pl

        from weak2strong.analysis.analysed import analyses_document
        from weak2strong.analysis.finished import Results
        from weak2strong.ground.errors import UserError
        from weak2strong.ground.plugins import load_plugins

        load_plugins(self.plugin)
        folders = self.folders or (LATEST_RUN,)
        if len({f.resolve() for f in folders}) < len(folders):
            raise UserError("A run folder is named twice: leave it out once.")
        runs = {
            str(folder): Results(folder).analyses(self.metric, self.edges) for folder in folders
        }
        document = analyses_document(runs)
        self.show(document)
        if self.markdown is not None:
            from weak2strong.report.formats import document_markdown

            self.write_page(self.markdown, document_markdown(document, "Analyses"))
        frames = {
            run: {n: t.select(pl.lit(run).alias("run"), pl.all()) for n, t in found.tables.items()}
            for run, found in runs.items()
        }
        if self.out is None:
            for folder, tables in zip(folders, frames.values(), strict=True):
                self._write(folder, tables, "analysis")
            return
        names = dict.fromkeys(name for tables in frames.values() for name in tables)
        together = {n: [tables[n] for tables in frames.values() if n in tables] for n in names}
        self._write(self.out, {n: pl.concat(tables) for n, tables in together.items()})

    def _write(self, run: Path, tables: Mapping[str, pl.DataFrame], below: str = "") -> None:
        """One parquet file a table, in a folder or in one below it."""
        from weak2strong.analysis.analyses import every_analysis
        from weak2strong.engine.record import parquet
        from weak2strong.ground.disks import writing
        from weak2strong.ground.index import put

        folder = run / below
        files = {f"{name}.parquet": parquet(table) for name, table in tables.items()}
        with writing(folder, "choose another folder with --out"):
            run.mkdir(parents=True, exist_ok=True)
            put(run, {str(PurePosixPath(below, name)): found for name, found in files.items()})
        about = {a.file: a.about for a in every_analysis()}
        tell(f"\nWritten to {folder}:")
        tell(*(f"  {name}.parquet  {about[name]}" for name in tables))
