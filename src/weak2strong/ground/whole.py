"""Files that are written whole or not at all: content, disk, name."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from errno import EISDIR
from pathlib import Path

from weak2strong.ground.disks import PARTIAL, writing


def make_writable(folder: Path) -> None:
    """Make a folder where there is none, and find out by writing that it can be written.

    Raises:
        OSError: where it cannot be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Permission bits say nothing to the superuser, nor on a read-only disk.
    with tempfile.TemporaryFile(dir=folder, suffix=PARTIAL):
        pass


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written in the end, before hours of work for it.

    Args:
        path: of the file that a command will write; its folder is made.

    Raises:
        UserError: where it is a folder, or its folder cannot be written.
    """
    with writing(path, "choose another --out"):
        make_writable(path.parent)
        if path.is_symlink():
            # It is written to as it is, and must lead to a file or into a folder.
            with contextlib.suppress(FileNotFoundError):
                path.stat()
            Path(os.path.realpath(path)).parent.stat()
        if path.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader finds the old content or the new one, and never a part.

    The content goes to a file beside it, from there to the disk, and then takes the name. A link
    or a device, such as ``/dev/stdout``, is written to as it is.

    Args:
        path: of the file, in a folder that is there.
        content: all of it; a text is written as UTF-8.

    Raises:
        OSError: where it cannot be written; the file is then as it was.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(_as_bytes(content))
        return
    partial = staged(path, content)
    try:
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def staged(path: Path, content: bytes | str) -> Path:
    """Bring content to the disk in a file beside a path, and return that file, to be renamed.

    Raises:
        OSError: where it cannot be written; nothing is then left of it.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with open(partial, "xb") as file:
            file.write(_as_bytes(content))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial


def leftovers(path: Path) -> list[Path]:
    """Files that a killed process has left beside a path, or that another one is writing."""
    return sorted(path.parent.glob(f".{path.name}.????????{PARTIAL}"))


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the file system can."""
    # Some network file systems refuse this; the files themselves are synced by then.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
