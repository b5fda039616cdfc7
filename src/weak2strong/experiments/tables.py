"""Tables of experiments: their files, and whether they tell of the runs beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.engine.record import parquet
from weak2strong.engine.recorded import PREDICTIONS, RESULTS, STUDY
from weak2strong.engine.run import put_results
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles

if TYPE_CHECKING:
    import polars as pl


TOLD = (STUDY, PREDICTIONS)
"""The files of a run that the tables of an experiment are made of."""


Rows = Sequence[Mapping[str, Any]]


def write_tables(
    folder: Path,
    tables: Mapping[str, pl.DataFrame | Rows],
    command: str | None = None,
    runs: Sequence[FinishedRun] = (),
) -> None:
    """Put the tables of an experiment into its folder together.

    Args:
        folder: of the experiment.
        tables: by the name of the file, which ends in ``.parquet`` or ``.csv``.
        command: the name of the experiment, for the index of a folder that has none yet.
        runs: in folders of this one, that the tables tell of.

    Raises:
        UserError: where they cannot be written.
    """
    files = {name: table_file(name, table) for name, table in tables.items()}
    beside = {
        f"{run.folder.name}/{name}": run.files.fingerprint(name) for run in runs for name in TOLD
    }
    put_results(folder, files, command, beside)


def table_file(name: str, table: pl.DataFrame | Rows) -> bytes:
    """The content of a file with a table, as parquet or CSV by the end of the name."""
    import polars as pl

    if not isinstance(table, pl.DataFrame):
        table = pl.DataFrame(table, infer_schema_length=None)
    return table.write_csv().encode() if name.endswith(".csv") else parquet(table)


def check_told(files: FolderFiles, run: FinishedRun) -> None:
    """Refuse a run that is not the one of which the tables of its experiment tell.

    Args:
        files: of the experiment.
        run: in a folder of that of the experiment.

    Raises:
        UserError: for another run, as far as the folder has an index.
    """
    told = files.index.files if files.index else {}
    for name in TOLD:
        expected = told.get(f"{run.folder.name}/{name}")
        if expected and run.files.fingerprint(name) != expected:
            raise UserError(
                f"The table of {files.folder} tells of another run than that in {run.folder} "
                f"({name} differs): run the same command again with --out {files.folder}."
            )


def incomplete(folder: Path, run: str) -> UserError:
    """The refusal of a folder whose table tells of a run that is not in it."""
    return UserError(
        f"{folder} lacks the run {run}, of which its table tells (there is no {RESULTS} of it): "
        "copy the folder as a whole, or run the same command again."
    )
