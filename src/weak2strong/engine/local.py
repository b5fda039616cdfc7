"""Runs the steps of a study on this machine; results that the store has are only read.

Tiny models are fitted on one thread each, in as many processes as there are processors: that is
faster than one fit on all threads, and the numbers do not depend on the number of processes.
Larger models, and all models on an accelerator, are fitted one after another in this process.
"""

from __future__ import annotations

import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.doubts import doubts
from weak2strong.ground.plugins import everywhere, load_plugins, naming_plugins
from weak2strong.ground.processes import begin_worker, set_threads, without_main
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, Stops, heeding
from weak2strong.ground.store import Store
from weak2strong.losses import LOSSES
from weak2strong.methods import METHODS
from weak2strong.models.folders import is_tiny
from weak2strong.probes import PROBES
from weak2strong.protocol.steps import Step, perform
from weak2strong.protocol.task_run import MissingError, TaskRun, Used
from weak2strong.tasks import SOURCES, TASKS

Tell = Callable[["Done"], None]


@dataclass(frozen=True)
class Plan:
    """How many processes, and how many threads each of them uses."""

    workers: int
    threads: int

    @staticmethod
    def of(config: StudyConfig) -> Plan:
        """The plan that suits the models of a study and this machine."""
        from weak2strong.models.devices import device_class

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        cores = cores or 1
        registries = (LOSSES, METHODS, PROBES, SOURCES, TASKS)
        if not everywhere(r.origin(name) for r in registries for name in r):
            # Other processes do not have what a script or a notebook has registered.
            return Plan(workers=1, threads=1 if is_tiny(config.strong) else cores)
        if device_class() == "cpu" and is_tiny(config.weak) and is_tiny(config.strong):
            return Plan(workers=cores, threads=1)
        return Plan(workers=1, threads=cores)


@dataclass(frozen=True)
class Done:
    """A step that was done, or looked up.

    Attributes:
        step: the step.
        used: the stages that it used.
        warnings: sentences for the user.
        seconds: that it took.
        finished: False where a stage was missing and was not to be computed.
    """

    step: Step
    used: tuple[Used, ...]
    warnings: tuple[str, ...]
    seconds: float
    finished: bool

    @property
    def reused(self) -> bool:
        """Whether nothing had to be computed."""
        return all(u.reused for u in self.used)

    @property
    def keys(self) -> dict[str, str]:
        """The keys of the stages that it used by their requests (see `TaskRun.known`)."""
        return {u.request: u.key for u in self.used}


def run_steps(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    tell: Tell,
) -> None:
    """Do every step with the task run of its task; ``tell`` is called with each when it is done.

    A step that fails ends the run with its exception, or with that of the plugin that fails in it.
    The store has all that is finished by then, so another run goes on from there. Afterwards the
    task runs know the keys of all stages, also of those that another device has made.

    Raises:
        Stopped: at Ctrl-C, or where a cluster takes the machine back; trainings have written their
            checkpoints by then.
    """
    set_threads(plan.threads)
    with heeding() as stops:
        _run_steps(steps, task_runs, plan, progress, tell, stops)


def _run_steps(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    tell: Tell,
    stops: Stops,
) -> None:
    todo, early_warnings, keys = [], {}, dict[str, Mapping[str, str]]()
    for step in steps:
        done = _look_up(step, task_runs[step.task])
        keys[step.name] = done.keys
        if done.finished:
            tell(done)
        else:
            todo.append(step)
            early_warnings[step] = done.warnings
    if not todo:
        return
    title = "study"
    progress.update(title, 0, len(todo))
    if plan.workers > 1 and len(todo) > 1:
        run = _in_processes(todo, task_runs, plan, progress, keys)
    else:
        run = _in_this_process(todo, task_runs, progress, stops)
    for count, done in enumerate(run, start=1):
        keys[done.step.name] = done.keys
        task_runs[done.step.task].known.update(done.keys)
        tell(replace(done, warnings=(*early_warnings[done.step], *done.warnings)))
        progress.update(title, count, len(todo))
    progress.forget(title)


