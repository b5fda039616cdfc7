"""Names of files: those that none can have, and those whose bytes are no UTF-8.

Python has such a byte as half a character, which no file in UTF-8 can hold. So tasks, messages and
files of a run have it as ``\\xff``, and this leads back to the file that is meant.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

LONGEST_NAME, LONGEST_PATH = 255, 4095
"""Bytes of the name of a file, and of a whole path, that file systems allow."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?=[^/])")
"""How an address begins; ``Path`` leaves one slash of two. A drive of Windows has one letter."""


def no_path(text: str) -> str | None:
    """What is wrong with a text that no file or folder can have as its path; None for others.

    Calls of the system raise one error or another for such paths, and some calls of Python say that
    there is no such file.
    """
    if "\0" in text:
        return f"{shown_name(text)!r} holds a zero character, which no path has"
    if text.startswith("~") and os.path.expanduser(text) == text:
        return f"{shown_name(text)!r} is in the home of nobody here"
    if (address := _ADDRESS.match(text)) and not os.path.lexists(text):
        return (
            f"{address[1]}://{shown_name(text)[address.end() :][:200]} is an address, and only "
            "files and folders of this machine are read and written (a model or a dataset of the "
            "hub is named as owner/name)"
        )
    if len(os.fsencode(text)) > LONGEST_PATH:
        begin = shown_name(text)[:60]
        return f"{begin}... is longer than the {LONGEST_PATH:,} bytes that a path may have"
    for name in text.split("/"):
        if len(os.fsencode(name)) > LONGEST_NAME:
            begin = shown_name(name)[:60]
            return f"the name {begin}... is longer than the {LONGEST_NAME} bytes of one"
    return None


def shown_name(name: str) -> str:
    """A name as it can be written."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def real_path(name: str | Path) -> Path:
    """The path of a user's file or folder, whose name may be as `shown_name` writes it."""
    path = Path(name).expanduser()
    if "\\x" not in str(name) or os.path.lexists(path):
        return path
    as_bytes = re.sub(
        rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), os.fsencode(path)
    )
    meant = Path(os.fsdecode(as_bytes))
    return meant if os.path.lexists(meant) else path
