"""Which step a place does next: pure, without a clock, so that engines and simulation share it.

Of the steps that are ready, the one with the longest way to the end comes first (list scheduling
by the critical path, "highest level first": Hu, Parallel Sequencing and Assembly Line Problems,
1961). Each edge between steps is touched once before the first step and once in the run, and each
step enters and leaves a heap once, so that a study of 100,000 steps costs seconds.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from weak2strong.protocol.steps import Step

ALIKE = 0.9
"""A way to the end counts as long as the longest from this share of it on: estimates of seconds
are no better than that, so choosing among these by the model costs nothing."""


@dataclass(frozen=True)
class Place:
    """A worker that does one step at a time.

    Attributes:
        name: unique among the places of an engine.
        device: its class: "cpu", "cuda" or "mps".
        models: how many models it holds at a time, those that it used last.
        memory: the name of the memory (such as a GPU) that it shares with other places, which a
            step that is to be alone has for itself; its own name if empty.
    """

    name: str
    device: str = "cpu"
    models: int = 1
    memory: str = ""


@dataclass(eq=False)
class _Node:
    """A step, and where it stands."""

    step: Step
    order: int
    seconds: float
    model: str | None
    devices: frozenset[str] | None
    missing: int = 0
    followers: list[_Node] = field(default_factory=list)
    way: float = 0.0
    state: Literal["waiting", "ready", "running", "apart", "done", "failed"] = "waiting"
    """Apart from the heaps are steps that are ready and to be alone."""
    alone: bool = False

    def may_run_on(self, place: Place) -> bool:
        return self.devices is None or place.device in self.devices


class Schedule:
    """The steps of a run that are left, and who gets which of them.

    Whoever drives it asks `next` for every free place, and again for every free place whenever
    `done` or `again` was called, while there are steps that are `ready`.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        seconds: Callable[[Step], float] = lambda step: 1.0,
        models: Callable[[Step], str | None] = lambda step: None,
        devices: Callable[[Step], frozenset[str] | None] = lambda step: None,
    ) -> None:
        """Each function is called once with each step.

        Args:
            steps: with unique names. What they need and is not among them is taken for done. Of
                steps with equally long ways the first comes first.
            seconds: that a step is expected to take, in any unit.
            models: the model that a step loads, if any.
            devices: the classes of device on which a step may run; None for any.

        Raises:
            ValueError: where two steps have one name, or steps wait for each other in a circle.
        """
        self.left = len(steps)
        """How many steps are not done, running ones included."""
        self.ready = 0
        """How many steps a place of the right kind could begin now."""
        self.loads = 0
        """How many times a place began a step of a model that it did not hold."""
        self._nodes = {
            s.name: _Node(s, i, seconds(s), models(s), devices(s)) for i, s in enumerate(steps)
        }
        if len(self._nodes) < len(steps):
            raise ValueError("Two steps have one name.")
        self._heaps = dict[frozenset[str] | None, _Heaps]()
        self._alone = list[_Node]()
        self._emptied_for = dict[str, _Node]()
        self._in_memory = Counter[str]()
        self._held = dict[str, list[str]]()
        self._running = dict[str, Place]()
        for node in self._nodes.values():
            needed = [self._nodes[name] for name in node.step.needs if name in self._nodes]
            node.missing = len(needed)
            for other in needed:
                other.followers.append(node)
        _measure_ways(self._nodes.values())
        for node in self._nodes.values():
            if not node.missing:
                self._make_ready(node)

    @property
    def running(self) -> Mapping[str, Place]:
        """The place of each step that runs, by the step's name."""
        return self._running

    def way(self, step: Step) -> float:
        """The seconds of a step and of the longest chain of steps that wait for it."""
        return self._nodes[step.name].way

    def critical_path(self) -> tuple[Step, ...]:
        """The chain of steps that takes longest: no number of places is quicker."""
        path, nodes = list[Step](), list[_Node](self._nodes.values())
        while node := _longest(nodes):
            path.append(node.step)
            nodes = node.followers
        return tuple(path)

    def is_alone(self, step: Step) -> bool:
        """Whether a step has, or is to have, the memory of its place for itself."""
        return self._nodes[step.name].alone

    def next(self, place: Place) -> Step | None:
        """The step that a free place does now; None where there is nothing for it yet.

        It is the ready step with the longest way to the end, or one nearly as long (`ALIKE`) of a
        model that the place holds. A step that is to be alone comes before all others: a memory
        that several places share gets nothing else until it is free of other steps.
        """
        memory = place.memory or place.name
        node = self._alone_for(place, memory)
        if node is None:
            if memory in self._emptied_for:
                return None
            node = self._longest_for(place)
        if node is None:
            return None
        self.ready -= 1
        node.state = "running"
        self._running[node.step.name] = place
        self._in_memory[memory] += 1
        if node.model is not None:
            before = self._held.get(place.name, ())
            self.loads += node.model not in before
            held = [node.model, *(m for m in before if m != node.model)]
            self._held[place.name] = held[: place.models]
        return node.step

    def done(self, step: Step) -> None:
        """A running step is done: those that waited for nothing else are ready."""
        node = self._stop(step)
        node.state = "done"
        self.left -= 1
        for follower in node.followers:
            follower.missing -= 1
            if not follower.missing:
                self._make_ready(follower)

    def again(self, step: Step) -> None:
        """A running step failed by lack of memory or with its worker: it is ready again, alone.

        Its place is taken for a new one, which holds no model.
        """
        self._held.pop(self._running[step.name].name, None)
        node = self._stop(step)
        node.state, node.alone = "apart", True
        self.ready += 1
        self._alone.append(node)

    def back(self, step: Step) -> None:
        """The place of a running step is gone: the step is ready again, as before."""
        if self._nodes[step.name].alone:
            return self.again(step)
        self._held.pop(self._running[step.name].name, None)
        self._make_ready(self._stop(step))

    def fail(self, step: Step) -> None:
        """A running step failed for good: it stays left, and what waits for it is never ready."""
        self._stop(step).state = "failed"

    def _stop(self, step: Step) -> _Node:
        node, place = self._nodes[step.name], self._running.pop(step.name)
        memory = place.memory or place.name
        self._in_memory[memory] -= 1
        if self._emptied_for.get(memory) is node:
            del self._emptied_for[memory]
        return node

    def _make_ready(self, node: _Node) -> None:
        node.state = "ready"
        self.ready += 1
        self._heaps.setdefault(node.devices, _Heaps()).push(node)

    def _alone_for(self, place: Place, memory: str) -> _Node | None:
        """A step that has the memory for itself, if that is free; otherwise keep others out."""
        node = self._emptied_for.get(memory) or next(
            (n for n in self._alone if n.may_run_on(place)), None
        )
        if node is None or node.state == "running":
            return None
        if self._in_memory[memory]:
            if node not in self._emptied_for.values():
                self._emptied_for[memory] = node
            return None
        # Another memory may have been kept free for it.
        self._emptied_for = {m: n for m, n in self._emptied_for.items() if n is not node}
        self._emptied_for[memory] = node
        self._alone.remove(node)
        return node

    def _longest_for(self, place: Place) -> _Node | None:
        """The step of the longest way, or one nearly as long of a model that the place holds."""
        heaps = [
            heaps
            for devices, heaps in self._heaps.items()
            if devices is None or place.device in devices
        ]
        longest = _longest([h.first() for h in heaps])
        if longest is None:
            return None
        held = self._held.get(place.name, ())
        if longest.model is None or longest.model in held:
            return longest
        known = _longest([h.first(model) for h in heaps for model in held])
        return known if known and known.way >= ALIKE * longest.way else longest


