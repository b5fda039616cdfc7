"""Tables in the columns of Apache: parquet and Arrow, with the names of classes that they keep.

``datasets`` writes its features as JSON in the metadata of both, by the key ``huggingface``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weak2strong.ground.errors import UserError
from weak2strong.tasks.opening import unreadable
from weak2strong.tasks.tables import MESSAGES, Table

if TYPE_CHECKING:
    import pyarrow as pa

Check = Callable[[Sequence[str]], list[str]]
"""Gives the columns that are wanted, from those that are present; refuses a file that lacks one."""

_KEY = b"huggingface"


def read_parquet(file: str, content: bytes, check: Check | None = None) -> Table:
    """The table in a parquet file.

    Args:
        file: its name.
        content: of the file.
        check: gives the columns whose values are wanted, from those that are present; None for all.

    Raises:
        UserError: where the file is something else.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        whole = parquet.ParquetFile(pa.BufferReader(content))
        schema = whole.schema_arrow
        wanted = _wanted(file, schema, check)
        table = whole.read(columns=wanted).select(wanted)
        # Texts that are no UTF-8, and lengths beyond the end.
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as e:
        raise unreadable(file, "a parquet file", e) from e
    return _table(file, schema, table, "parquet")


def read_arrow(file: str, content: bytes, check: Check | None = None) -> Table:
    """The table in a file of Arrow, as a stream (by ``datasets``) or as a file (Feather).

    Raises:
        UserError: where the file is something else.
    """
    import pyarrow as pa

    source = pa.BufferReader(content)
    try:
        is_file = content.startswith(b"ARROW1")
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        table = reader.read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as e:
        raise unreadable(file, "a file of Arrow", e) from e
    wanted = _wanted(file, table.schema, check)
    return _table(file, table.schema, table.select(wanted), "Arrow")


def _wanted(file: str, schema: pa.Schema, check: Check | None) -> list[str]:
    if len(set(schema.names)) < len(schema.names):
        raise UserError(f"{file} has two columns of one name: rename one of them.")
    return list(check(schema.names) if check else schema.names)


def _table(file: str, schema: pa.Schema, table: pa.Table, form: str) -> Table:
    names = table.schema.names
    columns = [_values(file, table.column(i)) for i in range(len(names))]
    rows = zip(*columns, strict=True)
    return Table(
        file,
        {field.name: _kind(field.type) for field in schema},
        [(n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows, start=1)],
        classes=class_names(_features(schema.metadata or {})),
        form=form,
    )


def _values(file: str, column: pa.ChunkedArray) -> list[Any]:
    import pyarrow as pa

    try:
        if pa.types.is_timestamp(column.type):
            # Python's times end at microseconds.
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        return column.to_pylist()
    except (pa.ArrowException, ValueError) as e:
        raise unreadable(file, "a whole file whose values Python knows", e) from e


def _features(metadata: Mapping[bytes, bytes]) -> Any:
    try:
        return json.loads(metadata.get(_KEY, b"{}"))["info"]["features"]
    except (ValueError, LookupError, TypeError):
        return {}


def class_names(features: Any) -> dict[str, tuple[str, ...]]:
    """The names of classes by column, in features as ``datasets`` writes them in JSON."""
    if not isinstance(features, Mapping):
        return {}
    return {
        column: tuple(map(str, feature["names"]))
        for column, feature in features.items()
        if isinstance(feature, Mapping)
        and feature.get("_type") == "ClassLabel"
        and isinstance(feature.get("names"), list)
    }


def _kind(kind: pa.DataType) -> str:
    """What values of a type are, in the words of `Table`."""
    import pyarrow.types as t

    if t.is_dictionary(kind):
        return _kind(kind.value_type)
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind):
        return "text"
    if t.is_boolean(kind):
        return "truth"
    if t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind):
        return "number"
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        inner = kind.value_type
        if t.is_struct(inner):
            fields = {inner.field(i).name for i in range(inner.num_fields)}
            return "messages" if any(m <= fields for m in MESSAGES) else "list"
        return "texts" if _kind(inner) == "text" else "list"
    if t.is_struct(kind) or t.is_map(kind):
        return "object"
    return "empty" if t.is_null(kind) else "other"
