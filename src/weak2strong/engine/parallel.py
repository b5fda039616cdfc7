"""Steps on several workers of this machine, by the schedule; a worker that dies costs its step."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Protocol

from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.workers import Answered, Ended, Failed, Message, Trained, Work
from weak2strong.ground.errors import DivergedError, UserError
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, Stops
from weak2strong.methods.reference import plugins_in
from weak2strong.protocol.steps import Step

GRACE = 2.0
"""Seconds after a request to stop, until which a worker without a training may end by itself."""

MOVES = 5
"""How often a step is begun anew because its machine is gone, which the step may cause."""

MEMORY = (
    "adapt the model by LoRA or the head alone, take a smaller one, or make room; what is finished "
    "is kept."
)
"""What to do where memory runs out."""


def in_parallel(
    schedule: Schedule,
    places: Sequence[Place],
    work_of: Callable[[Step], Work],
    crew: Crew,
    progress: Progress,
    stops: Stops,
    more: Callable[[Step, Place, Any], Sequence[Place]] = lambda step, place, result: (),
) -> Generator[Any]:
    """Do the steps of a schedule, and yield what the work of each one gave.

    A step that fails by lack of memory, or whose process dies, is tried once more, with nothing
    beside it in the memory of its place. If it fails again, steps that do not need it are done all
    the same, before its error is raised; so it is where a training has diverged. After any other
    error what runs is stopped.

    Args:
        schedule: of the steps.
        places: the workers, each a process.
        work_of: what a worker does for a step; asked when the step begins.
        progress: shows trainings.
        stops: requests to stop.
        crew: the workers by the names of their places; what it is given is ended by it.
        more: further places that a result makes room for.

    Raises:
        Stopped: where that was asked; trainings have written their checkpoints.
        UserError: where memory runs out.
    """
    with _waking(stops) as woken, crew as workers:
        run = _Run(schedule, list(places), work_of, workers, progress, stops)
        while run.begin() or run.busy or run.awaits_places():
            # Once it is known that everything stops, the file of requests has nothing new to tell.
            also, timeout = ([woken], None) if run.stopping is None else ([], 0.1)
            for name, message in workers.heard(also, timeout):
                place, step = run.busy[name]
                if (answered := run.hear(place, step, message)) is not None:
                    run.free.extend(more(step, place, answered.result))
                    yield answered.result
            run.free.extend(workers.joined())
            run.stop_if_asked()
        stops.check()
        if run.errors:
            raise run.errors[0]
        assert not schedule.left, "a step waits for a device that no place has"


KILLED = -getattr(signal, "SIGKILL", 0) or None
"""The exit code of a process that a system has ended for want of memory, where it has such."""


class Crew(AbstractContextManager["Crew"], Protocol):
    """Workers by the names of their places, as `weak2strong.engine.workers.Workers` has them."""

    @property
    def tries(self) -> int:
        """How often a step is tried that lacks memory, or whose process dies."""
        ...

    def give(self, name: str, work: Work) -> None:
        """Let a worker that has nothing to do begin some work."""

    def heard(
        self, also: Sequence[Connection] = (), timeout: float | None = None
    ) -> list[tuple[str, Message]]:
        """What the workers said, once one of them says something."""
        ...

    def ask_to_stop(self) -> None:
        """Ask every worker to stop."""

    def end(self, name: str) -> None:
        """End a worker at once."""

    def joined(self) -> Sequence[Place]:
        """Places that are new since the last call."""
        ...

    def awaits_places(self) -> bool:
        """Whether there is no place any more, but one may still come."""
        ...


@contextmanager
def _waking(stops: Stops) -> Iterator[Connection]:
    """Inside, a request to stop makes a pipe readable, and interrupts nothing."""
    woken, wake = Pipe(duplex=False)

    def on_ask(number: int) -> None:
        wake.send_bytes(b".")

    stops.patient, stops.on_ask = True, on_ask
    try:
        yield woken
    finally:
        stops.patient, stops.on_ask = False, lambda number: None
        woken.close()
        wake.close()


@dataclass
class _Run:
    """Where the steps of a schedule stand.

    Attributes:
        free: places without a step.
        busy: places with one, and the step, by the name of the place.
        trainings: steps done and steps in all of those that go on, by the name of the place.
        tried: how often a step has failed by lack of memory or with its process, by its name.
        moved: how often a step has lost its machine, by its name.
        errors: of steps that failed for good; the first one is raised.
        stopping: since when everything is to stop, if it is.
    """

    schedule: Schedule
    free: list[Place]
    work_of: Callable[[Step], Work]
    workers: Crew
    progress: Progress
    stops: Stops
    busy: dict[str, tuple[Place, Step]] = field(default_factory=dict)
    trainings: dict[str, tuple[int, int]] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
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
                self.progress.begun(step.name, place.name)
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
        if not (isinstance(message, Ended) and message.gone):
            self.free.append(place)
        match message:
            case Answered():
                self.schedule.done(step)
                return message
            case Failed(error, memory=True):
                # Only a new process gives all memory back.
                self.workers.end(place.name)
                self._try_again(step, "lacked memory", _lack(step, error))
            case Failed(DivergedError() as error):
                self.progress.line(f"{step.name} has diverged; steps that need it are left")
                self._fail(step, error)
            case Failed(error):
                self._fail(step, error)
                self._stop_all(f"{step.name} failed")
            case Ended(gone=True) if self.stopping is None:
                self._move(step, message.told)
            case Ended() if self.stopping is None:
                how = _how(message)
                self._try_again(step, f"its process {how}", _death(step, message))
        return None

    def awaits_places(self) -> bool:
        """Whether steps wait for nothing but a place, which may still come."""
        ready = self.schedule.ready > 0 and self.stopping is None
        return ready and not self.free and self.workers.awaits_places()

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
        self.tried[step.name] += 1
        if self.tried[step.name] >= self.workers.tries:
            self.progress.line(f"{step.name} failed again ({what}); steps that need it are left")
            self._fail(step, error)
            return
        self.progress.line(f"{step.name}: {what}; it is tried once more, with nothing beside it")
        self.schedule.again(step)

    def _move(self, step: Step, how: str) -> None:
        """Do a step elsewhere whose machine is gone, which is not the step's fault."""
        self.moved[step.name] += 1
        if self.moved[step.name] > MOVES:
            self._fail(step, RuntimeError(f"{step.name} has lost its machine {MOVES} times."))
            return
        self.progress.line(f"{step.name}: {how}; it is done on another one")
        self.schedule.back(step)

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
    listed = ", ".join(f"{name} at step {a} of {b}" for name, (a, b) in trainings.items())
    if not listed:
        return f"{why}: stopping; no training is going on."
    return (
        f"{why}: stopping when each training that goes on ({listed}) has written its checkpoint; "
        "Ctrl-C once more ends at once, and loses about two minutes of each at the most."
    )


