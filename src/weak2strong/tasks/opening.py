"""Opens what a user names as a file: a file and nothing else, unpacked where it is packed.

A device or a pipe has no end or cannot be read twice, so it is refused before anything is read. A
packed file can be small and hold more than a memory does: it is unpacked up to a limit.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from weak2strong.ground.errors import UserError, first_line
from weak2strong.ground.file_names import real_path
from weak2strong.ground.regular import check_regular
from weak2strong.tasks.zipped import files_in, only_file, refusing

ZIP = ".zip"

PACKINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstandard", ZIP: "zip"}
"""Endings of packed files, and what packs them."""

BEGINNINGS = {
    b"\x1f\x8b\x08": ".gz",
    b"BZh91AY&SY": ".bz2",
    b"\xfd7zXZ\x00": ".xz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"PK\x03\x04": ZIP,
}
"""How packed files begin, and how their names should end."""

BROKEN = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, BadZipFile)
"""What Python raises for packed files that it cannot unpack."""

GIB = 2**30

PART = 2**24
"""Bytes that are unpacked at a time."""

MOST_FILES = 50_000
"""How many files a folder of data has at most."""


@dataclass(frozen=True)
class Reading:
    """How a user's files are read.

    Attributes:
        encoding: of their texts; None for UTF-8, or what a mark at the beginning says.
        unpacked: how many bytes a packed file may hold.
    """

    encoding: str | None = None
    unpacked: int = 8 * GIB


USUAL = Reading()


def open_file(path: Path) -> io.BufferedReader:
    """A user's file, to read it as it is.

    Raises:
        UserError: where it cannot be read, or is no file.
    """
    path = real_path(path)
    check_regular(path, f"Data file {path}")
    try:
        return path.open("rb")
    except OSError as e:
        raise UserError(f"Data file {path} cannot be read ({e.strerror}): check the path.") from e


def read_file(path: Path) -> bytes:
    """The content of a user's file, as it is.

    Raises:
        UserError: where it cannot be read, or is no file.
    """
    with open_file(path) as file:
        try:
            return file.read()
        except OSError as e:
            raise UserError(
                f"Data file {path} cannot be read ({e.strerror}): check the path."
            ) from e


def files_below(folder: Path) -> list[Path]:
    """The files below a folder, sorted, without hidden ones and what is no file.

    Raises:
        UserError: where there are so many that the folder cannot be meant, such as ``/``.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
        if len(found) > MOST_FILES:
            raise UserError(
                f"Folder {folder} has more than {MOST_FILES:,} files: name the folder of a dataset."
            )
    return sorted(path for path in found if os.path.isfile(path))


def packing(file: str | PurePath) -> str | None:
    """The ending of a packed file's name, in lower case; None if the file is not packed."""
    suffix = PurePath(file).suffix.lower()
    return suffix if suffix in PACKINGS else None


def ending(file: str | PurePath) -> str:
    """The ending of a file's name that says how to read it, in lower case.

    That a file is packed does not count: ``a.jsonl.gz`` ends in ``.jsonl``.
    """
    return PurePath(unpacked_name(file)).suffix.lower()


def unpacked_name(file: str | PurePath) -> str:
    """The name without the ending of a packed file."""
    name = PurePath(file).name
    return name[: -len(end)] if (end := packing(file)) else name


def unpacking(name: str, file: BinaryIO) -> BinaryIO:
    """A file to read what is packed in it; the same file if it is not packed."""
    match packing(name):
        case ".gz":
            return cast(BinaryIO, gzip.open(file))
        case ".bz2":
            return cast(BinaryIO, bz2.open(file))
        case ".xz":
            return cast(BinaryIO, lzma.open(file))
        case ".zst":
            import pyarrow as pa

            return cast(BinaryIO, pa.input_stream(file, compression="zstd"))
        case ".zip":
            return cast(BinaryIO, only_file(name, file))
    return file


def unpacked(name: str, content: bytes, limit: int) -> bytes:
    """What is packed in a file; its content if it is not packed.

    Args:
        name: of the file; its ending says whether it is packed, and how.
        content: of the file.
        limit: how many bytes there may be.

    Raises:
        UserError: where there are more, the file is broken, or it is packed and its name does not
            say so.
    """
    kind = packing(name)
    if kind is None:
        _check_not_packed(name, content)
        return content
    try:
        with unpacking(name, io.BytesIO(content)) as stream:
            return _read(name, stream, limit)
    except BROKEN as e:
        raise unreadable(name, f"a whole {PACKINGS[kind]} file", e) from e


def unzipped(
    name: str, content: bytes, limit: int, wanted: Callable[[str], bool]
) -> dict[str, bytes]:
    """The files that a file packed by zip holds, by name.

    Args:
        name: of the file.
        content: of the file.
        limit: how many bytes all of them may hold.
        wanted: says by its name whether a file is wanted.

    Raises:
        UserError: where there are more bytes, or the file is broken.
    """
    found = dict[str, bytes]()
    with refusing(name), ZipFile(io.BytesIO(content)) as archive:
        for info in files_in(name, archive):
            if wanted(info.filename):
                with archive.open(info) as stream:
                    found[info.filename] = _read(name, stream, limit)
                limit -= len(found[info.filename])
    return found


def _read(name: str, stream: IO[bytes], limit: int) -> bytes:
    """What a stream holds, a part at a time: some streams make room for all that is asked for."""
    found = bytearray()
    while part := stream.read(min(PART, limit + 1 - len(found))):
        found += part
    if len(found) > limit:
        raise UserError(
            f"{name} holds more than {limit / GIB:g} GiB when it is unpacked: "
            "raise --unpacked-limit if that is meant, or name another file."
        )
    return bytes(found)


def _check_not_packed(name: str, content: bytes) -> None:
    """Refuse a packed file whose name does not say so."""
    for beginning, end in BEGINNINGS.items():
        if content.startswith(beginning):
            raise UserError(
                f"{name} is compressed by {PACKINGS[end]}, which its name does not say: call it "
                f"{PurePath(name).name}{end}."
            )


def unreadable(file: str, what: str, error: Exception) -> UserError:
    """The error for a file that is not what its name says."""
    reason = first_line(error).rstrip(".:")
    return UserError(f"{file} cannot be read ({reason}): check that it is {what}.")
