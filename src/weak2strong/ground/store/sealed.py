"""Files with their sizes and digests in one JSON file, which holds its own digest, too."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from weak2strong.ground.store.key import digest

FILES = {str: {"sha256": str, "bytes": int}}
"""The form of files with their sizes and digests (see `weak2strong.ground.form`)."""


class DamageError(Exception):
    """What was written is not there as it was written; the message says in a few words how."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON file with ``digest``, that of all the rest of it."""
    return {**content, "digest": digest(content)}


def read_sealed(path: Path) -> dict[str, Any]:
    """The content of such a file, whole.

    Raises:
        DamageError: if it is anything else.
    """
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DamageError(f"{path.name} is missing") from None
    except OSError as error:
        raise DamageError(f"{path.name} cannot be read: {error.strerror}") from error
    return unsealed(content, path.name)


def unsealed(text: bytes, name: str) -> dict[str, Any]:
    """The content of such a file from its bytes, whole.

    Args:
        text: the bytes.
        name: of the file, for errors.

    Raises:
        DamageError: if it is anything else.
    """
    try:
        content = json.loads(text.decode())
        if not isinstance(content, dict):
            raise DamageError(f"{name} holds no object")
        expected = digest({key: value for key, value in content.items() if key != "digest"})
    except (ValueError, RecursionError):
        raise DamageError(f"{name} is not valid JSON") from None
    if content.get("digest") != expected:
        raise DamageError(f"{name} was altered")
    return content


def fingerprint(content: bytes) -> dict[str, Any]:
    """The SHA-256 and the size of what a file holds."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def check_file(folder: Path, name: str, expected: Mapping[str, Any]) -> None:
    """Compare the size and the SHA-256 of a file with what was written.

    Raises:
        DamageError: where it differs.
    """
    try:
        with open(folder / name, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DamageError(f"{name} is missing") from None
    except OSError as error:
        raise DamageError(f"{name} cannot be read: {error.strerror}") from error
    compare(name, {"sha256": found, "bytes": size}, expected)


def refuse_links(folder: Path, name: str) -> None:
    """Refuse a file that is a link, or lies in a folder that is one, below a folder.

    What a link leads to can change unseen.

    Raises:
        DamageError: for such a file.
    """
    below = PurePosixPath(name)
    for part in (below, *below.parents[:-1]):
        if (folder / part).is_symlink():
            raise DamageError(f"{part} is a link, which was never written")


def compare(name: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare what `fingerprint` says of a file with what it said when the file was written.

    Raises:
        DamageError: where they differ.
    """
    if found["bytes"] != expected["bytes"]:
        raise DamageError(f"{name} has {found['bytes']} bytes instead of {expected['bytes']}")
    if found["sha256"] != expected["sha256"]:
        raise DamageError(f"{name} has another content than was written")
