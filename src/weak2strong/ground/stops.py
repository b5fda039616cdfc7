"""Requests to stop: Ctrl-C, and the signals by which a cluster takes its machines back.

Who is at work says whether it looks for requests itself, as a training does between two steps, so
that it may write a checkpoint; if not, a request ends it at once by an exception.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

REQUEUE = 75
"""The exit code after SIGTERM or SIGUSR1: the same command goes on. It is EX_TEMPFAIL of BSD's
sysexits, "the user is invited to retry", which neither Python nor a shell gives by itself."""

CTRL_C = signal.SIGINT

CLUSTER = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name))
"""What a cluster sends before it takes a machine back: at the end of a job's time, or where another
job goes first. Not every system has all of them."""


class Stopped(KeyboardInterrupt):
    """The work was asked to stop, and has.

    Attributes:
        number: of the signal that asked.
    """

    def __init__(self, number: int = CTRL_C):
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """That of a command which was stopped so: 130 after Ctrl-C, otherwise `REQUEUE`."""
        return 130 if self.number == CTRL_C else REQUEUE

    @property
    def by(self) -> str:
        """What asked, as users know it."""
        return "Ctrl-C" if self.number == CTRL_C else signal.Signals(self.number).name


@dataclass
class Stops:
    """What was asked of this process.

    Attributes:
        patient: whether who is at work looks at `asked` before long, and is not to be interrupted.
        asked: the first signal that asked to stop; None so far.
        on_ask: called with it where somebody patient is at work.
    """

    patient: bool = False
    asked: int | None = None
    on_ask: Callable[[int], None] = lambda number: None

    def heed(self, number: int, frame: FrameType | None = None) -> None:
        """Take note of a signal.

        Raises:
            Stopped: where nobody patient is at work, and at a second Ctrl-C.
        """
        again = self.asked is not None
        if not again:
            self.asked = number
        if not self.patient or (again and number == CTRL_C):
            raise Stopped(self.asked or number)
        if not again:
            self.on_ask(number)

    def check(self) -> None:
        """Stop here if that was asked.

        Raises:
            Stopped: if so.
        """
        if self.asked is not None:
            raise Stopped(self.asked)


@contextmanager
def heeding(ctrl_c: bool = True) -> Iterator[Stops]:
    """Take requests to stop inside, and leave them to whoever had them before afterwards.

    Only a process's main thread can; in another one nothing is ever asked.

    Args:
        ctrl_c: whether Ctrl-C is one of them; otherwise it is left as it is.
    """
    stops = Stops()
    if threading.current_thread() is not threading.main_thread():
        yield stops
        return
    numbers = (*([CTRL_C] if ctrl_c else []), *CLUSTER)
    before = {number: signal.signal(number, stops.heed) for number in numbers}
    try:
        yield stops
    finally:
        for number, handler in before.items():
            # None stands for a handler that is not Python's, which cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
