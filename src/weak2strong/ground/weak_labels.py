"""A user's own weak labels: a file with an id and a class, or probabilities, in each row.

Whatever is wrong with a row is told with its number, counted from 1, without the header.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np

from weak2strong.ground.errors import UserError, first_line
from weak2strong.ground.predictions import WRITTEN, Predictions, texts
from weak2strong.ground.regular import check_regular

Rows = Iterable[tuple[int, Mapping[str, Any]]]

SUM = 1e-3
"""How far from 1 the probabilities of an id may add up to; they are rounded numbers."""


class _WrongError(ValueError):
    """What is wrong with a file or a row, without the name of the file."""


def read_weak_labels(path: Path, classes: int, kind: str = "classification") -> Predictions:
    """A user's own weak labels from a ``.csv``, ``.jsonl`` or ``.parquet`` file.

    The file has a column ``id`` and either ``probabilities`` (a list with one
    number a class), or ``probability`` (of class 1, for two classes), or
    ``label`` (a class index). For the kinds in `WRITTEN` it has ``answer`` (text) instead.

    Args:
        path: of the file.
        classes: how many the task has.
        kind: of the task.

    Raises:
        UserError: for a file that cannot be read, lacks these columns, repeats
            an id or holds numbers that are no probabilities; it names the row.
    """
    with _telling(path):
        columns, rows = _opened(path)
        value = _reader(columns, classes, kind)
        ids, found = dict[str, int](), list[Any]()
        for number, row in rows:
            try:
                id = _id(row["id"])
                if ids.setdefault(id, number) != number:
                    raise _WrongError(
                        f"the id {id!r} is that of row {ids[id]:,}, and an id occurs no more than "
                        "once"
                    )
                found.append(value(row))
            except _WrongError as e:
                raise _WrongError(f"row {number:,}: {e}") from e
        if not found:
            raise _WrongError("there are no rows")
    if kind in WRITTEN:
        return Predictions(tuple(ids), texts(found), kind)
    values = np.array(found, dtype=np.float64)
    return Predictions(tuple(ids), values / values.sum(1, keepdims=True), kind)


def _opened(path: Path) -> tuple[list[str], Rows]:
    """The columns and rows of a file, by its ending."""
    if path.suffix not in READERS:
        raise _WrongError(f"the file must end in {', '.join(READERS)}")
    check_regular(path, f"Weak labels {path}")
    return READERS[path.suffix](path)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Inside, a file is read: what is wrong with it is a sentence with its name."""
    about = f"Weak labels {path}"
    try:
        yield
    except OSError as e:
        reason = e.strerror or first_line(e)
        raise UserError(f"{about} cannot be read: {reason.rstrip('.')}.") from e
    except _WrongError as e:
        raise UserError(f"{about}{',' if str(e).startswith('row ') else ':'} {e}.") from e


def check_weak_labels(path: Path, kinds: Sequence[str]) -> None:
    """Refuse a file without the columns of weak labels, where the task is not known yet.

    Args:
        path: of the file.
        kinds: that the task may be of.

    Raises:
        UserError: as `read_weak_labels`, for a file that no task of these kinds could take.
    """
    with _telling(path):
        columns, _ = _opened(path)
        faults = list[_WrongError]()
        for kind in kinds:
            try:
                # Only for two classes all three columns will do.
                _reader(columns, 2, kind)
                return
            except _WrongError as e:
                faults.append(e)
        raise faults[0]


