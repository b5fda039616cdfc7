"""Tables written as JSON: an object a line, one list of objects, or one object of columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.watched import watched
from weak2strong.tasks.encodings import encoding_of, shown, text_of
from weak2strong.tasks.opening import Reading
from weak2strong.tasks.tables import Table, kinds_of

NO_OBJECT = "is no JSON object"

Found = tuple[Any, str | None]
"""A value, and what is wrong with it, if anything is."""


class _TwiceError(ValueError):
    """A key that stands twice in an object, of which a parser would keep the last value."""


def read_objects(file: str, content: bytes, reading: Reading, lines: bool) -> Table:
    """The table in a file of JSON.

    Args:
        file: its name.
        content: of the file.
        reading: the encoding of its text.
        lines: whether the name of the file says that an object stands on every line; if not, the
            file may be one object that holds all rows.

    Raises:
        UserError: for a file that is not in its encoding, or whose one list or object is broken.
    """
    encoding = encoding_of(file, content, reading)
    with text_of(file, content, encoding, "\n") as text:
        first = next((line for line in text if line.strip()), "").lstrip()
    if first.startswith("[") and not _is_list(first):
        values = _whole(file, content, encoding)
        return _table(file, values, f"one list in JSON, {shown(encoding)}")
    if not lines and (whole := _one_object(file, content, encoding)) is not None:
        values = [(row, None) for row in _rows_of(file, whole)]
        return _table(file, values, f"one object in JSON, {shown(encoding)}")
    with text_of(file, content, encoding, "\n") as text:
        lines_read = watched(text, f"reading {file}", content.count(b"\n"))
        return _table(file, _of_lines(lines_read), f"lines of JSON, {shown(encoding)}")


def _table(file: str, values: Iterable[Found], form: str) -> Table:
    """The table of some values."""
    rows, malformed, names = [], [], {}
    for number, (value, wrong) in enumerate(values, start=1):
        if wrong is None and not isinstance(value, dict):
            wrong = NO_OBJECT
        if wrong is not None:
            malformed.append((number, wrong))
            continue
        rows.append((number, value))
        names.update(dict.fromkeys(value))
    return Table(file, kinds_of(names, rows), rows, malformed=malformed, form=form)


def _of_lines(text: Iterable[str]) -> Iterable[Found]:
    for line in text:
        if line.strip():
            try:
                yield _DECODER.decode(line), None
            except _TwiceError as e:
                yield None, str(e)
            except (ValueError, RecursionError) as e:
                yield None, f"is no JSON ({_reason(e)})"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON.

    Raises:
        _TwiceError: where a key stands twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _TwiceError(f"has the key {twice!r} twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
"""One for all lines, which takes a fifth less time than one a line."""


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _is_list(line: str) -> bool:
    """Whether a line is a list by itself, so that a file of lines holds what is no object."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and not any(isinstance(part, dict) for part in found)


def _whole(file: str, content: bytes, encoding: str) -> Sequence[Found]:
    """The values of a file that is one list."""
    with text_of(file, content, encoding, "\n") as stream:
        text = stream.read()
    try:
        return [(value, None) for value in json.loads(text, object_pairs_hook=_object)]
    except _TwiceError:
        return list(_one_by_one(file, text))
    except (ValueError, RecursionError) as e:
        raise _broken(file, text, e) from e


def _one_by_one(file: str, text: str) -> Iterator[Found]:
    """The values of a list, in some of which a key stands twice.

    Raises:
        UserError: where the list is broken.
    """
    try:
        count = len(json.loads(text))
    except (ValueError, RecursionError) as e:
        raise _broken(file, text, e) from e
    for part in islice(_parts(text), count):
        try:
            yield json.loads(part, object_pairs_hook=_object), None
        except _TwiceError as e:
            yield None, str(e)


def _broken(file: str, text: str, error: Exception) -> UserError:
    """The error of a list whose JSON is broken, which names the first broken value."""
    number = 1
    try:
        for _ in _parts(text):
            number += 1
    except (ValueError, RecursionError):
        pass
    return UserError(
        f"{file}, row {number:,} is no JSON ({_reason(error)}): mend it, or write one object a "
        "line and call the file .jsonl."
    )


def _parts(text: str) -> Iterator[str]:
    """The values of a list, as they are written; ends in a ValueError where no value follows."""
    decoder, place = json.JSONDecoder(), text.index("[") + 1
    while True:
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        _, end = decoder.raw_decode(text, place)
        yield text[place:end]
        place = end


def _one_object(file: str, content: bytes, encoding: str) -> dict[str, Any] | None:
    """The object that a file is; None if it is something else, or one row.

    Raises:
        UserError: where a key stands twice in the object.
    """
    try:
        text = content.decode(encoding)
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not any(isinstance(v, (list, dict)) for v in found.values()):
        return None
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _TwiceError as e:
        raise UserError(f"{file} {e}: keep one of the two.") from e


def _rows_of(file: str, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an object that holds all of them: in one list, or by column."""
    lists = {name: v for name, v in whole.items() if isinstance(v, list)}
    of_rows = [v for v in lists.values() if v and all(isinstance(row, dict) for row in v)]
    if len(of_rows) == 1:
        return of_rows[0]
    if (names := lists.get("columns")) and _are_rows(lists.get("data"), len(names)):
        # As pandas writes a frame with orient="split".
        return [dict(zip(names, row, strict=True)) for row in lists["data"]]
    if len(lists) == len(whole) and len({len(v) for v in lists.values()}) == 1:
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    objects = {name: v for name, v in whole.items() if isinstance(v, dict)}
    if len(objects) == len(whole):
        keys = dict.fromkeys(key for column in objects.values() for key in column)
        # As pandas writes columns: of each an object by the number of the row.
        if all(map(str.isdecimal, keys)):
            return [{name: v.get(key) for name, v in objects.items()} for key in keys]
        return list(objects.values())
    raise UserError(
        f"{file} is one object in JSON, and neither columns of one length nor one list of rows: "
        "write a list of rows, or one object a line."
    )


def _are_rows(found: list[Any] | None, count: int) -> bool:
    """Whether a list holds rows as lists of so many values."""
    return bool(found) and all(isinstance(row, list) and len(row) == count for row in found or ())