class _Heaps:
    """Ready steps by their ways, in one heap for all and one for each model.

    A step that was taken from the other heap is dropped when it comes up here.
    """

    def __init__(self) -> None:
        self._all = list[tuple[float, int, _Node]]()
        self._of_model = dict[str, list[tuple[float, int, _Node]]]()

    def push(self, node: _Node) -> None:
        entry = (-node.way, node.order, node)
        heapq.heappush(self._all, entry)
        if node.model is not None:
            heapq.heappush(self._of_model.setdefault(node.model, []), entry)

    def first(self, model: str | None = None) -> _Node | None:
        """The ready step of the longest way, of one model or of all; it stays in the heap."""
        heap = self._all if model is None else self._of_model.get(model, [])
        while heap and heap[0][2].state != "ready":
            heapq.heappop(heap)
        return heap[0][2] if heap else None


def _longest(nodes: Sequence[_Node | None]) -> _Node | None:
    """The node of the longest way, the first in order among equals."""
    return min((n for n in nodes if n), key=lambda n: (-n.way, n.order), default=None)


def _measure_ways(nodes: Collection[_Node]) -> None:
    """Set the way of each node: its seconds, and the longest way of those that wait for it."""
    ordered = [node for node in nodes if not node.missing]
    missing = {node: node.missing for node in nodes}
    for node in ordered:
        for follower in node.followers:
            missing[follower] -= 1
            if not missing[follower]:
                ordered.append(follower)
    if len(ordered) < len(missing):
        circle = next(node for node, n in missing.items() if n)
        raise ValueError(f"The step {circle.step.name} waits for itself through others.")
    for node in reversed(ordered):
        node.way = node.seconds + max((f.way for f in node.followers), default=0.0)
