"""What of a run's steps the store has, and the doing of the rest, by whichever engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from weak2strong.engine.beforehand import foreknowledge_of
from weak2strong.engine.done import Done, look_up
from weak2strong.engine.trials import try_models
from weak2strong.ground.progress import Progress
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun

Tell = Callable[[Done], None]
"""Called with each step when it is done."""

Keys = Mapping[str, Mapping[str, str]]
"""The keys of the stages of every step that is done, by its name (see `Done.keys`)."""

TITLE = "study"
"""The name of a whole run in its progress."""


def do_rest(
    steps: Sequence[Step],
    task_runs: Mapping[str, TaskRun],
    progress: Progress,
    tell: Tell,
    engine: Callable[[Sequence[Step], Keys], Generator[Done]],
) -> None:
    """Look up every step, try out the models of those that are not finished, say whether the
    student knows anything of the user's own data, and let an engine do these.

    Afterwards the task runs know the keys of all stages, also of those that another device has
    made.

    Args:
        steps: of the run.
        task_runs: by the name of the task.
        progress: shows how many are done.
        tell: called with each step when it is done.
        engine: does the steps that it is given, in an order of its own, and yields each; the keys
            grow meanwhile.
    """
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
    try_models(todo, task_runs)
    for found in foreknowledge_of(todo, task_runs):
        progress.line(f"{'' if found.knows else 'warning: '}{found.sentence}")
    progress.update(TITLE, 0, len(todo))
    with closing(engine(todo, keys)) as run:
        for count, done in enumerate(run, start=1):
            keys[done.step.name] = done.keys
            task_runs[done.step.task].known.update(done.keys)
            tell(replace(done, warnings=(*early_warnings[done.step], *done.warnings)))
            progress.update(TITLE, count, len(todo))
    progress.forget(TITLE)


def known_to(step: Step, keys: Keys) -> dict[str, str]:
    """The keys of what a step needs, by requests."""
    return {request: key for need in step.needs for request, key in keys.get(need, {}).items()}