def _goes_on(training: tuple[int, int] | None) -> bool:
    return training is not None and training[0] < training[1]


def _how(ended: Ended) -> str:
    """How a process ended."""
    if ended.told:
        return ended.told
    if ended.code is None or ended.code >= 0:
        return f"ended with exit code {ended.code}"
    return f"was ended by {signal.Signals(-ended.code).name}"


def _death(step: Step, ended: Ended) -> BaseException:
    """The error of a step whose process has died twice."""
    how = _how(ended)
    if ended.told:
        return UserError(f"The process of {step.name} {how}, also with nothing beside it: {MEMORY}")
    if ended.code == KILLED:
        return UserError(
            f"The process of {step.name} {how} twice, the second time with nothing beside it, as a "
            f"system does where its memory runs out: {MEMORY}"
        )
    plugins = plugins_in(step.method) if step.method else ()
    if plugins:
        todo = (
            f"it runs functions of {', '.join(plugins)}, so look for what ends a process there, "
            "such as os._exit, or a crash of a library that they call"
        )
    else:
        todo = (
            "a library that it calls may have crashed, and where it did so is told with "
            "PYTHONFAULTHANDLER=1 in the environment"
        )
    return UserError(f"The process of {step.name} {how}, twice: {todo}; what is finished is kept.")


def _lack(step: Step, error: BaseException) -> BaseException:
    """The error of a step that lacked memory twice."""
    if isinstance(error, UserError):
        return error
    sentence = UserError(
        f"Memory ran out in {step.name} twice, the second time with nothing beside it: {MEMORY}"
    )
    sentence.__cause__ = error
    return sentence
