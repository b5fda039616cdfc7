"""Eight fake GPUs do sleeping steps about as fast as the simulation of the same schedule says."""

import random
import sys
from importlib import import_module

import pytest

from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Plan
from weak2strong.engine.parallel import in_parallel
from weak2strong.engine.schedule import Schedule
from weak2strong.engine.simulated import simulate
from weak2strong.engine.workers import Workers
from weak2strong.ground.progress import Progress
from weak2strong.ground.stops import heeding
from weak2strong.models.devices import FAKE, VISIBLE
from weak2strong.protocol.steps import Step

JOBS = """
import os, time

def sleep(on_step, name, seconds):
    begun = time.time()
    time.sleep(seconds)
    return name, os.environ["CUDA_VISIBLE_DEVICES"], begun, time.time()
"""


@pytest.mark.slow
def test_the_makespan_is_within_a_tenth_of_the_simulated_one(tmp_path, monkeypatch):
    """Processes are started by a first step each, of which the simulation knows nothing."""
    (tmp_path / "jobs_of_test_makespan.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(FAKE, "cuda:8")
    monkeypatch.delenv(VISIBLE, raising=False)
    jobs = import_module("jobs_of_test_makespan")
    plan, drawn = Plan.of(StudyConfig()), random.Random(0)
    warm = [Step("ngrams", f"warm {n}") for n in range(8)]
    named = tuple(step.name for step in warm)
    # Every fourth step begins a chain of four.
    chains = [[f"{n - 1} probe"] if n % 4 else [] for n in range(80)]
    steps = [Step("probe", str(n), needs=(*named, *needs)) for n, needs in enumerate(chains)]
    seconds = {step.name: drawn.uniform(0.3, 1.5) for step in steps} | dict.fromkeys(named, 3.0)

    def expected(step):
        return seconds[step.name]

    foretold = simulate(Schedule(steps, expected), plan.places, expected).makespan
    ran = {}
    with heeding() as stops:
        run = in_parallel(
            Schedule([*warm, *steps], expected),
            plan.places,
            lambda step: (jobs.sleep, (step.name, expected(step))),
            Workers(plan.environment),
            Progress(quiet=True),
            stops,
        )
        for name, gpu, start, end in run:
            ran[name] = gpu, start, end
    assert {gpu for gpu, _, _ in ran.values()} == {str(n) for n in range(8)}
    started = max(ran[name][2] for name in named)
    taken = max(end for _, _, end in ran.values()) - started
    print(f"simulated {foretold:.2f} s, real {taken:.2f} s")
    assert foretold <= taken * 1.001
    assert taken < 1.1 * foretold
    sys.modules.pop("jobs_of_test_makespan")
