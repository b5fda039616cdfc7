"""Refuses what is no file where a user has to name one, before anything of it is read.

A device or a pipe has no end, or cannot be read twice.
"""

from __future__ import annotations

import stat
from pathlib import Path

from weak2strong.ground.errors import UserError

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_regular(path: Path, about: str) -> None:
    """Refuse a path that leads to a pipe, a device or a socket, or to nothing by a link.

    Args:
        path: of the file.
        about: what the sentence begins with, such as "Data file a.csv".

    Raises:
        UserError: for these; not for a file that is missing or cannot be read.
    """
    file = path.expanduser()
    try:
        mode = file.stat().st_mode
    except OSError as e:
        if file.is_symlink() and not file.exists():
            raise UserError(
                f"{about} is a link to {file.readlink()}, which is not there: check the link."
            ) from e
        return
    for is_such, what in _KINDS:
        if is_such(mode):
            raise UserError(f"{about} is {what}: write a file, and name that.")
