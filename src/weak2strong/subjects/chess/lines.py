"""Lines of large text files, plain or packed with zstandard, without reading them whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from weak2strong.ground.errors import UserError, first_line


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers from 1; a ``.zst`` is unpacked.

    Bytes that are no UTF-8 change nothing but their own line.

    Raises:
        UserError: where the file cannot be read or unpacked.
    """
    import pyarrow as pa

    file = path.expanduser()
    if not file.is_file():
        raise UserError(f"There is no file {path}: check the path.")
    packing = "zstd" if path.suffix == ".zst" else None
    try:
        with pa.input_stream(str(file), compression=packing) as raw:
            text = io.TextIOWrapper(raw, "utf-8-sig", errors="replace")  # pyright: ignore
            yield from enumerate(text, start=1)
    except (OSError, pa.ArrowInvalid) as e:
        raise UserError(f"{path} cannot be read ({first_line(e)}): get it again.") from e
