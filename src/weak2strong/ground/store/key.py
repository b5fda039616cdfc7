"""Names for results: the same work has the same key, any other work has another.

A key is the SHA-256 of canonical JSON, so that it depends on values only, not on
the order in which a dict was filled nor on the process. What has no one canonical
form (a set, a path, NaN, a NumPy scalar) is refused rather than guessed at.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from weak2strong.ground.errors import UserError


def canonical(value: Any) -> str:
    """The canonical JSON of a value: sorted keys, no whitespace, real characters, no escapes.

    Dataclasses become objects of their fields and tuples become lists. ``1``, ``1.0``
    and ``True`` stay apart.

    Raises:
        TypeError: for a type without a canonical form, saying where in the value it stands.
        ValueError: for NaN, an infinity, text that is not Unicode, or a value that holds itself.
    """
    try:
        plain = _plain(value, "the value")
    except RecursionError:
        raise ValueError("The value is nested too deep for a key, or holds itself.") from None
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """The SHA-256 of the canonical JSON of a value, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def stage_key(
    stage: str,
    *,
    fields: Mapping[str, Any],
    inputs: Mapping[str, str],
    code: str,
    runtime: Mapping[str, Any],
) -> str:
    """The key of one stage's result, 64 hexadecimal digits.

    Args:
        stage: the stage's name.
        fields: every setting that changes the result.
        inputs: role -> key of the result (or fingerprint of the file) that it starts from.
        code: the `code_fingerprint` of the source that computes it.
        runtime: versions, device type and thread count, since these change the numbers.
    """
    return digest(
        {"stage": stage, "fields": fields, "inputs": inputs, "code": code, "runtime": runtime}
    )


def file_fingerprint(path: Path) -> str:
    """The SHA-256 of a file's content, read piece by piece.

    Raises:
        UserError: if there is no such file, or it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(Path(path), error) from error


def folder_fingerprint(path: Path) -> str:
    """A hash of the names and contents of all regular files below a folder, hidden ones left out.

    A link to a file counts as the file (so lies a model in the Hugging Face cache).

    Raises:
        UserError: if it is no folder, cannot be read, or holds a link to another folder,
            whose files would otherwise go unseen.
    """
    path = Path(path)
    try:
        return digest({name: file_fingerprint(path / name) for name in _visible_files(path)})
    except OSError as error:
        raise _unreadable(path, error) from error


def code_fingerprint(root: Path, parts: Sequence[str]) -> str:
    """A hash of the Python source below ``root/part`` for each part, blind to what cannot matter.

    Public weak-to-strong code reuses stale results when its code changes, and a stage
    version kept by hand gets forgotten; so the hash of the code that makes a result is
    in every key. It is taken over the syntax tree without docstrings: comments,
    formatting and docstrings leave it as it is, and any change of code changes it (so
    may another Python version, whose trees differ). It is computed once a process,
    as the code of a process does not change either.

    Args:
        root: the folder that the parts, and the names of the files, are relative to.
        parts: files or folders below it; their order does not matter.

    Raises:
        ValueError: if a part holds no Python source, so that a renamed module is noticed.
    """
    return _code_fingerprint(Path(root).absolute(), tuple(parts))


@cache
def _code_fingerprint(root: Path, parts: tuple[str, ...]) -> str:
    sources: dict[str, str] = {}
    for part in parts:
        path = root / part
        if path.is_dir():
            files = [path / name for name in _visible_files(path) if name.endswith(".py")]
        else:
            files = [path] if path.suffix == ".py" and path.is_file() else []
        if not files:
            raise ValueError(f"There is no Python source at {path} to take a fingerprint of.")
        sources |= {file.relative_to(root).as_posix(): _source_hash(file) for file in files}
    return digest(sources)


@cache
def _source_hash(file: Path) -> str:
    tree = ast.parse(file.read_bytes(), filename=str(file))
    for node in ast.walk(tree):
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                # Any statement that is only a string: the text below a config field is a
                # docstring too, and none of them does anything.
                setattr(node, block, [s for s in statements if not _is_text(s)])
    return hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _visible_files(folder: Path) -> Iterator[str]:
    """The relative names, with slashes, of the regular files below a folder."""

    def stop(error: OSError) -> None:
        raise error  # os.walk would skip what it cannot list, and the hash would not know

    for parent, folders, files in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if (linked := Path(parent, name)).is_symlink():
                raise UserError(
                    f"Cannot take a fingerprint of {folder}: {linked} is a link to another folder; "
                    "put that folder itself there."
                )
        for name in files:
            file = Path(parent, name)
            # A link that leads nowhere is kept, so that reading it fails aloud.
            if not name.startswith(".") and (file.is_file() or file.is_symlink()):
                yield file.relative_to(folder).as_posix()


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"Cannot read {path} to take its fingerprint ({error.strerror or error}): "
        "check that it is there and readable."
    )


_ADVICE: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (PurePath, "a path says where, not what: use the fingerprint of what lies there"),
    ((set, frozenset), "a set has no order: sort it into a list"),
    ((str, int, float), "convert it to a plain str, int or float (.item() or .value)"),
)


def _plain(value: Any, where: str) -> Any:
    """The value in the types of JSON, or a refusal that says where it stands."""
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"Cannot make a key: {where} is {value}, which JSON cannot hold.")
        return value
    if kind is str:
        return _unicode(value, where)
    if isinstance(value, Mapping):
        return {_name(name, where): _plain(value[name], f"{where}[{name!r}]") for name in value}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), f"{where}.{f.name}") for f in fields(value)}
    advice = next((text for types, text in _ADVICE if isinstance(value, types)), None)
    if advice is None:
        advice = "it has no canonical form"
        if hasattr(value, "tolist"):  # NumPy and torch, without importing them
            advice = "convert it with .item() or .tolist()"
    raise TypeError(
        f"Cannot make a key: {where} is a {kind.__module__}.{kind.__qualname__}; {advice}."
    )


def _name(name: Any, where: str) -> str:
    # JSON would write the keys 1 and "1" alike.
    if type(name) is not str:
        raise TypeError(f"Cannot make a key: {where} has the name {name!r}, which is not a str.")
    return _unicode(name, where)


def _unicode(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"Cannot make a key: {where} is not Unicode ({error.reason}).") from None
    return text
