"""Which image is which: a digest of every file, and whether it can be read.

All files are read once for that. What was found is kept beside the store, by each file's size and
time, so that other processes and later studies read only what is new.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.store.paths import IMAGES, default_root
from weak2strong.ground.whole import write_whole
from weak2strong.tasks.image_files import key_of, opened
from weak2strong.tasks.opening import read_file

MANY = 500
"""So many new images are worth a file that keeps what was found."""

Stamp = tuple[int, int]
"""Size and time of a file."""

Found = tuple[str | None, str]
"""The key of an image, or None; and what is wrong with it, as a sentence."""


def keys_of(files: Sequence[Path]) -> dict[Path, Found]:
    """What is known of each image, from before or read now.

    Args:
        files: of one folder, or of one list.
    """
    place = _place(files)
    known = _kept(place)
    stamps = {file: _stamp(file) for file in files}
    found = {
        file: known[str(file), stamp]
        for file, stamp in stamps.items()
        if (str(file), stamp) in known
    }
    new = [file for file in files if file not in found]
    with Progress(quiet=len(new) < MANY) as progress:
        for done, (file, of_file) in enumerate(zip(new, _read(new), strict=True), start=1):
            found[file] = of_file
            progress.update("reading images", done, len(new))
    if len(new) >= MANY:
        _keep(place, [(str(file), *stamps[file], *found[file]) for file in files])
    return found


def _read(files: Sequence[Path]) -> Iterator[Found]:
    """The same of files that are read now, several at a time: decoders let other threads run."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(_one, files)


def _one(file: Path) -> Found:
    try:
        content = read_file(file)
        opened(str(file), content)
    except UserError as e:
        return None, str(e)
    return key_of(content), ""


def _stamp(file: Path) -> Stamp:
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def _place(files: Sequence[Path]) -> Path:
    """Where is kept what was found in the folder of some files."""
    above = os.path.commonpath([file.absolute() for file in files]) if files else ""
    name = hashlib.sha256(above.encode("utf-8", "surrogateescape")).hexdigest()
    return default_root().expanduser() / IMAGES / f"{name}.parquet"


def _kept(place: Path) -> Mapping[tuple[str, Stamp], Found]:
    """What was kept; nothing where the file is missing or damaged."""
    if not place.is_file():
        return {}
    import polars as pl

    try:
        frame = pl.read_parquet(place)
        rows = frame.select("file", "size", "time", "key", "fault").iter_rows()
        return {(file, (size, time)): (key, fault) for file, size, time, key, fault in rows}
    except (OSError, pl.exceptions.PolarsError):
        return {}


def _keep(place: Path, rows: Sequence[tuple[Any, ...]]) -> None:
    import io

    import polars as pl

    schema = {
        "file": pl.String,
        "size": pl.Int64,
        "time": pl.Int64,
        "key": pl.String,
        "fault": pl.String,
    }
    content = io.BytesIO()
    # A folder that cannot be written to only means that the next process reads again; nor can a
    # name be kept that is no text.
    with suppress(OSError, UnicodeError, pl.exceptions.PolarsError):
        pl.DataFrame(list(rows), schema=schema, orient="row").write_parquet(content)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, content.getvalue())
