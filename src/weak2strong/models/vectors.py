"""A file of vectors by id: what a frozen model, whichever it was, has made of each item.

Files are ``.safetensors``, ``.npy`` and ``.parquet``. The first two are mapped into memory, and
rows are read when they are used; a table of parquet is read as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import MAGIC_PREFIX

from weak2strong.config.model import ModelSpec
from weak2strong.ground.activations import Activations
from weak2strong.ground.errors import UserError, first_line
from weak2strong.ground.store import digest, file_fingerprint

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}
"""Types of numbers in safetensors, as NumPy calls them; it has no bfloat16."""

CHECKED = 2**14
"""Rows that are looked at together."""


@dataclass(frozen=True)
class Vectors:
    """Vectors by id.

    Attributes:
        path: of the file.
        ids: of the rows, in their order.
        values: (n, width), of any type of numbers; mapped where the file can be.
        is_bfloat16: whether ``values`` are the bits of bfloat16.
    """

    path: Path
    ids: tuple[str, ...]
    values: np.ndarray
    is_bfloat16: bool = False

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self.values.shape[1]

    @cached_property
    def _row_of(self) -> Mapping[str, int]:
        return {id: row for row, id in enumerate(self.ids)}

    def rows_of(self, ids: Sequence[str]) -> np.ndarray:
        """The rows of some ids, (n,).

        Raises:
            UserError: where the file has no vector of an id.
        """
        found = np.fromiter((self._row_of.get(id, -1) for id in ids), np.int64, len(ids))
        if missing := np.flatnonzero(found < 0).tolist():
            others = f" and {len(missing) - 1:,} others" if len(missing) > 1 else ""
            raise UserError(
                f"{self.path} has no vector of id {ids[missing[0]]!r}{others}: write one vector "
                "for each id of the labels."
            )
        return found

    def at(self, rows: np.ndarray) -> np.ndarray:
        """A copy of some rows, (n, width) float32."""
        values = self.values[rows]
        if self.is_bfloat16:
            return (values.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):
            # What is too large becomes infinite, which `check` refuses.
            return values.astype(np.float32, copy=False)

    def check(self, ids: Sequence[str]) -> None:
        """Refuse vectors that have numbers which are not finite.

        Args:
            ids: those that are used.

        Raises:
            UserError: for the first such vector, and where an id has none.
        """
        rows = np.sort(self.rows_of(ids))
        for start in range(0, len(rows), CHECKED):
            part = rows[start : start + CHECKED]
            finite = np.isfinite(self.at(part)).all(axis=1)
            if not finite.all():
                raise UserError(
                    f"{self.path}: the vector of id {self.ids[part[~finite][0]]!r} has numbers "
                    "that are not finite in float32 (NaN or infinite): write numbers in their "
                    "place, or leave the id out of the labels."
                )

    def activations(self, ids: Sequence[str]) -> Activations:
        """The vectors of some ids, which are read when they are used."""
        return _Read(tuple(ids), self)


class _Read(Activations):
    """Activations that stay in their file until they are used."""

    def __init__(self, ids: tuple[str, ...], of: Vectors):
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "_of", of)

    @property
    def values(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleVariableOverride]
        """All rows, copied, (n, width) float32."""
        return self.at(self.ids)

    def at(self, ids: Sequence[str]) -> np.ndarray:
        """A copy of the rows for these ids, in their order, (n, width) float32."""
        of: Vectors = self._of  # pyright: ignore[reportAttributeAccessIssue]
        return of.at(of.rows_of(ids))


def vectors_of(spec: ModelSpec) -> Vectors:
    """The vectors of a model that is a file of them.

    Raises:
        UserError: where the file is missing or damaged, or is no table of vectors by id.
    """
    path = Path(spec.name).expanduser()
    return _read(path, stamps(path))


def fingerprint_of(spec: ModelSpec) -> str:
    """What identifies the vectors of a model: a hash of the file, and of the ids beside it.

    Raises:
        UserError: where the file is missing or cannot be read.
    """
    path = Path(spec.name).expanduser()
    return _fingerprint(path, stamps(path))


@lru_cache(maxsize=32)
def _fingerprint(path: Path, stamp: tuple) -> str:
    """Hashed anew only where sizes or times (the stamp) say that a file may have changed."""
    beside = _ids_beside(path)
    # Of the file beside it the ids alone count: labels stand there, too.
    ids = digest(list(_read_ids(beside))) if beside and not _has_ids(path) else None
    return digest({"vectors": file_fingerprint(path), "ids": ids})


def stamps(path: Path) -> tuple:
    """Sizes and times of a file of vectors and of the ids beside it."""
    files = [file for file in (path, _ids_beside(path)) if file]
    return tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files)


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple) -> Vectors:
    try:
        found = _READERS[path.suffix](path)
    except UserError:
        raise
    # Whatever a library says of a damaged file is the file's.
    except Exception as e:
        raise UserError(
            f"{path} cannot be read as a {path.suffix} file of features "
            f"({type(e).__name__}: {first_line(e)}): write it once more."
        ) from e
    _check(found)
    return found


def _check(vectors: Vectors) -> None:
    """Refuse what is no table of vectors by id.

    Raises:
        UserError: for such a file.
    """
    path, values, ids = vectors.path, vectors.values, vectors.ids
    if values.dtype.kind not in "fiu":
        raise UserError(
            f"{path} holds values of type {values.dtype}, and features are real numbers: write "
            "them as float32."
        )
    if values.ndim != 2 or 0 in values.shape:
        raise UserError(
            f"{path} holds an array of shape {tuple(values.shape)}, and features are one vector "
            "for each id: write an array of two dimensions, (ids, width)."
        )
    if len(ids) != len(values):
        raise UserError(
            f"{path} has {len(values):,} vectors and {len(ids):,} ids"
            f"{_whose(path)}: write as many of both, in the same order."
        )
    if len(set(ids)) < len(ids):
        seen = set[str]()
        repeated = next(id for id in ids if id in seen or seen.add(id))
        raise UserError(f"{path} has id {repeated!r} more than once: keep one vector of it.")


def _whose(path: Path) -> str:
    """Where ids come from, for an error."""
    beside = None if _has_ids(path) else _ids_beside(path)
    return f" (in {beside})" if beside else ""


def _ids_beside(path: Path) -> Path | None:
    """The file beside it that has the ids of the rows, in their order, where there is one."""
    names = (f"{path.stem}.ids.csv", "ids.csv", "labels.csv")
    return next((f for name in names if (f := path.with_name(name)).is_file()), None)


def _has_ids(path: Path) -> bool:
    """Whether the file has the ids of its rows itself."""
    if path.suffix == ".safetensors":
        return "ids" in _header(path)[0]
    return path.suffix == ".parquet"


def _read_ids(path: Path) -> tuple[str, ...]:
    """The ids in a file: of its column ``id``, or of the only one.

    Raises:
        UserError: where it has no such column.
    """
    import polars as pl

    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = file.readline()
        # Labels are read whichever of these stands between their columns.
        separator = max(",;\t", key=first.count)
        table = pl.read_csv(path, infer_schema=False, separator=separator)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(f"{path} cannot be read as ids ({first_line(e)}): write it as CSV.") from e
    name = "id" if "id" in table.columns or len(table.columns) != 1 else table.columns[0]
    if name not in table.columns:
        raise UserError(f"{path} has no column id: name the column with the ids so.")
    return tuple(table[name].fill_null("").str.strip_chars().to_list())


def _ids_of_rows(path: Path) -> tuple[str, ...]:
    """The ids beside a file that has none itself.

    Raises:
        UserError: where there are none.
    """
    beside = _ids_beside(path)
    if beside is None:
        raise UserError(
            f"{path} does not say whose vectors it has: write {path.stem}.ids.csv beside it, with "
            "a column id, in the order of the vectors."
        )
    return _read_ids(beside)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a file of safetensors, and where its numbers begin.

    Raises:
        UserError: where the file is damaged, or no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        # The library looks at the whole header, and at whether all of the numbers are there.
        with safe_open(path, "numpy"):
            pass
    except (OSError, SafetensorError) as e:
        raise UserError(
            f"{path} is no file of safetensors, or a part of one ({first_line(e)}): write it once "
            "more."
        ) from e
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)), 8 + length


def _of_safetensors(path: Path) -> Vectors:
    """The only tensor of two dimensions, mapped; ids are a tensor ``ids``, or stand beside."""
    header, begin = _header(path)
    tensors = {name: about for name, about in header.items() if name != "__metadata__"}
    found = [name for name, about in tensors.items() if len(about["shape"]) == 2]
    name = "features" if "features" in found else found[0] if len(found) == 1 else None
    if name is None:
        listed = ", ".join(f"{name} {tuple(about['shape'])}" for name, about in tensors.items())
        raise UserError(
            f"{path} has the tensors {listed or '(none)'}: write one tensor called features, of "
            "shape (ids, width)."
        )

    def mapped(about: Mapping[str, Any]) -> np.ndarray:
        start, end = (begin + offset for offset in about["data_offsets"])
        kind = DTYPES.get(about["dtype"])
        if kind is None:
            raise UserError(
                f"{path} holds numbers of type {about['dtype']}, which are not read: write them "
                "as F32."
            )
        return np.memmap(path, mode="r")[start:end].view(kind).reshape(about["shape"])

    ids = _ids_of_rows(path) if "ids" not in tensors else _names(mapped(tensors["ids"]))
    return Vectors(path, ids, mapped(tensors[name]), tensors[name]["dtype"] == "BF16")


def _names(ids: np.ndarray) -> tuple[str, ...]:
    """Ids that are whole numbers, as text."""
    return tuple(map(str, ids.reshape(-1).tolist()))


def _of_npy(path: Path) -> Vectors:
    """An array, mapped; the ids stand beside."""
    with path.open("rb") as file:
        if file.read(len(MAGIC_PREFIX)) != MAGIC_PREFIX:
            # NumPy would take it for a pickle, which nobody should open.
            raise UserError(
                f"{path} is no file of NumPy: write it with numpy.save, as an array of float32."
            )
    return Vectors(path, _ids_of_rows(path), np.load(path, mmap_mode="r", allow_pickle=False))


def _of_parquet(path: Path) -> Vectors:
    """A column ``id``, and one with lists of numbers or several with numbers."""
    import polars as pl

    table = pl.read_parquet(path)
    if "id" not in table.columns:
        raise UserError(f"{path} has no column id: name the column with the ids so.")
    ids = tuple(table["id"].cast(pl.String).fill_null("").to_list())
    rest = table.drop("id")
    nested = [name for name, kind in rest.schema.items() if kind.is_nested()]
    if nested and len(rest.columns) > 1:
        raise UserError(
            f"{path} has {len(rest.columns)} columns beside id, and {nested[0]} holds lists: "
            "write one column of lists, or several of numbers."
        )
    if not nested:
        wrong = [name for name, kind in rest.schema.items() if not kind.is_numeric()]
        if wrong or not rest.columns:
            what = f"column {wrong[0]} is none of numbers" if wrong else "there is no other column"
            raise UserError(f"{path}: beside id, {what}: write features as columns of numbers.")
        return Vectors(path, ids, rest.cast(pl.Float32).fill_null(float("nan")).to_numpy())
    column = rest[nested[0]]
    widths = column.arr.len() if isinstance(column.dtype, pl.Array) else column.list.len()
    if column.null_count():
        nobody = ids[column.is_null().arg_true()[0]]
        raise UserError(f"{path} has no vector of id {nobody!r}: write one, or leave the row out.")
    if widths.n_unique() > 1:
        raise UserError(
            f"{path} has vectors of different lengths ({widths.min()} to {widths.max()}): write as "
            "many numbers for each id."
        )
    width = int(widths[0]) if len(widths) else 0
    flat = column.explode().cast(pl.Float32).fill_null(float("nan")).to_numpy()
    return Vectors(path, ids, flat.reshape(len(ids), width))


_READERS: dict[str, Callable[[Path], Vectors]] = {
    ".safetensors": _of_safetensors,
    ".npy": _of_npy,
    ".parquet": _of_parquet,
}
"""How files are read, by their ending."""
