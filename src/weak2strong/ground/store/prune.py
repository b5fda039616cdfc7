"""Makes room: removes entries on request, and always what kills and damage left behind."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from weak2strong.ground.errors import UserError
from weak2strong.ground.store import lock, paths
from weak2strong.ground.store.manifest import Entry

_DAY = 24 * 3600.0
# Checkpoints that nobody came back to for this long are not worth their bytes.
_WORKING_DAYS = 7.0
# Where there are no locks, only idleness tells that the writer of a folder is gone.
_IDLE_DAYS = 1.0


def prune(
    root: Path,
    entries: Sequence[Entry],
    older_than_days: float | None,
    stage: str | None,
    everything: bool,
) -> tuple[int, int]:
    """Does what `Store.prune` promises, to what has the store's names and no other."""
    if older_than_days is not None and older_than_days < 0:
        raise UserError(f"Cannot prune what is older than {older_than_days} days: give 0 or more.")
    if everything and (older_than_days is not None or stage is not None):
        raise UserError("Cannot prune everything and also by age or stage: leave one out.")
    doomed = []
    if everything or older_than_days is not None or stage is not None:
        for entry in entries:
            old = older_than_days is None or _days_since_written(entry) >= older_than_days
            if old and stage in (None, entry.stage):
                doomed.append((entry.stage, entry.key, entry.path))
    sizes = [_discard(root, *one) for one in doomed]
    # Afterwards, so that no working folder is kept or dropped for an entry that just went.
    leftovers = _leftovers(root, older_than_days, everything)
    sizes += [_discard(root, *one) for one in leftovers if stage in (None, one[0])]
    if stage is None and (everything or older_than_days is not None):
        sizes += _discard_sent(root, 0.0 if older_than_days is None else older_than_days)
    for stage_of, key in paths.known(root):
        if not os.path.lexists(root / stage_of / key):
            paths.known_file(root, stage_of, key).unlink(missing_ok=True)
    _forget_code(root, [entry for entry in entries if entry.path.exists()])
    for file in paths.listed(root / "locks"):
        if file.suffix == ".lock" and paths.LEFTOVER.fullmatch(file.stem):
            lock.in_use(file)  # removes it if it is free
    removed = [size for size in sizes if size is not None]
    return len(removed), sum(removed)


def _forget_code(root: Path, entries: Sequence[Entry]) -> None:
    """Remove what digests of code stand for that no entry has."""
    used = {entry.manifest["spec"].get("code") for entry in entries}
    for file in paths.listed(root / "code"):
        match = paths.CODE.fullmatch(file.name)
        if match and match["code"] not in used:
            file.unlink(missing_ok=True)


def _leftovers(
    root: Path, older_than_days: float | None, everything: bool
) -> Iterator[tuple[str, str, Path]]:
    """Stage, key and path of what lies in the store's own folders and nobody uses."""
    working_days = _WORKING_DAYS if older_than_days is None else older_than_days
    for kind in ("damaged", "temporary", "working"):
        for path in paths.listed(root / kind):
            match = paths.LEFTOVER.fullmatch(path.name)
            if match is None:
                continue
            stage, key = match["stage"], match["key"]
            used = lock.in_use(paths.lock_file(root, path.name))
            if kind == "temporary":
                stale = used is False or (used is None and _days_idle(path) >= _IDLE_DAYS)
            elif kind == "working":
                done = everything or (root / stage / key).exists()
                stale = not used and (done or _days_idle(path) >= working_days)
            else:
                stale = True
            if stale:
                yield stage, key, path


def _discard(root: Path, stage: str, key: str, path: Path) -> int | None:
    """Removes a folder and returns its bytes, or None if another process was faster."""
    # Renamed first, so that a reader finds a whole entry or none.
    trash = paths.temporary(root, stage, key)
    trash.parent.mkdir(exist_ok=True)
    try:
        path.rename(trash)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"Cannot remove {path} ({error.strerror}): remove it by hand.") from error
    size = sum(status.st_size for status in _statuses(trash))
    if trash.is_dir():
        shutil.rmtree(trash, ignore_errors=True)
    else:
        trash.unlink(missing_ok=True)
    return size


def _discard_sent(root: Path, days: float) -> Iterator[int]:
    """Remove what other machines sent of the user's files so long ago; it is sent again if needed.

    Yields:
        The bytes of each file or folder.
    """
    for path in paths.listed(root / paths.FILES):
        if paths.SENT.fullmatch(path.name) and _days_idle(path) >= days:
            # A name that nobody looks for, so that nobody finds a part.
            trash = path.with_name(f".{secrets.token_hex(6)}")
            path.rename(trash)
            yield sum(status.st_size for status in _statuses(trash))
            shutil.rmtree(trash, ignore_errors=True)


def _days_since_written(entry: Entry) -> float:
    written = datetime.fromisoformat(entry.manifest["written"])
    return (datetime.now(UTC) - written).total_seconds() / _DAY


def _days_idle(path: Path) -> float:
    """Days since the last change of a folder or of anything in it."""
    times = [status.st_mtime for status in (*_statuses(path), *_status(path))]
    return (time.time() - max(times, default=time.time())) / _DAY


def _statuses(path: Path) -> list[os.stat_result]:
    """The status of every file below a folder, or of the file itself."""
    if not path.is_dir():
        return _status(path)
    return [
        status for at, _, names in os.walk(path) for name in names for status in _status(at, name)
    ]


def _status(*parts: str | Path) -> list[os.stat_result]:
    """The status of a file, or none of one that another process just removed."""
    try:
        return [Path(*parts).lstat()]
    except FileNotFoundError:
        return []
