"""Names for results: the same work has the same key, any other work has another.

A key is the SHA-256 of canonical JSON, so that it depends on values only, not on
the order in which a dict was filled nor on the process. What has no one canonical
form (a set, a path, NaN, a NumPy scalar) is refused rather than guessed at.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
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


def stage_request(
    stage: str, *, fields: Mapping[str, Any], inputs: Mapping[str, str], code: str
) -> str:
    """What a stage is asked for by, 64 hexadecimal digits: its key without the place.

    The same request has one key on each kind of device that makes its result.

    Args:
        stage: the stage's name.
        fields: every setting that changes the result.
        inputs: role -> key of the result (or fingerprint of the file) that it starts from.
        code: the digest of the source that computes it (see `weak2strong.ground.code`).
    """
    return digest({"stage": stage, "fields": fields, "inputs": inputs, "code": code})


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
        code: the digest of the source that computes it (see `weak2strong.ground.code`).
        runtime: versions, device, and threads of a CPU, since these change the numbers.
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
