"""The workers of a cluster as the driver has them, with the manners of the local engine's."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from weak2strong.engine.on_ray.code import code_digest
from weak2strong.engine.on_ray.places import Needs, Node
from weak2strong.engine.on_ray.worker import Worker, runtimes
from weak2strong.engine.schedule import Place
from weak2strong.engine.workers import Answered, Ended, Failed, Message, Trained, Work
from weak2strong.ground.errors import UserError
from weak2strong.ground.stops import CTRL_C
from weak2strong.protocol.runtime import Runtime

PAUSE = 0.2
"""Seconds after which requests to stop are looked for while steps run."""

NODES = 5.0
"""Seconds between two looks at the nodes of the cluster."""

DIED = "died, as it does where its node runs out of memory"
"""How a worker ended. Ray does not tell more of one that was killed, by itself or by the system."""

PATIENCE = 600.0
"""Seconds for which a study waits for a node where none is left."""


@dataclass
class _Actor:
    """A worker, and what it does."""

    handle: Any
    name: str
    node: Node
    count: int = 0


class RayWorkers(contextlib.AbstractContextManager["RayWorkers"]):
    """Workers by the names of their places; each is an actor, which starts when it first gets work.

    Args:
        ray: the module of Ray, connected.
        needs: what each worker takes.
        forget: called with the name of the actor of a worker that has ended.
    """

    tries = 4
    """How often a step is tried whose process dies; Ray tells late that its node has died."""

    def __init__(self, ray: Any, needs: Needs, forget: Callable[[str], Any] = lambda name: None):
        self._ray, self._needs, self._forget = ray, needs, forget
        self._node_of = dict[str, Node]()
        self._places = dict[str, Place]()
        self._known, self._looked = set[str](), float("-inf")
        self._actors = dict[str, _Actor]()
        self._work = dict[Any, str]()
        self._news = dict[Any, tuple[str, int, Trained | None]]()
        self._silent = deque[tuple[float, str, int]]()
        self._lonely: float | None = None

    def __exit__(self, *error: object) -> None:
        for name in list(self._actors):
            self.end(name)

    def joined(self) -> list[Place]:
        """The places of nodes that are new since the last call."""
        if time.monotonic() - self._looked < NODES:
            return []
        self._looked = time.monotonic()
        nodes = Node.all_of(self._ray)
        places = []
        for node in nodes:
            if node.id not in self._known:
                new = self._needs.places_on(node)
                self._node_of |= dict.fromkeys((place.name for place in new), node)
                self._places |= {place.name: place for place in new}
                places += new
        self._known = {node.id for node in nodes}
        return places

    def awaits_places(self) -> bool:
        """Whether no node is left that has room for a worker, but one may still come.

        Raises:
            UserError: where none came for long.
        """
        if any(node.id in self._known for node in self._node_of.values()):
            self._lonely = None
            return False
        self._lonely = self._lonely or time.monotonic()
        if time.monotonic() - self._lonely > PATIENCE:
            raise UserError(
                f"The Ray cluster has had no node for a worker ({self._needs}) for "
                f"{PATIENCE / 60:g} minutes: add one, and run the same command again; what is "
                "finished is kept."
            )
        return True

    def runtimes(self) -> tuple[Runtime, ...]:
        """What is in the keys of a worker's results; one is started that is not yet, and asked.

        Raises:
            UserError: where none can be started.
        """
        for name in list(self._node_of):
            try:
                answer = self._ray.get(self._actor(name).handle.do.remote(0, (runtimes, ())))
            except self._ray.exceptions.RayError as error:
                # Of a node that has died, Ray may learn it by this.
                answer = self._gone(name, error)
            if isinstance(answer, Failed):
                raise answer.error
            if isinstance(answer, Answered):
                return answer.result
        raise UserError(
            "Every worker that begins on the Ray cluster ends at once: look for the cause in the "
            "logs of its nodes (/tmp/ray/session_latest/logs)."
        )

    @property
    def places(self) -> list[Place]:
        """The places that have joined and are not gone."""
        return [self._places[name] for name in self._node_of]

    def give(self, name: str, work: Work) -> None:
        """Let a worker that has nothing to do begin some work."""
        actor = self._actor(name)
        actor.count += 1
        self._work[actor.handle.do.remote(actor.count, work)] = name
        self._silent.append((time.monotonic(), name, actor.count))

    def heard(
        self, also: Sequence[Connection] = (), timeout: float | None = None
    ) -> list[tuple[str, Message]]:
        """What the workers that have something to do said, once one of them says something.

        Args:
            also: pipes; it returns as well when one of them can be read, or a little later.
            timeout: seconds after which it returns all the same.
        """
        end = time.monotonic() + (NODES if timeout is None else timeout)
        while True:
            self._ask_those_at_work()
            said = [m for ref in self._ready() for m in self._messages(ref)]
            if said or wait(also, 0) or time.monotonic() >= end:
                return said

    def ask_to_stop(self) -> None:
        """Ask every worker to stop: a training between two steps. Anything else goes on."""
        for actor in self._actors.values():
            actor.handle.ask_to_stop.remote(CTRL_C)

    def end(self, name: str) -> None:
        """End a worker at once, with its work; a new one takes its place when there is work."""
        actor = self._actors.pop(name, None)
        self._work = {ref: of for ref, of in self._work.items() if of != name}
        self._news = {ref: of for ref, of in self._news.items() if of[0] != name}
        if actor:
            self._ray.kill(actor.handle)
            self._forget(actor.name)

    def _actor(self, name: str) -> _Actor:
        if name not in self._actors:
            node = self._node_of[name]
            strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
            own = f"w2s {secrets.token_hex(6)}"
            handle = self._kind.options(
                name=own,
                max_restarts=0,
                scheduling_strategy=strategy(node.id, soft=False),
                **self._needs.options,
            ).remote(self._needs.threads, Path.cwd(), code_digest())
            self._actors[name] = _Actor(handle, own, node)
        return self._actors[name]

    @cached_property
    def _kind(self) -> Any:
        """The class of the actors; asking for news and asking to stop goes beside a step."""
        beside = self._ray.method(concurrency_group="beside")
        methods = {name: beside(getattr(Worker, name)) for name in ("news", "ask_to_stop")}
        kind = type("Worker", (Worker,), methods)
        return self._ray.remote(concurrency_groups={"beside": 2})(kind)

    def _ready(self) -> list[Any]:
        """What has come from the workers, for which it waits a little."""
        # News first: what comes with the end of a step is from before it.
        refs = [*self._news, *self._work]
        if not refs:
            time.sleep(PAUSE)
            return []
        first, _ = self._ray.wait(refs, timeout=PAUSE, fetch_local=False)
        if not first:
            return []
        return self._ray.wait(refs, num_returns=len(refs), timeout=0, fetch_local=False)[0]

    def _messages(self, ref: Any) -> Iterable[tuple[str, Message]]:
        """What a worker said."""
        errors = self._ray.exceptions.RayError
        if (name := self._work.pop(ref, None)) is not None:
            try:
                message = self._ray.get(ref)
                if isinstance(message, Ended):
                    self.end(name)
            except errors as error:
                message = self._gone(name, error)
            return [(name, message)]
        name, number, told = self._news.pop(ref, ("", 0, None))
        if not self._is_at(name, number):
            # The step, or the worker, has ended meanwhile.
            return []
        try:
            news = self._ray.get(ref)
        except errors:
            # What it worked at tells the same, and why.
            return []
        if news is None:
            return []
        self._ask_for_news(name, number, news)
        return [(name, news)] if news.total and news != told else []

    def _ask_those_at_work(self) -> None:
        """Ask for news of what was begun a while ago; most steps that train nothing are done."""
        while self._silent and time.monotonic() - self._silent[0][0] >= PAUSE:
            _, name, count = self._silent.popleft()
            if self._is_at(name, count):
                self._ask_for_news(name, count, None)

    def _is_at(self, name: str, number: int) -> bool:
        """Whether a worker is at work, and this is the number of its work."""
        actor = self._actors.get(name)
        return actor is not None and actor.count == number and name in self._work.values()

    def _ask_for_news(self, name: str, number: int, told: Trained | None) -> None:
        ref = self._actors[name].handle.news.remote(number, told)
        self._news[ref] = name, number, told

    def _gone(self, name: str, error: Exception) -> Ended | Failed:
        """What became of a worker that answers no more."""
        unborn = self._ray.exceptions.RayTaskError
        if isinstance(error, unborn) or getattr(error, "actor_init_failed", False):
            self.end(name)
            return Failed(self._unborn(name, error))
        node = self._node_of[name]
        self.end(name)
        alive = any(other.id == node.id for other in Node.all_of(self._ray))
        if alive and not isinstance(error, self._ray.exceptions.ActorUnschedulableError):
            return Ended(None, DIED)
        del self._node_of[name]
        return Ended(None, f"its node {node.name} {node.id[:6]} is gone", gone=True)

    def _unborn(self, name: str, error: Exception) -> UserError:
        """The error of a worker that cannot begin."""
        return UserError(
            f"A worker cannot begin on the node {self._node_of[name].name} of the Ray cluster "
            f"({_reason(error)}): install weak2strong there as it is here."
        )


def _reason(error: Exception) -> str:
    """The last line of what Ray says of an error, which tells the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else type(error).__name__
