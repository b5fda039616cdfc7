"""Runs the steps of a study on this machine; results that the store has are only read.

Tiny models are fitted on one thread each, in as many processes as there are processors: that is
faster than one fit on all threads, and the numbers do not depend on the number of processes. A GPU
has a process, or several, of its own. Larger models on a CPU, and all models on Apple's GPU, are
fitted one after another in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from weak2strong.engine.done import Done, do, do_in_worker, look_up
from weak2strong.engine.expected import expected
from weak2strong.engine.parallel import in_parallel, waiting_for
from weak2strong.engine.places import Plan
from weak2strong.engine.room import Room, model_of
from weak2strong.engine.schedule import Schedule
from weak2strong.engine.workers import Work
from weak2strong.ground.processes import set_threads
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import Stopped, Stops, heeding
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun

Tell = Callable[[Done], None]


def run_steps(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    plan: Plan,
    progress: Progress,
    tell: Tell,
) -> None:
    """Do every step with the task run of its task; ``tell`` is called with each when it is done.

    A step that fails ends the run with its exception, or with that of the plugin that fails in it;
    but where a step lacks memory, the steps that do not need it are done first. The store has all
    that is finished by then, so another run goes on from there. Afterwards the task runs know the
    keys of all stages, also of those that another device has made.

    Raises:
        Stopped: at Ctrl-C, or where a cluster takes the machine back; trainings have written their
            checkpoints by then.
    """
    set_threads(plan.threads)
    with heeding() as stops:
        todo, early_warnings, keys = [], {}, dict[str, Mapping[str, str]]()
        for step in steps:
            done = look_up(step, task_runs[step.task])
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
        if plan.gpus or (plan.workers > 1 and len(todo) > 1):
            run = _in_processes(todo, task_runs, plan, progress, stops, keys)
        else:
            run = _in_this_process(todo, task_runs, progress, stops)
        with closing(run):
            for count, done in enumerate(run, start=1):
                keys[done.step.name] = done.keys
                task_runs[done.step.task].known.update(done.keys)
                tell(replace(done, warnings=(*early_warnings[done.step], *done.warnings)))
                progress.update(title, count, len(todo))
        progress.forget(title)


def _in_this_process(
    todo: Sequence[Step], task_runs: Mapping[str, TaskRun], progress: Progress, stops: Stops
) -> Generator[Done]:
    for step in todo:
        stops.check()
        task_run = task_runs[step.task]
        task_run.on_step = partial(_trained, step.name, progress, stops)
        try:
            yield do(step, task_run)
        finally:
            stops.patient = False
        progress.forget(step.name)


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
    keys: Mapping[str, Mapping[str, str]],
) -> Generator[Done]:
    """A process for each place of the plan; a step starts when all that it needs is done.

    Args:
        keys: of the stages of every step that is done, by its name (see `Done.keys`).
    """

    def work_of(step: Step) -> Work:
        run = task_runs[step.task]
        known = {r: key for need in step.needs for r, key in keys.get(need, {}).items()}
        of = run.config, run.store.root, run.reference, known
        return do_in_worker, (plan.threads, step, *of)

    schedule = Schedule(todo, expected(task_runs), model_of)
    room = Room.of(plan, todo)
    return in_parallel(
        schedule, plan.places, work_of, progress, stops, plan.environment, room.after
    )
