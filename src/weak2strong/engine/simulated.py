"""A run by a clock of its own: the schedule that engines follow, and steps that only take time.

Events stand in a heap, so that a simulation costs about as much as its schedule.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from weak2strong.engine.schedule import Place, Schedule
from weak2strong.protocol.steps import Step


@dataclass(frozen=True)
class Simulated:
    """What a run would take; times are in the unit of its steps.

    Attributes:
        workers: how many places there were.
        makespan: the time from the first step's begin to the last one's end.
        work: the time of all steps together.
        loads: how many times a place began a step of a model that it did not hold.
        gpus: how many GPUs there were, also those that belong to no worker.
        on_gpus: the time of all steps on each of their GPUs.
    """

    workers: int
    makespan: float
    work: float
    loads: int
    gpus: int
    on_gpus: float

    @property
    def speedup(self) -> float:
        """How many times as fast as one worker; 1 where there is nothing to do."""
        return self.work / self.makespan if self.makespan else 1.0

    @property
    def idle(self) -> float:
        """The share of the GPUs' time in which they do nothing."""
        return 1 - self.on_gpus / (self.gpus * self.makespan) if self.makespan else 0.0


def simulate(
    schedule: Schedule, places: Sequence[Place], seconds: Callable[[Step], float]
) -> Simulated:
    """Follow a schedule to its end, on workers of one GPU each.

    Args:
        schedule: whose steps have not begun.
        places: that do them, all free at the beginning.
        seconds: that a step takes, which may differ from what the schedule expects.

    Raises:
        ValueError: where none of the places may do some step.
    """
    free, running = deque(places), list[tuple[float, int, Place, Step]]()
    begun, now, work = 0, 0.0, 0.0
    while schedule.left:
        for place, step in _begin(schedule, free):
            heapq.heappush(running, (now + seconds(step), begun, place, step))
            begun += 1
            work += seconds(step)
        if not running:
            raise ValueError(f"None of the places may do {schedule.left} of the steps.")
        now = running[0][0]
        # What ends at the same time ends before anything begins.
        while running and running[0][0] == now:
            _, _, place, step = heapq.heappop(running)
            schedule.done(step)
            free.append(place)
    return Simulated(len(places), now, work, schedule.loads, len(places), work)


def _begin(schedule: Schedule, free: deque[Place]) -> Iterator[tuple[Place, Step]]:
    """Give each free place what there is for it; those that get nothing stay free."""
    without = list[Place]()
    while free and schedule.ready:
        place = free.popleft()
        if step := schedule.next(place):
            yield place, step
        else:
            without.append(place)
    free.extendleft(reversed(without))
