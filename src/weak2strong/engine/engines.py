"""The engines by the plan of a run: this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weak2strong.engine.local import run_steps_here
from weak2strong.engine.places import Plan
from weak2strong.engine.rest import Tell
from weak2strong.ground.progress import Progress
from weak2strong.models.gpus import Gpus
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.steps import Step
from weak2strong.protocol.task_run import TaskRun


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
    if plan.ray is None:
        return run_steps_here(steps, task_runs, plan, progress, tell)
    from weak2strong.engine.on_ray.run import run_steps_on_ray

    run_steps_on_ray(steps, task_runs, plan.ray, progress, tell)


def places_of(plan: Plan) -> tuple[tuple[Runtime, ...], Gpus | None]:
    """What is in the keys of results where a plan makes them, and the GPUs that a fit may be on
    there; nothing where that is this machine.

    Raises:
        UserError: where there is no such Ray cluster, or none of its nodes has room for a worker.
    """
    if plan.ray is None:
        return (), None
    from weak2strong.engine.on_ray.run import runtimes_on_ray

    return runtimes_on_ray(plan.ray)
