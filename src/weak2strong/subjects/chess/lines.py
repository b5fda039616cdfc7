"""Lines of large text files, plain or packed, without reading them whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from weak2strong.ground.errors import UserError, first_line
from weak2strong.tasks.opening import BROKEN, open_file, unpacking

LONGEST = 2**24
"""How many characters a line has at most; a game of a thousand moves has a thousandth of it."""


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers from 1; a packed one is unpacked.

    Bytes that are no UTF-8 change nothing but their own line. However large the file is, a line has
    at most `LONGEST` characters, so that memory never fills.

    Raises:
        UserError: where the file cannot be read or unpacked, or has a longer line.
    """
    with open_file(path) as file:
        try:
            raw = cast(io.BufferedReader, unpacking(str(path), file))
            text = io.TextIOWrapper(raw, "utf-8-sig", errors="replace")
            number = 0
            while line := text.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise UserError(
                        f"{path}, line {number:,} has more than {LONGEST:,} characters: check that "
                        "the file is text with a row or a tag a line."
                    )
                yield number, line
        except BROKEN as e:
            raise UserError(f"{path} cannot be read ({first_line(e)}): get it again.") from e
