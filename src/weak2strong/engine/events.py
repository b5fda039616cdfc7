"""What happened in a run, in ``events.jsonl``: a log that grows, which is in no index.

A kill may leave a torn line, which readers skip. No table is made of the log alone: `work.json`
takes seconds from it when the run is finished (see `weak2strong.engine.work`), and whoever watches
a run reads how far it is (see `weak2strong.engine.state`).

``start`` has workers, threads, the machine, the store and the names of all steps; ``begin`` a step
and its place; ``training`` how many steps of its optimiser a step has done; ``step`` what a step
that is done took and used; ``warning`` a text; ``end`` or ``stop`` how it all ended.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from typing import Any

from weak2strong.ground.disks import writing
from weak2strong.ground.store import lock

FILE = "events.jsonl"

AT_WORK = ".at-work.lock"
"""Of a run folder: whoever writes a run holds the lock of this file meanwhile."""

Event = Callable[..., None]
"""Called with what happened, and the details by name."""


@contextlib.contextmanager
def events_of(folder: Path) -> Iterator[Event]:
    """A function that adds events to the log of a folder, each with its time."""
    path, otherwise = folder / FILE, "choose another folder with --out"
    with writing(path, otherwise):
        if path.is_dir():
            path.rmdir()
        # What comes after a torn line begins a line of its own.
        torn = path.exists() and not (path.read_bytes() or b"\n").endswith(b"\n")
        # Without a buffer: what a full disk refuses is not tried again when the file is closed.
        log = path.open("ab", buffering=0)
    with log:

        def event(what: str, **details: Any) -> None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = json.dumps({"time": now, "event": what, **details}) + "\n"
            with writing(path, otherwise):
                _write_all(log, line.encode())

        if torn:
            with writing(path, otherwise):
                _write_all(log, b"\n")
        yield event


def at_work(folder: Path) -> bool | None:
    """Whether somebody is at work on the run of a folder; None where that cannot be known."""
    return lock.in_use(folder / AT_WORK, remove=False)


EVERY, QUIET, SHARE = 5.0, 60.0, 0.01
"""A training is told of again after so many seconds where it has done this share more, and after
more seconds in any case: a log must not grow with the steps of its trainings."""


class Telling:
    """A follower of a progress that adds what goes on to a log.

    Args:
        event: adds to it.
    """

    def __init__(self, event: Event):
        self._event = event
        self._told = dict[str, tuple[float, float]]()

    def begun(self, task: str, place: str) -> None:
        """Tell of a step that has begun."""
        self._told[task] = time.monotonic(), 0.0
        self._event("begin", name=task, place=place)

    def went_on(self, task: str, done: float, total: float) -> None:
        """Tell of its training, now and then."""
        if task not in self._told:
            return
        now, (last, before) = time.monotonic(), self._told[task]
        further = done - before >= SHARE * total and now - last >= EVERY
        if further or now - last >= QUIET:
            self._told[task] = now, done
            self._event("training", name=task, done=done, total=total)


def _write_all(log: RawIOBase, content: bytes) -> None:
    """Write all of some bytes; what there is no room for is an error of the system."""
    while content:
        content = content[log.write(content) or 0 :]


def read_events(folder: Path) -> list[dict[str, Any]]:
    """The events of a folder that are whole, the oldest first; none where there is no log."""
    try:
        content = (folder / FILE).read_bytes()
    except OSError:
        return []
    return events_in(content)


def events_in(content: bytes) -> list[dict[str, Any]]:
    """The events that are whole in the content of a log."""
    events = (_event(line) for line in content.splitlines())
    return [event for event in events if event]


def _event(line: bytes) -> dict[str, Any]:
    """One event; an empty one for a line that is torn, or still being written."""
    try:
        event = json.loads(line)
        datetime.fromisoformat(event["time"])
        return event if isinstance(event["event"], str) else {}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
