"""The steps of a study on a Ray cluster; results that the store has are only read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from weak2strong.engine.done import Done, do_in_worker
from weak2strong.engine.expected import expected
from weak2strong.engine.on_ray.connect import connected
from weak2strong.engine.on_ray.hub import start_hub
from weak2strong.engine.on_ray.node import Home, home, node_task_run
from weak2strong.engine.on_ray.places import GPU, Needs, Node
from weak2strong.engine.on_ray.workers import RayWorkers
from weak2strong.engine.parallel import in_parallel
from weak2strong.engine.places import OnRay
from weak2strong.engine.rest import Keys, Tell, do_rest, known_to
from weak2strong.engine.room import model_of
from weak2strong.engine.schedule import Schedule
from weak2strong.engine.workers import Work
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import heeding
from weak2strong.models.gpus import Gpus, fits_on, gpus_per_fit
from weak2strong.protocol.own_files import own_files
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun


def run_steps_on_ray(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: OnRay,
    progress: Progress,
    tell: Tell,
) -> None:
    """Do every step on a cluster (see `weak2strong.engine.engines.run_steps`).

    Before anything is looked up, a worker is asked what is in the keys of its results, and how much
    memory its GPU has.
    """
    with (
        connected(plan.address) as ray,
        heeding() as stops,
        _told(ray, task_runs) as (told, hub),
        _crew(ray, plan, hub.forget.remote) as crew,
        fits_on(crew.gpus),
    ):
        workers, needs = crew.workers, crew.needs
        progress.line(f"Ray: {crew}")
        for task_run in task_runs.values():
            task_run.places = crew.runtimes

        def engine(todo: Sequence[Step], keys: Keys) -> Generator[Done]:
            def work_of(step: Step) -> Work:
                run = task_runs[step.task]
                task_run_of = partial(node_task_run, run.config, told, run.reference)
                return do_in_worker, (needs.threads, step, task_run_of, known_to(step, keys))

            schedule = Schedule(todo, expected(task_runs), model_of)
            return in_parallel(schedule, workers.places, work_of, workers, progress, stops)

        do_rest(steps, task_runs, progress, tell, engine)
    for task_run in task_runs.values():
        # Who drives a cluster only reads, also where it could make what is missing.
        task_run.compute = False


def runtimes_on_ray(plan: OnRay) -> tuple[tuple[Runtime, ...], Gpus]:
    """What is in the keys of results that a cluster makes, and the GPUs that a fit may be on there:
    one worker is started and asked.

    Raises:
        UserError: where there is no such cluster, or none of its nodes has room for a worker.
    """
    with connected(plan.address) as ray, _crew(ray, plan) as crew:
        return crew.runtimes, crew.gpus


@dataclass(frozen=True)
class _Crew:
    """The workers of a study, and what they were asked.

    Attributes:
        workers: of which one is started.
        needs: of each.
        nodes: how many have room for one.
        runtimes: what is in the keys of their results.
        gpus: that a fit may be on.
    """

    workers: RayWorkers
    needs: Needs
    nodes: int
    runtimes: tuple[Runtime, ...]
    gpus: Gpus

    def __str__(self) -> str:
        found = len(self.workers.places)
        return f"{found} workers with {self.needs} each, on {self.nodes} nodes"


@contextmanager
def _crew(
    ray: Any, plan: OnRay, forget: Callable[[str], Any] = lambda name: None
) -> Iterator[_Crew]:
    """Workers with as many GPUs as the largest model takes.

    Where that number is to follow from a GPU's memory, a worker with as many as the user's numbers
    say is asked for it first.
    """
    nodes, count = Node.all_of(ray), plan.given
    while True:
        needs = Needs.of(nodes, plan.tiny, plan.resources, plan.per_gpu(count))
        needs.check(nodes)
        with RayWorkers(ray, needs, forget) as workers:
            workers.joined()
            runtimes = workers.runtimes()
            first, most = runtimes[0], needs.most_gpus(nodes, plan.resources)
            gpus = Gpus(most, first.memory, first.device["precision"])
            with fits_on(gpus):
                wanted = max(map(gpus_per_fit, plan.models))
            if wanted <= count or needs.amounts.get(GPU, 0) >= wanted:
                yield _Crew(workers, needs, needs.nodes_with_room(nodes), runtimes, gpus)
                return
        count = wanted


@contextmanager
def _told(ray: Any, task_runs: Mapping[str, TaskRun]) -> Iterator[tuple[Home, Any]]:
    """What workers are told of this machine, and the hub by which they reach its store."""
    first = next(iter(task_runs.values()))
    root = first.store.root
    files = own_files(first.config)
    name = f"w2s hub {secrets.token_hex(6)}"
    hub = start_hub(ray, root, name)
    try:
        with home(root, name, files) as told:
            yield told, hub
    finally:
        ray.kill(hub)
