"""Files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path beside a file to write to, which is renamed to the file once all is written.

    Where writing fails, or the process is killed, the file stays as it was.
    """
    partial = path.with_name(f"{path.name}.partial")
    yield partial
    partial.replace(path)
