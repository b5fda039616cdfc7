"""Names of files whose bytes are no UTF-8: as they can be written, and the files that are meant.

Python has such a byte as half a character, which no file in UTF-8 can hold. So tasks, messages and
files of a run have it as ``\\xff``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path


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