def _csv(path: Path) -> tuple[list[str], Rows]:
    """The columns and rows of a table in text; what is empty is None."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except UnicodeDecodeError as e:
        raise _WrongError("the file is no text in UTF-8") from e
    except csv.Error as e:
        raise _WrongError(f"the file is no CSV ({e})") from e
    lines = [line for line in lines if line]
    header = [name.strip() for name in lines[0]] if lines else []
    return header, _by_name(header, lines[1:])


def _by_name(header: list[str], lines: list[list[str]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise _WrongError(f"row {number:,} has {len(line)} fields and not {len(header)}")
        yield number, {name: text or None for name, text in zip(header, line, strict=True)}


def _jsonl(path: Path) -> tuple[list[str], Rows]:
    """The columns and rows of lines of JSON."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as e:
        raise _WrongError("the file is no text in UTF-8") from e
    found = list[tuple[int, Mapping[str, Any]]]()
    for line in filter(str.strip, lines):
        number = len(found) + 1
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as e:
            raise _WrongError(f"row {number:,} is no JSON") from e
        if not isinstance(row, dict):
            raise _WrongError(f"row {number:,} is no JSON object")
        found.append((number, row))
    columns = list(dict.fromkeys(name for _, row in found for name in row))
    empty = dict.fromkeys(columns)
    return columns, [(number, {**empty, **row}) for number, row in found]


def _parquet(path: Path) -> tuple[list[str], Rows]:
    """The columns and rows of a parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    content = path.read_bytes()
    try:
        table = parquet.ParquetFile(pa.BufferReader(content)).read()
        # Texts that are no UTF-8, and lengths beyond the end.
        table.validate(full=True)
        return table.column_names, enumerate(table.to_pylist(), start=1)
    except (pa.ArrowException, OSError, ValueError) as e:
        raise _WrongError(f"the file is no whole parquet file ({first_line(e).rstrip('.')})") from e


READERS: dict[str, Callable[[Path], tuple[list[str], Rows]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
"""What reads a file, by its ending."""


def _reader(columns: list[str], classes: int, kind: str) -> Callable[[Mapping[str, Any]], Any]:
    """What reads the value of a row, by the column that holds it."""
    if "id" not in columns:
        raise _WrongError("there is no column 'id'")
    if kind in WRITTEN:
        if "answer" not in columns:
            raise _WrongError("there is no column 'answer'")
        return lambda row: _answer(row["answer"])
    if "probabilities" in columns:
        return lambda row: _probabilities(row["probabilities"], classes)
    if "probability" in columns:
        if classes != 2:
            raise _WrongError(f"'probability' is for two classes, the task has {classes}")
        return lambda row: _probability(row["probability"])
    if "label" in columns:
        return lambda row: _class(row["label"], classes)
    raise _WrongError("there is no column 'probabilities', 'probability' or 'label'")


def _id(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise _WrongError(f"{_shown(value)} is no id")
    return str(value)


def _answer(value: Any) -> str:
    """A text; nothing is the empty text, as models may write it."""
    if value is not None and not isinstance(value, str):
        raise _WrongError(f"answer {_shown(value)} is no text")
    return value or ""


def _probabilities(values: Any, classes: int) -> list[float]:
    if not isinstance(values, list) or len(values) != classes:
        raise _WrongError(
            f"'probabilities' must hold {classes} numbers in every row, and there it is "
            f"{_shown(values)}"
        )
    found = [_number(value) for value in values]
    whole = math.fsum(found)
    if abs(whole - 1) > SUM:
        raise _WrongError(f"the probabilities of an id must add up to 1, not to {whole:.4g}")
    return found


def _probability(value: Any) -> list[float]:
    one = _number(value)
    return [1 - one, one]


def _number(value: Any) -> float:
    """A probability, which a format without types has as text."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not 0 <= found <= 1:
        raise _WrongError(
            f"probabilities must be numbers from 0 to 1, and there is {_shown(value)}"
        )
    return found


def _class(value: Any, classes: int) -> list[float]:
    """The whole probability on one class."""
    try:
        index = float(value) if not isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        index = -1
    if index not in range(classes):
        raise _WrongError(f"label {_shown(value)} is no class index from 0 to {classes - 1}")
    return [float(i == index) for i in range(classes)]


def _shown(value: Any) -> str:
    return "nothing" if value is None else shortened(value)
