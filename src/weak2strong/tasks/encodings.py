"""Which characters the bytes of a text file are."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from weak2strong.ground.errors import UserError
from weak2strong.tasks.opening import Reading

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The marks at the beginning of a file, and the encodings that they stand for."""


def encoding_of(file: str, content: bytes, reading: Reading) -> str:
    """The encoding of a text file: what the user says, what its mark says, or UTF-8.

    Raises:
        UserError: for UTF-16 without a mark, and for a file that is no text.
    """
    if reading.encoding is not None:
        is_utf_8 = codecs.lookup(reading.encoding).name == "utf-8"
        return "utf-8-sig" if is_utf_8 else reading.encoding
    for mark, name in MARKS:
        if content.startswith(mark):
            return name
    start = content[:1024]
    zeros = [start[i::2].count(0) / max(len(start[i::2]), 1) for i in (0, 1)]
    if max(zeros) > 0.2:
        guess = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        raise UserError(
            f"{file} is no text in UTF-8, as it has zero bytes: if it is UTF-16 without a mark at "
            f"its beginning, say --encoding {guess}."
        )
    return "utf-8"


def shown(encoding: str) -> str:
    """The name of an encoding, for people."""
    return encoding.upper().removesuffix("-SIG")


@contextmanager
def text_of(file: str, content: bytes, encoding: str, newline: str) -> Iterator[TextIO]:
    """The characters of a file, to read a part at a time.

    Args:
        file: its name.
        content: of the file.
        encoding: its encoding.
        newline: as in `open`.

    Raises:
        UserError: where bytes are no characters in this encoding; it names the line.
    """
    try:
        with io.TextIOWrapper(io.BytesIO(content), encoding, newline=newline) as text:
            yield text
    except UnicodeError as e:
        raise _misfit(file, content, encoding) from e


def _misfit(file: str, content: bytes, encoding: str) -> UserError:
    try:
        content.decode(encoding)
        line, why = 1, "a mark is missing at its beginning"
    except UnicodeDecodeError as e:
        before = content[: e.start].decode(encoding, errors="replace")
        line, why = before.count("\n") + 1, f"byte 0x{content[e.start]:02x}"
    except UnicodeError as e:
        line, why = 1, str(e)
    return UserError(
        f"{file}, line {line:,} is not in {shown(encoding)} ({why}): convert the file, or "
        "name its encoding, such as --encoding latin-1, or cp1252 for files of Windows."
    )
