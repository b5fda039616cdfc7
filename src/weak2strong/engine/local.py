"""Runs the steps of a study on this machine; results that the store has are only read.

Tiny models are fitted on one thread each, in as many processes as there are processors: that is
faster than one fit on all threads, and the numbers do not depend on the number of processes. A GPU
has a process, or several, of its own. Larger models on a CPU, and all models on Apple's GPU, are
fitted one after another in this process.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial

from weak2strong.engine.done import Done, do, do_in_worker, worker_task_run
from weak2strong.engine.parallel import in_parallel, waiting_for
from weak2strong.engine.places import Plan
from weak2strong.engine.rest import Keys, Tell, do_rest, known_to
from weak2strong.engine.room import Room, model_of
from weak2strong.engine.schedule import Schedule
from weak2strong.engine.workers import Work, Workers
from weak2strong.ground.errors import DivergedError
from weak2strong.ground.processes import set_threads
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, Stops, heeding
from weak2strong.models.kept import KEPT
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun


def run_steps_here(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    tell: Tell,
) -> None:
    """Do every step on this machine (see `weak2strong.engine.engines.run_steps`)."""
    set_threads(plan.threads)
    with heeding() as stops:

        def engine(todo: Sequence[Step], keys: Keys) -> Generator[Done]:
            if plan.gpus or (plan.workers > 1 and len(todo) > 1):
                # What was read to try it out is of no use to other processes.
                KEPT.empty()
                return _in_processes(todo, task_runs, plan, progress, stops, keys)
            return _in_this_process(todo, task_runs, progress, stops)

        try:
            do_rest(steps, task_runs, progress, tell, engine)
        finally:
            # This process goes on after the run; workers do not.
            KEPT.empty()


def _in_this_process(
    todo: Sequence[Step], task_runs: Mapping[str, TaskRun], progress: Progress, stops: Stops
) -> Generator[Done]:
    """Do the steps one after another; where a training diverges, those that do not need it are done
    before its error is raised."""
    left, errors = set[str](), list[DivergedError]()
    for step in todo:
        stops.check()
        if left.intersection(step.needs):
            left.add(step.name)
            continue
        task_run = task_runs[step.task]
        progress.begun(step.name, "this process")
        task_run.on_step = partial(_trained, step.name, progress, stops)
        try:
            yield do(step, task_run)
        except DivergedError as error:
            progress.line(f"{step.name} has diverged; steps that need it are left")
            left.add(step.name)
            errors.append(error)
        finally:
            stops.patient = False
        progress.forget(step.name)
    if errors:
        raise errors[0]


def _trained(name: str, progress: Progress, stops: Stops, done: int, total: int) -> None:
    """Called by a training between two steps: show how far it is, and stop it if that was asked.

    Raises:
        Stopped: if so.
    """
    progress.update(name, done, total)
    stops.on_ask = lambda number: progress.answer(
        waiting_for({name: (done, total)}, Stopped(number).by)
    )
    stops.patient = done < total
    stops.check()


def _in_processes(
    todo: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    stops: Stops,
    keys: Keys,
) -> Generator[Done]:
    """A process for each place of the plan; a step starts when all that it needs is done."""
    # Sizes of models are counted with PyTorch, which reading a run does not need.
    from weak2strong.engine.expected import expected

    def work_of(step: Step) -> Work:
        run = task_runs[step.task]
        task_run_of = partial(worker_task_run, run.config, run.store.root, run.reference)
        return do_in_worker, (plan.threads, step, task_run_of, known_to(step, keys))

    schedule = Schedule(todo, expected(task_runs), model_of)
    room = Room.of(plan, todo)
    crew = Workers(plan.environment, loaded=not plan.gpus)
    return in_parallel(schedule, plan.places, work_of, crew, progress, stops, room.after)
