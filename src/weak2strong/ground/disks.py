"""The border to the disks: what the system refuses to write becomes one sentence.

It names the file, the disk where the disk is the reason, and what to do. Whoever writes a file for
the user does so inside of `writing`; results on their way into the store are written inside of
`keeping`. What is refused elsewhere, such as a temporary file of a library, ends at `refused`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from weak2strong.ground.errors import PluginError, UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where there is no room."""
OF_DISKS = (*FULL, errno.EROFS, errno.EIO)
"""What it says where the disk is the reason, and not the name of the file or whose it is."""
OF_RIGHTS = (errno.EACCES, errno.EPERM)
"""What it says where the reason is whose the file is."""
OF_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EFBIG)
"""What it says where an account may have no more files open, or no larger ones."""

PARTIAL = ".partial"
"""The end of the name of a file that is being written; a kill may leave one behind."""

_OF_RUST = re.compile(r"\(os error (\d+)\)")
"""How safetensors, polars and tokenizers tell what the system said."""


@contextlib.contextmanager
def writing(path: Path, otherwise: str) -> Iterator[None]:
    """Inside, where a file or folder is written and nothing else is done, a refusal is a sentence.

    Args:
        path: of the file or folder.
        otherwise: what to do, such as ``choose another folder with --out``.

    Raises:
        UserError: where the system refuses it.
    """
    try:
        yield
    except Exception as error:
        if (said := system_error(error)) is None:
            raise
        raise not_written(path, said, otherwise) from error


@contextlib.contextmanager
def keeping(path: Path, otherwise: str, alone: bool = False) -> Iterator[None]:
    """Inside, where results are computed and written, what a disk refuses is a sentence.

    Args:
        path: of the folder that is written to.
        otherwise: as for `writing`.
        alone: whether an error that names a file elsewhere, such as a temporary one of a library,
            stays as it is.

    Raises:
        UserError: where the disk is full, read-only or broken. Any other error stays as it is.
    """
    try:
        yield
    except Exception as error:
        said = system_error(error)
        if said is None or said.errno not in OF_DISKS:
            raise
        if alone and _is_elsewhere(path, said.filename):
            raise
        raise not_written(path, said, otherwise) from error


def refused(error: BaseException) -> UserError | None:
    """The sentence for an error that nobody else has told, where the system is the reason of it.

    That is a disk, the rights of a file, or a limit of the account.
    """
    said = system_error(error)
    if said is None:
        return None
    if said.errno in OF_LIMITS:
        return UserError(
            f"The system allows no more ({said.strerror}): raise the limits of this account, which "
            "`ulimit -a` tells; finished stages are kept."
        )
    if said.errno in OF_RIGHTS and said.filename is not None:
        return UserError(
            f"Cannot use {os.fsdecode(said.filename)} ({said.strerror}): see to its rights and to "
            "those of the folders above it, or name another place."
        )
    if said.errno not in OF_DISKS:
        return None
    if said.filename is not None:
        return not_written(Path(os.fsdecode(said.filename)), said, "see to its disk")
    todo = "free some space" if said.errno in FULL else "see to the disks of this machine"
    return UserError(
        f"A file could not be written ({said.strerror}), and the library that writes it does not "
        f"say which: {todo}, also where temporary files go (TMPDIR); finished stages are kept."
    )


def system_error(error: BaseException) -> OSError | None:
    """What the system said, where that is the reason of an error; a library may have retold it.

    Not for a sentence of ours, and not where nobody reads a pipe any more, which is no failure.
    """
    if isinstance(error, (UserError, PluginError, BrokenPipeError)):
        return None
    if isinstance(error, OSError):
        return error if error.errno is not None else None
    found = _OF_RUST.findall(str(error))
    return OSError(int(found[-1]), os.strerror(int(found[-1]))) if found else None


def not_written(path: Path, said: OSError, otherwise: str) -> UserError:
    """The error for a file or folder that cannot be written, or for a file below that folder."""
    path = _below(path, said.filename2) or _below(path, said.filename) or path
    if said.errno not in OF_DISKS:
        return UserError(f"Cannot write {path} ({said.strerror}): {otherwise}.")
    room = "free some space there, or " if said.errno in FULL else ""
    return UserError(
        f"Cannot write {path} ({said.strerror}, on the disk {disk_of(path)}): {room}{otherwise}; "
        "finished stages are kept."
    )


def _below(folder: Path, name: str | bytes | None) -> Path | None:
    """A file that the system named, where it lies in a folder, and has no name for a moment."""
    if not isinstance(name, (str, bytes)):
        return None
    path = Path(os.fsdecode(name))
    return path if folder in path.parents and not path.name.endswith(PARTIAL) else None


def _is_elsewhere(folder: Path, name: str | bytes | None) -> bool:
    """Whether the system named a file that lies outside of a folder."""
    if not isinstance(name, (str, bytes)):
        return False
    return not Path(os.fsdecode(name)).is_relative_to(folder)


def disk_of(path: Path) -> Path:
    """Where the disk of a file is mounted, or that of the nearest folder that is there."""
    place = Path(os.path.realpath(path))
    return next(above for above in (place, *place.parents) if os.path.ismount(above))
