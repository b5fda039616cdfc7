"""Worker processes: each does one piece of work at a time, and a dead one is replaced.

A pool of the standard library breaks as a whole where one of its processes dies; here the others
go on. What goes between the processes is pickled, and nothing of it is kept.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pickle import loads
from typing import Any

from weak2strong.engine.schedule import Place
from weak2strong.ground.processes import (
    end_with_parent,
    held_back,
    let_in,
    starting,
    without_main,
)
from weak2strong.ground.stops import CLUSTER, Stopped, Stops, heeding

OnStep = Callable[[int, int], None]
"""Called by a training with steps done and steps in all; it raises `Stopped` where that was asked
for."""

Work = tuple[Callable[..., Any], tuple[Any, ...]]
"""What a worker is to do: a function of a module, which it calls with an `OnStep` and these
arguments. Modules that are slow to import are imported when it arrives."""

PAUSE = 0.2
"""Seconds between two messages on one training, the first and the last excepted."""


class LacksMemoryError(Exception):
    """What work raises in place of an error that a lack of memory caused, which is its cause."""


@dataclass(frozen=True)
class Trained:
    """A training has done so many steps; it is between two of them until it has done all."""

    done: int
    total: int


@dataclass(frozen=True)
class Answered:
    """The work is done, with a result."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The work ended with an error; ``memory`` where a lack of memory caused it."""

    error: BaseException
    memory: bool = False


@dataclass(frozen=True)
class Ended:
    """The process is gone.

    Attributes:
        code: its exit code, or minus the signal that ended it, where that is known.
        told: how it ended, where that is told in other words.
        gone: whether its place is gone with it.
    """

    code: int | None
    told: str = ""
    gone: bool = False


Message = Trained | Answered | Failed | Ended


class Workers(contextlib.AbstractContextManager["Workers"]):
    """Worker processes by name; they are started when they first get work.

    Args:
        environment: variables of a worker's environment, by its name, besides those of this
            process; they are set before its work imports anything.
        loaded: whether workers begin with the libraries imported (see `starting`); then variables
            are set after these are.
    """

    tries = 2
    """How often a step is tried that lacks memory, or whose process dies."""

    def __init__(
        self,
        environment: Callable[[str], Mapping[str, str]] = lambda name: {},
        loaded: bool = False,
    ):
        self._environment, self._loaded = environment, loaded
        self._processes = dict[str, tuple[BaseProcess, Connection]]()
        self._busy = set[str]()

    def __exit__(self, *error: object) -> None:
        for name in list(self._processes):
            self.end(name)

    def give(self, name: str, work: Work) -> None:
        """Let a worker that has nothing to do begin some work."""
        process, _ = self._processes.get(name, (None, None))
        if process is None or not process.is_alive():
            self.end(name)
            self._start(name)
        self._busy.add(name)
        # Where it has died in this moment, the next `heard` tells.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._processes[name][1].send(work)

    def heard(
        self, also: Sequence[Connection] = (), timeout: float | None = None
    ) -> list[tuple[str, Message]]:
        """What the workers that have something to do said, once one of them says something.

        Args:
            also: pipes; it returns as well when one of them can be read.
            timeout: seconds after which it returns all the same.
        """
        of = {self._processes[name][1]: name for name in self._busy}
        sentinels = {self._processes[name][0].sentinel: name for name in self._busy}
        ready = wait([*of, *sentinels, *also], timeout)
        names = dict.fromkeys(of.get(r) or sentinels.get(r) for r in ready)  # pyright: ignore
        return [(name, message) for name in names if name for message in self._messages(name)]

    def ask_to_stop(self) -> None:
        """Ask every worker to stop: a training between two steps, anything else at once."""
        for process, _ in self._processes.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGTERM)

    def end(self, name: str) -> None:
        """End a worker at once, with its work; a new one takes its place when there is work."""
        self._busy.discard(name)
        process, connection = self._processes.pop(name, (None, None))
        if process and connection:
            process.kill()
            process.join()
            connection.close()

    def joined(self) -> Sequence[Place]:
        """Nothing: places of this machine do not come and go."""
        return ()

    def awaits_places(self) -> bool:
        """False, likewise."""
        return False

    def _start(self, name: str) -> None:
        context = starting(self._loaded)
        ours, theirs = context.Pipe()
        environment = {**os.environ, **self._environment(name)}
        process = context.Process(target=_serve, args=(theirs, environment), name=f"w2s {name}")
        with without_main(), held_back(CLUSTER):
            process.start()
        theirs.close()
        self._processes[name] = process, ours

    def _messages(self, name: str) -> Iterator[Message]:
        """All that a worker has said so far; when it is gone, that is its last message."""
        process, connection = self._processes[name]
        try:
            while connection.poll():
                message = connection.recv()
                if not isinstance(message, Trained):
                    self._busy.discard(name)
                yield message
            if process.is_alive():
                return
        except (EOFError, OSError):
            pass
        process.join()
        answered = name not in self._busy
        self.end(name)
        if not answered:
            yield Ended(process.exitcode)


def _serve(connection: Connection, environment: Mapping[str, str]) -> None:
    """The life of a worker process; only the process that started it heeds Ctrl-C."""
    # That of the process which is copied may be older.
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    gone = (Stopped, EOFError, BrokenPipeError, ConnectionResetError)
    with heeding(ctrl_c=False) as stops, contextlib.suppress(*gone):
        let_in(CLUSTER)
        while True:
            answer = _answer(connection, stops)
            # An answer goes out whole.
            stops.patient = True
            connection.send(answer)
            stops.patient = False
            stops.check()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # What Python would tidy up at its end can take seconds, and the system does it as well.
    os._exit(0)


def _answer(connection: Connection, stops: Stops) -> Answered | Failed:
    """Wait for work and do it.

    Raises:
        Stopped: where that was asked for.
        EOFError: where the other end is gone.
    """
    try:
        function, arguments = connection.recv()
    except EOFError:
        raise
    except Exception as error:
        # What came cannot be unpickled: a module of the user's, for example, is not there.
        return Failed(portable(error))
    try:
        return Answered(function(_Steps(connection, stops), *arguments))
    except Stopped:
        raise
    except LacksMemoryError as error:
        return Failed(portable(error.__cause__ or error), memory=True)
    except BaseException as error:
        return Failed(portable(error))


@dataclass
class _Steps:
    """The `OnStep` of a worker."""

    connection: Connection
    stops: Stops
    told: float = 0.0

    def __call__(self, done: int, total: int) -> None:
        # Until the next step, a request waits for this function.
        self.stops.patient = True
        if done in (1, total) or time.monotonic() - self.told >= PAUSE or not self.told:
            self.connection.send(Trained(done, total))
            self.told = time.monotonic()
        self.stops.check()
        self.stops.patient = done < total


def portable(error: BaseException) -> BaseException:
    """An error that can be sent: where it came from is a note to it."""
    error.add_note("".join(["In a worker process:\n", *traceback.format_exception(error)]))
    try:
        return loads(ForkingPickler.dumps(error))  # noqa: S301  its own words
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note("\n".join(error.__notes__))
        return told
