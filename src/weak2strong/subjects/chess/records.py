"""The rows of a file of puzzles, in the forms in which Lichess and the hub publish them.

A ``.csv`` has a header, or none as before 2022. The hub has parquet, with lists of themes, and the
id of a game where the ``.csv`` has its address:
https://huggingface.co/datasets/Lichess/chess-puzzles
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.lines import numbered_lines
from weak2strong.tasks.opening import ending, open_file, packing, unreadable

FIELDS = ("PuzzleId", "FEN", "Moves", "Rating", "Popularity", "Themes", "GameUrl")
"""The columns that are read; a file may have others."""

POPULARITY, ADDRESS, GAME = "Popularity", "GameUrl", "GameId"
"""The column that may be missing, and that of the game, which has one of two names."""

BARE = (*FIELDS[:4], "RatingDeviation", "Popularity", "NbPlays", "Themes", "GameUrl", "OpeningTags")
"""The columns of a file without a header, in order; the last may be missing."""

_FEN = re.compile(r"[1-8kqrbnpKQRBNP]+(/[1-8kqrbnpKQRBNP]+){7} [wb] .*")

Found = dict[str, str] | str
"""The fields of a row by column, or what is wrong with the row."""


@dataclass(frozen=True)
class Records:
    """The rows of a file.

    Attributes:
        columns: that the file has, of those that are read.
        noun: what the numbers count: lines, or rows of a file without lines.
        rows: each with its number.
    """

    columns: tuple[str, ...]
    noun: str
    rows: Iterator[tuple[int, Found]]


def read_records(path: Path) -> Records:
    """The rows of a file of puzzles, ``.csv`` (packed or not) or ``.parquet``.

    The file may be larger than memory.

    Raises:
        UserError: for a file that cannot be read, or that lacks a column.
    """
    return _parquet(path) if ending(path) == ".parquet" and not packing(path) else _csv(path)


def _csv(path: Path) -> Records:
    lines = numbered_lines(path)
    number, first = next(lines, (1, ""))
    header = next(csv.reader([first]), [])
    bare = len(header) in (len(BARE) - 1, len(BARE)) and bool(_FEN.fullmatch(header[1]))
    names = BARE[: len(header)] if bare else header
    columns = _checked(path, names, "in its first line")

    def rows() -> Iterator[tuple[int, Found]]:
        if bare:
            yield number, _fields(first, names)
        for line, text in lines:
            if text.strip():
                yield line, _fields(text, names)

    return Records(columns, "line", rows())


def _fields(text: str, names: Sequence[str]) -> Found:
    # One line at a time, so that a stray quotation mark spoils no other row.
    values = next(csv.reader([text]))
    if len(values) != len(names):
        return f"{len(values)} fields and not {len(names)}"
    return {name: value.strip() for name, value in zip(names, values, strict=True)}


def _parquet(path: Path) -> Records:
    import pyarrow as pa
    from pyarrow import parquet

    file = open_file(path)
    try:
        table = parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as e:
        file.close()
        raise unreadable(str(path), "a parquet file", e) from e
    columns = _checked(path, table.schema_arrow.names, "among its columns")

    def rows() -> Iterator[tuple[int, Found]]:
        number = 0
        with file:
            try:
                for batch in table.iter_batches(columns=list(columns)):
                    for row in batch.to_pylist():
                        number += 1
                        yield number, {name: _text(value) for name, value in row.items()}
            except (pa.ArrowException, OSError) as e:
                raise unreadable(str(path), "a parquet file", e) from e

    return Records(columns, "row", rows())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value).strip()


def _checked(path: Path, names: Sequence[str], where: str) -> tuple[str, ...]:
    """The columns that are read, of those that a file has.

    Raises:
        UserError: where one is missing that must be there.
    """
    free = {POPULARITY, ADDRESS} if GAME in names else {POPULARITY}
    for field in FIELDS:
        if field not in names and field not in free:
            raise UserError(
                f"{path} has no column {field} {where}: take the file of puzzles as "
                f"Lichess publishes it, with {', '.join(FIELDS)}."
            )
    return tuple(name for name in (*FIELDS, GAME) if name in names)
