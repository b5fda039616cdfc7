"""Where a run stands, by the log of its folder: what is done, at work, waiting, and time left."""

from __future__ import annotations

import platform
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

_SEED = re.compile(r" seed \d+$")

FINISHED, KILLED = "finished", "killed"
"""How a run ended that says nothing else of it."""

SILENT = 900
"""Seconds without news after which a run may have been stopped."""


@dataclass(frozen=True)
class AtWork:
    """A step that goes on.

    Attributes:
        name: of the step.
        place: where, such as "GPU 0, worker 1".
        since: when it began.
        done: steps of the optimiser that are done, when that was told last; 0 before.
        total: steps of the optimiser; 0 before that is known, and where nothing is trained.
    """

    name: str
    place: str
    since: datetime
    done: int = 0
    total: int = 0

    @property
    def far(self) -> str:
        """How far its training is, in words; empty where that is not known."""
        return f"step {self.done:,} of {self.total:,}" if self.total else ""

    def seconds(self, now: datetime) -> float:
        """How long it has been at work."""
        return max(0.0, (now - self.since).total_seconds())


@dataclass(frozen=True)
class Finished:
    """A step that is done.

    Attributes:
        name: of the step.
        seconds: that it took.
        reused: whether the store had it.
        stages: it used, each with ``stage`` and ``key``.
    """

    name: str
    seconds: float
    reused: bool
    stages: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RunState:
    """Where a run stands since its last start.

    Attributes:
        began: when it started.
        last: when something was heard of it last.
        workers: processes that do steps.
        store: root of the store.
        steps: the names of all; nothing in the log of a release that did not tell them.
        done: the steps that are done, in that order.
        running: the steps that go on.
        warnings: sentences for the user.
        ended: `FINISHED`, `KILLED`, what it was stopped by, or None while it goes on.
        machine: where it was started; empty in the log of a release that did not tell it.
    """

    began: datetime
    last: datetime
    workers: int
    store: str
    steps: tuple[str, ...]
    done: tuple[Finished, ...]
    running: tuple[AtWork, ...]
    warnings: tuple[str, ...]
    ended: str | None
    machine: str = ""

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the steps that have not begun."""
        begun = {one.name for one in (*self.done, *self.running)}
        return tuple(name for name in self.steps if name not in begun)

    @property
    def reused(self) -> int:
        """How many of the steps that are done the store had."""
        return sum(one.reused for one in self.done)

    def silent(self, now: datetime) -> float | None:
        """For how many seconds nothing was heard of it; None where that is not long yet, or at an
        end."""
        seconds = (now - self.last).total_seconds()
        return seconds if self.ended is None and seconds > SILENT else None

    def beside(self, at_work: bool | None) -> RunState:
        """The state, which is killed where the log has no end and nobody is at work on it.

        Args:
            at_work: whether somebody is, found out before the log was read, since an end is told
                first; None where that is not known. Of another machine it may be wrong.
        """
        gone = at_work is False and self.ended is None and self.machine == platform.node()
        return replace(self, ended=KILLED, running=()) if gone else self

    def seconds_left(self, now: datetime) -> float | None:
        """A guess from the steps that were made, those of the same kind first; None before any.

        Args:
            now: the time.
        """
        took = _Took(self.done)
        if self.ended or not self.steps or not took.known:
            return None
        running = [_rest(one, took, now) for one in self.running]
        waiting = [took.of(name) for name in self.waiting]
        places = max(1, self.workers, len(self.running))
        return max(sum((*running, *waiting)) / places, *running, 0.0)


def _rest(one: AtWork, took: _Took, now: datetime) -> float:
    """The seconds that a step at work still takes."""
    spent = one.seconds(now)
    if one.done and one.total:
        return spent / one.done * (one.total - one.done)
    return max(0.0, took.of(one.name) - spent)


class _Took:
    """What steps took that were made and not read, by the likeness of their names."""

    def __init__(self, done: Sequence[Finished]):
        self._of = defaultdict[str, list[float]](list)
        for one in done:
            for likeness in _likenesses(one.name) if not one.reused else ():
                self._of[likeness].append(one.seconds)

    @property
    def known(self) -> bool:
        """Whether any was made."""
        return bool(self._of)

    def of(self, name: str) -> float:
        """The mean of the steps that are most like one."""
        alike = next(self._of[like] for like in _likenesses(name) if like in self._of)
        return sum(alike) / len(alike)


def _likenesses(name: str) -> tuple[str, str, str]:
    """What steps that take about as long share with one: all but the seed, what it is, nothing."""
    return _SEED.sub("", name), what_of(name), ""


def what_of(name: str) -> str:
    """What a step makes, of its name: ``student naive`` of ``atlas-asia student naive seed 0``."""
    _, _, rest = name.partition(" ")
    return _SEED.sub("", rest or name)


def state_of(events: Sequence[Mapping[str, Any]]) -> RunState | None:
    """Where a run stands by its log; None where it has not started."""
    starts = [i for i, e in enumerate(events) if e["event"] == "start"]
    if not starts:
        return None
    start, *later = events[starts[-1] :]
    done, running, warnings, ended = dict[str, Finished](), dict[str, AtWork](), [], None
    for e in later:
        name = e.get("name")
        match e["event"]:
            case "begin" if name:
                running[name] = AtWork(name, str(e.get("place", "")), _time(e))
            case "training" if name in running:
                was = running[name]
                told = int(e.get("done", 0)), int(e.get("total", 0))
                running[name] = AtWork(name, was.place, was.since, *told)
            case "step" if name:
                running.pop(name, None)
                stages = e.get("stages") or ()
                done[name] = Finished(
                    name, float(e.get("seconds") or 0), bool(e.get("reused")), stages
                )
            case "warning" if "text" in e:
                warnings.append(e["text"])
            case "end":
                ended = FINISHED
            case "stop":
                ended = str(e.get("why") or "an error")
    return RunState(
        began=_time(start),
        last=_time(events[-1]),
        workers=int(start.get("workers") or 1),
        store=str(start.get("store") or ""),
        steps=tuple(start.get("steps") or ()),
        done=tuple(done.values()),
        running=() if ended else tuple(running.values()),
        warnings=tuple(dict.fromkeys(warnings)),
        ended=ended,
        machine=str(start.get("machine") or ""),
    )


def _time(event: Mapping[str, Any]) -> datetime:
    """When an event was told; one without a zone is of UTC."""
    time = datetime.fromisoformat(event["time"])
    return time if time.tzinfo else time.replace(tzinfo=UTC)
