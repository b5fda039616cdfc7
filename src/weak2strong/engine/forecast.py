"""How long a study would take on many workers: its estimates, simulated by the schedule of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from weak2strong.config.fields import LARGEST
from weak2strong.engine.estimates import Estimate
from weak2strong.engine.plan import StudyPlan
from weak2strong.engine.schedule import Place, Schedule
from weak2strong.engine.simulated import Simulated, simulate
from weak2strong.ground.errors import UserError
from weak2strong.protocol.steps import Step

Unit = Literal["seconds", "operations"]

MOST = 1024
"""The curve goes from one worker to so many GPUs, twice as many each time."""


@dataclass(frozen=True)
class Forecast:
    """A simulated run of a study of which nothing is stored.

    Attributes:
        unit: of all times: seconds as measured on this device, or floating-point operations of each
            GPU where some step's seconds are not known.
        together: how many GPUs a worker has.
        simulated: the run on as many GPUs as were asked for.
        curve: the run on one worker, and on more of them with up to `MOST` GPUs.
        critical_path: the chain of steps that takes longest; no number of workers is quicker.
        times: of the steps of that chain.
        left_out: names of the tasks whose sizes are not known, and that are not simulated.
    """

    unit: Unit
    together: int
    simulated: Simulated
    curve: tuple[Simulated, ...]
    critical_path: tuple[Step, ...]
    times: tuple[float, ...]
    left_out: tuple[str, ...]


def forecast(plan: StudyPlan, gpus: int) -> Forecast:
    """Simulate a study on so many GPUs, each as fast as this device.

    As in a run, a worker has as many of them as the largest model of the study takes, and does one
    step at a time.

    Args:
        plan: of the study.
        gpus: how many of them.

    Raises:
        UserError: for a number that cannot be one of GPUs, for fewer than a worker has, and where
            neither seconds nor operations are known.
    """
    together = plan.gpus_per_fit
    if not 1 <= gpus <= LARGEST:
        bound = "at least 1" if gpus < 1 else f"at most {LARGEST:,}"
        raise UserError(f"--gpus must be {bound}, not {gpus}: it is how many GPUs to simulate.")
    if gpus < together:
        raise UserError(
            f"--gpus must be at least {together}, not {gpus}, since a fit of this study is on so "
            "many: give more, or fewer by --gpus-per-fit."
        )
    estimates = [e for e in plan.steps if e.step.task not in plan.unknown]
    unit, times = _times(estimates)
    models = {e.step.name: e.model for e in estimates}
    steps = [e.step for e in estimates]

    def seconds(step: Step) -> float:
        return times[step.name]

    def schedule() -> Schedule:
        return Schedule(steps, seconds, lambda step: models[step.name])

    on_gpus = sum(times[e.step.name] * e.gpus for e in estimates)

    def run(gpus: int) -> Simulated:
        workers = gpus // together
        # No more than there are steps can have any.
        places = [Place(f"worker {i}", "cuda") for i in range(min(workers, len(steps)))]
        found = simulate(schedule(), places, seconds)
        return replace(found, workers=workers, gpus=gpus, on_gpus=on_gpus)

    curve = tuple(run(together * 2**n) for n in range((MOST // together).bit_length()))
    path = schedule().critical_path()
    lengths = tuple(map(seconds, path))
    return Forecast(unit, together, run(gpus), curve, path, lengths, tuple(plan.unknown))


def _times(
    estimates: Sequence[Estimate],
) -> tuple[Literal["seconds", "operations"], dict[str, float]]:
    """The time of each step by its name: in seconds if all are known, or else in operations.

    The operations of a step on several GPUs are shared by them.
    """
    seconds = {e.step.name: e.seconds for e in estimates if e.seconds is not None}
    if estimates and len(seconds) == len(estimates):
        return "seconds", seconds
    operations = {e.step.name: e.flops / e.gpus for e in estimates if e.flops is not None}
    if not estimates or len(operations) < len(estimates):
        raise UserError(
            "A schedule cannot be simulated, since the size of the tasks or of a model is not "
            "known on this machine: leave --gpus out, or run the study with --seeds 1 first, which "
            "fetches them."
        )
    return "operations", operations
