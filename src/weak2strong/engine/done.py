"""One step, done or looked up, in whatever process."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.doubts import doubts
from weak2strong.engine.workers import LacksMemoryError, OnStep
from weak2strong.ground import disks
from weak2strong.ground.plugins import load_plugins, naming_plugins
from weak2strong.ground.processes import set_threads
from weak2strong.ground.store import Store
from weak2strong.ground.store.paths import ELSEWHERE
from weak2strong.models.kept import keeping
from weak2strong.protocol.steps import Step, perform
from weak2strong.protocol.task_run import MissingError, TaskRun, Used

CONTEXT = 2**30
"""Bytes that CUDA and its libraries take in each process, besides what is reserved for tensors."""


@dataclass(frozen=True)
class Done:
    """A step that was done, or looked up.

    Attributes:
        step: the step.
        used: the stages that it used.
        warnings: sentences for the user.
        seconds: that it took.
        finished: False where a stage was missing and was not to be computed.
        memory: the share of its GPU's memory that its process took at the most, where it trained or
            predicted on one; otherwise 0.
    """

    step: Step
    used: tuple[Used, ...]
    warnings: tuple[str, ...]
    seconds: float
    finished: bool
    memory: float = 0.0

    @property
    def reused(self) -> bool:
        """Whether nothing had to be computed."""
        return all(u.reused for u in self.used)

    @property
    def keys(self) -> dict[str, str]:
        """The keys of the stages that it used by their requests (see `TaskRun.known`)."""
        return {u.request: u.key for u in self.used}

    @property
    def line(self) -> str:
        """What a run tells of it: the step, and what it took."""
        took = "reused" if self.reused else f"{self.seconds:.1f} s"
        notes = "".join(f", {used.note}" for used in self.used if used.note)
        return f"{self.step.name}: {took}{notes}"


def look_up(step: Step, task_run: TaskRun) -> Done:
    """Do the step with the store alone; it is not finished where the store lacks a stage."""
    task_run.compute = False
    try:
        return do(step, task_run)
    finally:
        task_run.compute = True


def do(step: Step, task_run: TaskRun) -> Done:
    """Do the step here; what the store has is only read."""
    task_run.used.clear()
    task_run.learned.clear()
    begun, finished = time.monotonic(), True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store = task_run.store.root
        with naming_plugins(), keeping(), disks.keeping(store, ELSEWHERE, alone=True):
            try:
                perform(step, task_run)
            except MissingError:
                finished = False
    seconds, used = round(time.monotonic() - begun, 3), tuple(task_run.used)
    said = (*(str(w.message) for w in caught), *(doubts(step, task_run) if finished else ()))
    return Done(step, used, tuple(dict.fromkeys(said)), seconds, finished)


def do_in_worker(
    on_step: OnStep,
    threads: int,
    step: Step,
    task_run_of: Callable[[], TaskRun],
    known: Mapping[str, str],
) -> Done:
    """Do a step in a worker process, which may have to say that it lacks memory.

    Args:
        on_step: called by trainings.
        threads: of this process.
        step: the step.
        task_run_of: gives the task run of the step's task, the same one in each call.
        known: keys of what it needs, by requests.

    Raises:
        LacksMemoryError: in place of an error that a lack of memory caused.
    """
    import torch

    from weak2strong.models.capacity import device_bytes
    from weak2strong.training.memory import out_of_memory

    _set_threads_once(threads)
    if on_gpu := torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        task_run = task_run_of()
        task_run.on_step = on_step
        task_run.known.update(known)
        done = do(step, task_run)
    except Exception as error:
        if any(isinstance(e, MemoryError) or out_of_memory(e) for e in _with_causes(error)):
            raise LacksMemoryError from error
        raise
    if not on_gpu:
        return done
    # Other processes may want what this one does not use between two steps.
    torch.cuda.empty_cache()
    taken = torch.cuda.max_memory_reserved()
    whole = device_bytes(torch.device("cuda"))
    return replace(done, memory=(taken + CONTEXT) / whole if taken else 0.0)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@cache
def _set_threads_once(threads: int) -> None:
    set_threads(threads)


@cache
def worker_task_run(config: StudyConfig, root: Path, reference: str) -> TaskRun:
    """The task run of a worker, which lives for one run and loads the data of a task once."""
    load_plugins(config.plugins)
    return TaskRun.of(config, Store(root), reference)
