"""Which columns a table has, and which keys a JSON file: what a reader goes by, and no more."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from weak2strong.ground.form import Form, misfit
from weak2strong.ground.store.sealed import DamageError

if TYPE_CHECKING:
    import polars as pl

Columns = Mapping[str, str]
"""The kind of each column: ``text``, ``whole`` (numbers), ``number``, ``flag``, ``texts`` and
``numbers`` (a list a row), or ``any``. A column without any value is of every kind."""


def columns(**kinds: str) -> Columns:
    """Columns by their kinds: ``columns(text="task method", whole="seed")``."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


def _kinds() -> Mapping[str, Callable[[pl.DataType], bool]]:
    import polars as pl

    def inner(kind: pl.DataType) -> pl.DataType:
        return kind.inner if isinstance(kind, (pl.List, pl.Array)) else kind  # pyright: ignore

    def listed(kind: pl.DataType) -> bool:
        return isinstance(kind, (pl.List, pl.Array))

    return {
        "text": lambda kind: kind == pl.String,
        "whole": lambda kind: kind.is_integer(),
        "number": lambda kind: kind.is_numeric(),
        "flag": lambda kind: kind == pl.Boolean,
        "texts": lambda kind: listed(kind) and inner(kind) == pl.String,
        "numbers": lambda kind: listed(kind) and inner(kind).is_numeric(),
        "any": lambda kind: True,
    }


def read_table(
    name: str, content: bytes, columns: Columns, optional: Columns | None = None
) -> pl.DataFrame:
    """The table in a parquet file.

    Args:
        name: of the file, for the error.
        content: of the file.
        columns: that it must have.
        optional: columns that it may lack.

    Raises:
        DamageError: where it is no such table.
    """
    import polars as pl

    try:
        # A page that was changed can end in a panic of the reader, which is no Exception.
        table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as e:
        raise DamageError(f"{name} is no parquet file, or a part of one") from e
    kinds = _kinds()
    for column, kind in {**(optional or {}), **columns}.items():
        found = table.schema.get(column)
        if found is None:
            if column in columns:
                raise DamageError(f"{name} has no column {column!r}")
        elif found != pl.Null and not kinds[kind](found):
            raise DamageError(f"{name} has other values in column {column!r} than were written")
    return table


def read_json(name: str, content: bytes, form: Form) -> Any:
    """What a JSON file holds.

    Args:
        name: of the file, for the error.
        content: of the file.
        form: that it must have.

    Raises:
        DamageError: where it has another.
    """
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as e:
        raise DamageError(f"{name} is not valid JSON") from e
    if said := misfit(value, form, "it"):
        raise DamageError(f"{name} is not what was written: {said}")
    return value
