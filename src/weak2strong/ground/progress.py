"""Progress of long work: bars on a terminal, one line in a notebook, plain timed lines elsewhere.

All say how far each task is and how much time is left. But for a notebook's everything goes to
standard error, so that tables on standard output can be piped.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from weak2strong.ground.lines import width_of, wrapped
from weak2strong.ground.notebook import RenewedLine, in_notebook

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


class Follower(Protocol):
    """Is told what a progress is told, also where that shows nothing."""

    def begun(self, task: str, place: str) -> None:
        """A task has begun, at a place."""

    def went_on(self, task: str, done: float, total: float) -> None:
        """So many units of a task are done."""


RENEWED = 0.5
"""Seconds between two lines of a notebook about one task."""

_OPEN: list[Progress] = []
"""Those that are open, one within another."""


def duration(seconds: float) -> str:
    """Seconds as people say them: ``7 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Progress(AbstractContextManager["Progress"]):
    """Shows named tasks of known length; `line` prints a message that stays.

    Args:
        stream: where to write; bars are drawn only where it is a terminal. If None standard error,
            or a line of the notebook.
        every: seconds between two plain lines about one task.
        quiet: show nothing at all.
        brief: bars are drawn when there is a task, and go from the screen with the last one.

    Attributes:
        watched: seconds of loops that are done (see `weak2strong.ground.watched`).
        followers: are told what goes on.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        every: float = 15.0,
        quiet: bool = False,
        brief: bool = False,
    ):
        self._stream = stream or sys.stderr
        self._every, self._quiet, self._brief = every, quiet, brief
        self._begin = time.monotonic()
        self._said: dict[str, float] = {}
        self._started: dict[str, tuple[float, float]] = {}
        self._drawn = not quiet and self._stream.isatty()
        self._bars = _bars(self._stream, brief) if self._drawn and not brief else None
        self._ids = {}
        in_cell = stream is None and not quiet and not self._drawn and in_notebook()
        self._cell = RenewedLine() if in_cell else None
        self.watched = 0.0
        self.followers = list[Follower]()

    def __enter__(self) -> Progress:
        _OPEN.append(self)
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _OPEN.remove(self)
        if self._bars:
            self._bars.stop()
        if self._cell:
            self._cell.end(self._time)

    def line(self, text: str) -> None:
        """Print one line that stays, in a notebook until another comes, with the time so far."""
        if self._cell:
            self._cell.show(self._time, text)
        elif not self._quiet:
            self._print(text)

    def say(self, text: str) -> None:
        """Print one line that has to be read, also where little is shown."""
        self._print(text)

    def answer(self, text: str) -> None:
        """Print one line to somebody who asked, such as by Ctrl-C, also where little is shown.

        The handler of a signal may call this: a thread prints, since the handler may have
        interrupted another line.
        """
        threading.Thread(target=self._print, args=(text,), name="answer").start()

    @property
    def _time(self) -> str:
        """The time since the start, which every line begins with."""
        return f"[{time.monotonic() - self._begin:6.1f} s]"

    def _print(self, text: str) -> None:
        text = f"{self._time} {text}"
        if self._bars:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            width = width_of(self._stream) if self._stream.isatty() else None
            print("\n".join(wrapped(text, width)), file=self._stream, flush=True)

    def begun(self, task: str, place: str) -> None:
        """Show nothing yet of a task that has begun at a place; followers are told."""
        for follower in self.followers:
            follower.begun(task, place)

    def begin(self, task: str) -> None:
        """Say nothing yet of a task, but time it from now on."""
        self._started.setdefault(task, (time.monotonic(), 0))

    def update(
        self, task: str, done: float, total: float, note: str = "", every: float | None = None
    ) -> None:
        """Say that ``done`` of ``total`` units of a task are finished.

        Args:
            task: its name.
            done: units.
            total: units.
            note: more that is known.
            every: seconds between two plain lines about this task, if other than usual.
        """
        for follower in self.followers:
            follower.went_on(task, done, total)
        if self._quiet:
            return
        if self._drawn and not self._bars:
            self._bars = _bars(self._stream, brief=True)
            self._bars.start()
        if self._bars:
            if task not in self._ids:
                self._ids[task] = self._bars.add_task(task, total=total, note=note)
            self._bars.update(self._ids[task], completed=done, total=total, note=note)
            return
        now = time.monotonic()
        began, first = self._started.setdefault(task, (now, done))
        wait = RENEWED if self._cell else self._every if every is None else every
        # Only in a notebook a task is named as soon as it has begun: that takes no further line.
        since = self._said.get(task, now - wait if self._cell else began)
        if now - since < wait and not (self._cell and done >= total):
            return
        self._said[task] = now
        left = (now - began) / (done - first) * (total - done) if done > first else None
        ahead = f", {duration(left)} left" if left is not None else ""
        far = f"{_units(done)} of {_units(total)}"
        text = f"{task}: {far}{ahead}{'; ' + note if note else ''}"
        if self._cell:
            self._cell.show(self._time, text, task)
        else:
            self.line(text)

    def forget(self, task: str) -> None:
        """Take a finished task off the screen; named again, it is timed anew."""
        self._started.pop(task, None)
        self._said.pop(task, None)
        if self._cell:
            self._cell.forget(task)
        if self._bars and task in self._ids:
            self._bars.remove_task(self._ids.pop(task))
        if self._bars and self._brief and not self._ids:
            self._bars.stop()
            self._bars = None


def say_now(text: str) -> None:
    """Print one line that has to be read, to whatever progress is open, or to standard error."""
    (_OPEN[-1] if _OPEN else Progress()).say(text)


def shown_now() -> Progress | None:
    """The progress that was opened last and is open, unless it is quiet."""
    return _OPEN[-1] if _OPEN and not _OPEN[-1]._quiet else None


def _units(number: float) -> str:
    return f"{number:g}" if number < 10_000 else f"{number:,.0f}"


def _bars(stream: TextIO, brief: bool) -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(file=stream),
        transient=brief,
    )
