"""From the content of a file to its table, by the ending of its name."""

from __future__ import annotations

from weak2strong.ground.errors import UserError
from weak2strong.tasks.columnar import Check, read_arrow, read_parquet
from weak2strong.tasks.objects import read_objects
from weak2strong.tasks.opening import USUAL, Reading, ending, unpacked
from weak2strong.tasks.separated import read_separated
from weak2strong.tasks.tables import Table

ENDINGS = (".jsonl", ".csv", ".parquet", ".json", ".tsv", ".arrow", ".feather", ".ndjson")
"""Endings of files that are read, with or without that of a packed file behind them."""


def read_table(
    file: str, content: bytes, reading: Reading = USUAL, check: Check | None = None
) -> Table:
    """The table in one file.

    Args:
        file: its name; the ending says how to read it.
        content: what is in it, packed as it is.
        reading: encoding, and how much may be unpacked.
        check: gives the columns whose values are wanted, from those that are present. It is asked
            only where a format keeps its columns apart; the rows have all columns in others.

    Raises:
        UserError: for an unknown ending, or a file that cannot be read as what its name says.
    """
    kind = ending(file)
    if kind not in ENDINGS:
        raise UserError(
            f"Data file {file} must end in {', '.join(ENDINGS)}, or be packed, such as .csv.gz: "
            "convert or rename it."
        )
    content = unpacked(file, content, reading.unpacked)
    if not content or content.isspace():
        return Table(file, {}, [])
    if kind in (".parquet", ".arrow", ".feather"):
        return (read_parquet if kind == ".parquet" else read_arrow)(file, content, check)
    if kind in (".csv", ".tsv"):
        return read_separated(file, content, reading, tabs=kind == ".tsv")
    return read_objects(file, content, reading, lines=kind != ".json")