def _look_up(step: Step, task_run: TaskRun) -> Done:
    """Do the step with the store alone; it is not finished where the store lacks a stage."""
    task_run.compute = False
    try:
        return _do(step, task_run)
    finally:
        task_run.compute = True


def _do(step: Step, task_run: TaskRun) -> Done:
    task_run.used.clear()
    task_run.learned.clear()
    begun, finished = time.monotonic(), True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with naming_plugins():
            try:
                perform(step, task_run)
            except MissingError:
                finished = False
    seconds, used = round(time.monotonic() - begun, 3), tuple(task_run.used)
    said = (*(str(w.message) for w in caught), *(doubts(step, task_run) if finished else ()))
    return Done(step, used, tuple(dict.fromkeys(said)), seconds, finished)


def _in_this_process(
    todo: Sequence[Step], task_runs: Mapping[str, TaskRun], progress: Progress, stops: Stops
) -> Iterator[Done]:
    for step in todo:
        stops.check()
        task_run = task_runs[step.task]
        task_run.on_step = partial(_trained, step.name, progress, stops)
        try:
            yield _do(step, task_run)
        finally:
            stops.patient = False
        progress.forget(step.name)


def _trained(name: str, progress: Progress, stops: Stops, done: int, total: int) -> None:
    """Called by a training between two steps: show how far it is, and stop it if that was asked.

    Raises:
        Stopped: if so.
    """
    progress.update(name, done, total)
    stops.on_ask = lambda number: progress.answer(waiting_for({name: (done, total)}, number))
    stops.patient = done < total
    stops.check()


def waiting_for(trainings: Mapping[str, tuple[int, int]], number: int) -> str:
    """The line that says what is waited for where somebody asked to stop.

    Args:
        trainings: steps done and steps in all, by the name of the step that trains.
        number: of the signal that asked.
    """
    listed = ", ".join(f"{name}, step {a} of {b}" for name, (a, b) in trainings.items())
    if not listed:
        return f"{Stopped(number).by}: stopping; no training is going on."
    return (
        f"{Stopped(number).by}: stopping when each training that goes on ({listed}) has written "
        "its checkpoint; Ctrl-C once more ends at once, and loses at most two minutes of each."
    )


def _in_processes(
    todo: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    keys: Mapping[str, Mapping[str, str]],
) -> Iterator[Done]:
    """A pool of processes; a step starts when all that it needs is done.

    Args:
        keys: of the stages of every step that is done, by its name (see `Done.keys`).
    """
    pool = ProcessPoolExecutor(
        min(plan.workers, len(todo)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=begin_worker,
        initargs=(plan.threads,),
    )
    waiting, running = list(todo), dict[Future, Step]()
    missing = {step.name for step in todo}
    try:
        while waiting or running:
            # No more than can be begun at once: those that others need come first, also where they
            # are ready later.
            ready = [s for s in waiting if not missing.intersection(s.needs)]
            for step in ready[: plan.workers - len(running)]:
                waiting.remove(step)
                run = task_runs[step.task]
                known = {r: key for need in step.needs for r, key in keys.get(need, {}).items()}
                # Submitting is what starts the processes.
                with without_main():
                    work = pool.submit(
                        _in_worker, step, run.config, run.store.root, run.reference, known
                    )
                running[work] = step
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                step = running.pop(future)
                missing.discard(step.name)
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_worker(
    step: Step, config: StudyConfig, root: Path, reference: str, known: Mapping[str, str]
) -> Done:
    """Do a step; what it needs is read by the keys that are known of it."""
    task_run = _worker_task_run(config, root, reference)
    task_run.known.update(known)
    return _do(step, task_run)


@cache
def _worker_task_run(config: StudyConfig, root: Path, reference: str) -> TaskRun:
    """The task run of a worker, which lives for one run and loads the data of a task once."""
    load_plugins(config.plugins)
    return TaskRun.of(config, Store(root), reference)
