"""Files that are packed by zip: one of them, or several parts of one table."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import PurePosixPath
from typing import IO, BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from weak2strong.ground.errors import UserError, first_line
from weak2strong.tasks.readers import listed

BROKEN = (
    *(BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError),
    *(zlib.error, lzma.LZMAError),
)
"""What Python raises for archives that it cannot read; a RuntimeError for those with a password."""


def files_in(name: str, archive: ZipFile) -> list[ZipInfo]:
    """The files of an archive by name, without hidden ones and those that a Mac adds.

    Raises:
        UserError: where there is none, or two have one name.
    """
    found = [
        info
        for info in sorted(archive.infolist(), key=lambda info: info.filename)
        if not info.is_dir()
        and not any(part.startswith((".", "__MACOSX")) for part in _parts(info.filename))
    ]
    if not found:
        raise UserError(f"{name} holds no file: zip one, or name another file.")
    names = [info.filename for info in found]
    if twice := next((n for n, after in pairwise(names) if n == after), None):
        raise UserError(
            f"{name} holds two files that are called {twice}: unpack it, and zip the one that is "
            "meant."
        )
    return found


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Tells in a sentence what is wrong with an archive while it is opened and read.

    Raises:
        UserError: where it is broken, or packed in a way that Python does not know.
    """
    try:
        yield
    except BROKEN as e:
        reason = first_line(e).rstrip(".:")
        raise UserError(
            f"{name} cannot be read ({reason}): check that it is a whole zip file without a "
            "password."
        ) from e


def only_file(name: str, file: BinaryIO) -> IO[bytes]:
    """The one file of an archive, to read it.

    Raises:
        UserError: where there are several, or the archive is broken.
    """
    with refusing(name):
        archive = ZipFile(file)
        found = files_in(name, archive)
        if len(found) > 1:
            names = listed([info.filename for info in found])
            raise UserError(f"{name} holds several files ({names}): unpack it, and name one.")
        return archive.open(found[0])


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name).parts
