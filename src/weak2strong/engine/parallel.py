"""Steps on several workers of this machine, by the schedule; a worker that dies costs its step."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Answered, Ended, Failed, Message, Trained, Work, Workers
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, Stops
from weak2strong.protocol.steps import Step

GRACE = 2.0
"""Seconds after a request to stop, until which a worker without a training may end by itself."""

MEMORY = (
    "adapt the model by LoRA or the head alone, take a smaller one, or make room; what is finished "
    "is kept."
)
"""What to do where memory runs out."""


def in_parallel(
    schedule: Schedule,
    places: Sequence[Place],
    work_of: Callable[[Step], Work],
    progress: Progress,
    stops: Stops,
    environment: Callable[[str], Mapping[str, str]] = lambda name: {},
    more: Callable[[Step, Place, Any], Sequence[Place]] = lambda step, place, result: (),
) -> Generator[Any]:
    """Do the steps of a schedule, and yield what the work of each one gave.

    A step that fails by lack of memory, or whose process dies, is tried once more, with nothing
    beside it in the memory of its place. If it fails again, steps that do not need it are done all
    the same, before its error is raised. After any other error what runs is stopped.

    Args:
        schedule: of the steps.
        places: the workers, each a process.
        work_of: what a worker does for a step; asked when the step begins.
        progress: shows trainings.
        stops: requests to stop.
        environment: variables of a worker's environment, by the name of its place.
        more: further places that a result makes room for.

    Raises:
        Stopped: where that was asked; trainings have written their checkpoints.
        UserError: where memory runs out.
    """
    with _waking(stops) as woken, Workers(environment) as workers:
        run = _Run(schedule, list(places), work_of, workers, progress, stops)
        while run.begin() or run.busy:
            # Once it is known that everything stops, the file of requests has nothing new to tell.
            also, timeout = ([woken], None) if run.stopping is None else ([], 0.1)
            for name, message in workers.heard(also, timeout):
                place, step = run.busy[name]
                if (answered := run.hear(place, step, message)) is not None:
                    run.free.extend(more(step, place, answered.result))
                    yield answered.result
            run.stop_if_asked()
        stops.check()
        if run.errors:
            raise run.errors[0]
        assert not schedule.left, "a step waits for a device that no place has"


@contextmanager
def _waking(stops: Stops) -> Iterator[int]:
    """Inside, a request to stop makes a file readable, and interrupts nothing."""
    woken, wake = os.pipe()

    def on_ask(number: int) -> None:
        os.write(wake, b".")

    stops.patient, stops.on_ask = True, on_ask
    try:
        yield woken
    finally:
        stops.patient, stops.on_ask = False, lambda number: None
        os.close(woken)
        os.close(wake)


@dataclass
class _Run:
    """Where the steps of a schedule stand.

    Attributes:
        free: places without a step.
        busy: places with one, and the step, by the name of the place.
        trainings: steps done and steps in all of those that go on, by the name of the place.
        tried: names of the steps that have failed once by lack of memory or with their process.
        errors: of steps that failed for good; the first one is raised.
        stopping: since when everything is to stop, if it is.
    """

    schedule: Schedule
    free: list[Place]
    work_of: Callable[[Step], Work]
    workers: Workers
    progress: Progress
    stops: Stops
    busy: dict[str, tuple[Place, Step]] = field(default_factory=dict)
    trainings: dict[str, tuple[int, int]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)
    stopping: float | None = None

    def begin(self) -> bool:
        """Give a step to each free place for which there is one; whether any was given."""
        begun = []
        for place in self.free if self.stopping is None else ():
            if not self.schedule.ready:
                break
            if (step := self.schedule.next(place)) is not None:
                begun.append(place)
                self.busy[place.name] = place, step
                self.workers.give(place.name, self.work_of(step))
        self.free = [place for place in self.free if place not in begun]
        return bool(begun)

    def hear(self, place: Place, step: Step, message: Message) -> Answered | None:
        """Take in what the worker of a place said; its answer, if it has done the step."""
        if isinstance(message, Trained):
            self.progress.update(step.name, message.done, message.total)
            self.trainings[place.name] = message.done, message.total
            return None
        del self.busy[place.name]
        self.trainings.pop(place.name, None)
        self.progress.forget(step.name)
        self.free.append(place)
        match message:
            case Answered():
                self.schedule.done(step)
                return message
            case Failed(error, memory=True):
                # Only a new process gives all memory back.
                self.workers.end(place.name)
                self._try_again(step, "lacked memory", _lack(step, error))
            case Failed(error):
                self._fail(step, error)
                self._stop_all(f"{step.name} failed")
            case Ended(code) if self.stopping is None:
                how = _how(code)
                self._try_again(step, f"its process {how}", _death(step, how, code))
        return None

    def stop_if_asked(self) -> None:
        """Let everything stop where that was asked; what does not train is ended after a while."""
        if self.stops.asked is not None and self.stopping is None:
            self._stop_all(Stopped(self.stops.asked).by)
        if self.stopping is not None and time.monotonic() - self.stopping > GRACE:
            for name, (place, step) in list(self.busy.items()):
                if not _goes_on(self.trainings.get(name)):
                    self.workers.end(name)
                    self.hear(place, step, Ended(None))

    def _try_again(self, step: Step, what: str, error: BaseException) -> None:
        if self.stopping is not None:
            return
        if step.name in self.tried:
            self.progress.line(f"{step.name} failed again ({what}); steps that need it are left")
            self._fail(step, error)
            return
        self.tried.add(step.name)
        self.progress.line(f"{step.name}: {what}; it is tried once more, with nothing beside it")
        self.schedule.again(step)

    def _fail(self, step: Step, error: BaseException) -> None:
        self.schedule.fail(step)
        self.errors.append(error)

    def _stop_all(self, why: str) -> None:
        if self.stopping is not None:
            return
        self.stopping = time.monotonic()
        going = {
            self.busy[name][1].name: steps
            for name, steps in self.trainings.items()
            if _goes_on(steps)
        }
        text = waiting_for(going, why)
        if self.stops.asked is None:
            self.progress.line(text)
        else:
            self.progress.answer(text)
        self.workers.ask_to_stop()


def waiting_for(trainings: Mapping[str, tuple[int, int]], why: str) -> str:
    """The line that says what is waited for before everything stops.

    Args:
        trainings: steps done and steps in all, by the name of the step that trains.
        why: what it stops for, such as Ctrl-C.
    """
    listed = ", ".join(f"{name}, step {a} of {b}" for name, (a, b) in trainings.items())
    if not listed:
        return f"{why}: stopping; no training is going on."
    return (
        f"{why}: stopping when each training that goes on ({listed}) has written its checkpoint; "
        "Ctrl-C once more ends at once, and loses at most two minutes of each."
    )


def _goes_on(training: tuple[int, int] | None) -> bool:
    return training is not None and training[0] < training[1]


def _how(code: int | None) -> str:
    """How a process ended, by its exit code."""
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _death(step: Step, how: str, code: int | None) -> BaseException:
    """The error of a step whose process has died twice."""
    if code == -signal.SIGKILL:
        return UserError(
            f"The process of {step.name} {how} twice, the second time with nothing beside it, as a "
            f"system does where its memory runs out: {MEMORY}"
        )
    return RuntimeError(f"The process of {step.name} {how}, twice.")


def _lack(step: Step, error: BaseException) -> BaseException:
    """The error of a step that lacked memory twice."""
    if isinstance(error, UserError):
        return error
    sentence = UserError(
        f"Memory ran out in {step.name} twice, the second time with nothing beside it: {MEMORY}"
    )
    sentence.__cause__ = error
    return sentence
