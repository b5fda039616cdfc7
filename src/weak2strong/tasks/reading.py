"""From the content of a file to its table, by the ending of its name."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath

from weak2strong.ground.errors import UserError
from weak2strong.tasks.columnar import Check, read_arrow, read_parquet
from weak2strong.tasks.layout import ABOUT, subset_and_split
from weak2strong.tasks.objects import read_objects
from weak2strong.tasks.opening import USUAL, ZIP, Reading, ending, packing, unpacked, unzipped
from weak2strong.tasks.readers import listed
from weak2strong.tasks.separated import read_separated
from weak2strong.tasks.tables import Table, joined

ENDINGS = (".jsonl", ".csv", ".parquet", ".json", ".tsv", ".arrow", ".feather", ".ndjson")
"""Endings of files that are read, with or without that of a packed file behind them."""


def names_data(file: str | PurePath) -> bool:
    """Whether a file with this name is read; what a file packed by zip holds, it tells itself."""
    return ending(file) in ENDINGS or (packing(file) == ZIP and not ending(file))


def read_table(
    file: str, content: bytes, reading: Reading = USUAL, check: Check | None = None
) -> Table:
    """The table in one file.

    Files that one is packed from by zip are parts of one table, whose rows are counted through in
    the order of their names.

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
    if not names_data(file):
        raise UserError(
            f"Data file {file} must end in {', '.join(ENDINGS)}, or be packed, such as .csv.gz: "
            "convert or rename it."
        )
    if packing(file) == ZIP:
        parts = _zipped(file, content, reading)
        return joined(file, [read_table(*part, reading, check) for part in parts])
    content = unpacked(file, content, reading.unpacked)
    if not content or content.isspace():
        return Table(file, {}, [])
    if kind in (".parquet", ".arrow", ".feather"):
        return (read_parquet if kind == ".parquet" else read_arrow)(file, content, check)
    if kind in (".csv", ".tsv"):
        return read_separated(file, content, reading, tabs=kind == ".tsv")
    return read_objects(file, content, reading, lines=kind != ".json")


def _zipped(file: str, content: bytes, reading: Reading) -> list[tuple[str, bytes]]:
    """The files of data that are packed in a file, by name.

    Raises:
        UserError: where there is none, or they are no parts of one table.
    """

    def wanted(name: str) -> bool:
        title = PurePosixPath(name).name
        return packing(name) != ZIP and names_data(name) and title not in ABOUT

    found = unzipped(file, content, reading.unpacked, wanted)
    if not found and ending(file):
        # As pandas packs a file without an ending.
        found = unzipped(file, content, reading.unpacked, lambda name: not PurePath(name).suffix)
        found = {f"{name}{ending(file)}": content for name, content in found.items()}
    if not found:
        raise UserError(
            f"{file} holds no file that ends in {', '.join(ENDINGS)}: zip one of these."
        )
    names = listed(tuple(found))
    if len({*map(ending, found)}) > 1:
        raise UserError(f"{file} holds several forms of data ({names}): unpack it, and name one.")
    if len({subset_and_split(name)[1] for name in found}) > 1:
        raise UserError(
            f"{file} holds several splits ({names}): unpack it into a folder, and name that."
        )
    return list(found.items())
