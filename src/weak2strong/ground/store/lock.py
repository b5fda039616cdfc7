"""A best-effort lock: it saves double work on one machine, and nothing depends on it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

# A process that is killed frees its locks; a hung one, or its orphaned workers, may not.
# After this long the work is done twice rather than never.
LONGEST_WAIT = 24 * 3600.0
SILENT_WAIT = 10.0

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def held(file: Path) -> Iterator[None]:
    """Holds the lock of a file, waiting up to a day for it; goes on without where there is none.

    Not re-entrant: a thread that already holds it would wait for itself.
    """
    from filelock import FileLock, Timeout

    # The fallback would be a file that outlives a killed process and blocks the next.
    lock = FileLock(file, fallback_to_soft=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=SILENT_WAIT)
        except Timeout:
            _log.warning("Waiting for another process that computes %s.", file.stem)
            lock.acquire(timeout=LONGEST_WAIT, poll_interval=0.5)
    except (OSError, NotImplementedError) as error:  # a Timeout is an OSError too
        _log.info("Going on without the lock %s: %s", file, error)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release()


@contextlib.contextmanager
def shown(file: Path) -> Iterator[None]:
    """Holds the lock of a file, so that others see who is at work; goes on where it is not free.

    Its file is removed at the end. That of a process that was killed stays, and nobody holds it.
    """
    from filelock import FileLock

    lock = FileLock(file, fallback_to_soft=False)
    # Whoever looks whether it is in use holds it for a moment.
    with contextlib.suppress(OSError, NotImplementedError):
        lock.acquire(timeout=1.0)
    try:
        yield
    finally:
        if lock.is_locked:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                lock.release()


def in_use(file: Path, remove: bool = True) -> bool | None:
    """Whether someone holds the lock of a file; None where that cannot be known.

    A lock file that nobody holds is removed: whoever waits for it meanwhile notices
    (filelock compares the file it locked with the one that is there) and takes a new one.

    Args:
        file: of the lock.
        remove: whether one that nobody holds goes.
    """
    from filelock import FileLock, Timeout

    if not file.exists():
        return None
    lock = FileLock(file, fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None
    try:
        if remove:
            file.unlink(missing_ok=True)
    finally:
        lock.release()
    return False
