"""What lives on a node: the process of one place, which does a step at a time.

A step is done in one thread of it, so that another one can tell how a training goes on, and take
in a request to stop. Ray pickles what goes to it and comes back, and keeps nothing of it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from weak2strong.engine.on_ray.code import check_code
from weak2strong.engine.workers import (
    Answered,
    Ended,
    Failed,
    LacksMemoryError,
    OnStep,
    Trained,
    Work,
    portable,
)
from weak2strong.ground.processes import set_threads
from weak2strong.ground.stops import Stopped, Stops
from weak2strong.protocol.runtime import Runtime

PAUSE = 0.5
"""Seconds between two news of one training, at the least."""

WAIT = 60.0
"""Seconds after which who waits for news is told that there are none."""


class Worker:
    """The process of a place. Its methods but `do` run beside a step."""

    def __init__(self, threads: int, folder: Path, code: str):
        """Begin.

        Args:
            threads: of computations on the CPU.
            folder: that of the driver, to which paths of the user's are relative; if it is here.
            code: the digest of the driver's source of this package.
        """
        if folder.is_dir():
            os.chdir(folder)
        self._code = code
        self._threads = threads
        self._changed = threading.Condition()
        self._ended, self._training = 0, Trained(0, 0)
        self._stops = Stops()

    def do(self, number: int, work: Work) -> Answered | Failed | Ended:
        """Do some work; its errors are given back, so that they are not taken for Ray's.

        Args:
            number: of the work among those of this worker, from 1 on.
            work: what is to be done.
        """
        function, arguments = work
        # Threads belong to the thread that computes.
        set_threads(self._threads)
        self._training = Trained(0, 0)
        try:
            self._stops.check()
            check_code(self._code)
            return Answered(function(self._on_step, *arguments))
        except Stopped:
            return Ended(None)
        except LacksMemoryError as error:
            return Failed(portable(error.__cause__ or error), memory=True)
        except BaseException as error:
            return Failed(portable(error))
        finally:
            with self._changed:
                self._ended = number
                self._changed.notify_all()

    def news(self, number: int, told: Trained | None) -> Trained | None:
        """How a training goes on, once it has gone on.

        Args:
            number: of the work (see `do`).
            told: the last news.

        Returns:
            None where the work has ended; what was told before where nothing happened for long.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended >= number, PAUSE)
            self._changed.wait_for(
                lambda: self._ended >= number or self._training not in (told, Trained(0, 0)), WAIT
            )
            return None if self._ended >= number else self._training

    def ask_to_stop(self, number: int) -> None:
        """Let a training stop between two steps, with its checkpoint written.

        Args:
            number: of the signal that asked.
        """
        self._stops.asked = number

    def _on_step(self, done: int, total: int) -> None:
        with self._changed:
            self._training = Trained(done, total)
            self._changed.notify_all()
        self._stops.check()


def runtimes(on_step: OnStep) -> tuple[Runtime, ...]:
    """Work that tells what is in the keys of a worker's results, by the kind of device."""
    return Runtime.of_machine()
