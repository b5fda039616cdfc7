"""The same study by one worker of a GPU, by two of them, and by two GPUs."""

from dataclasses import replace

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from weak2strong.config.engine import EngineOptions
from weak2strong.engine.events import read_events
from weak2strong.engine.local import Plan
from weak2strong.engine.recorded import read_run
from weak2strong.engine.run import run_study
from weak2strong.models.devices import VISIBLE, devices

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]


def answers(folder) -> pl.DataFrame:
    """What the models of a run answered, whoever asked them."""
    _, _, predictions = read_run(folder)
    return predictions.filter(pl.col("role") != "ngrams").sort("role", "method", "seed", "id")


def run(config, at, plan):
    """Run a study in a store of its own, and return its folder."""
    folder = run_study(config, at / "run", at / "store", plan=plan)
    start = next(e for e in read_events(folder) if e["event"] == "start")
    assert start["workers"] == plan.workers
    made = {s["device"] for e in read_events(folder) for s in e.get("stages", ())}
    assert made <= {device.name for device in devices()} | {"cpu"}
    return folder


@pytest.fixture
def study(quick_study):
    """Two seeds, so that there is something to do side by side."""
    return replace(quick_study, seeds=2)


def first_gpus(config, count, each):
    """The plan for some GPUs of the machine, with so many workers each."""
    plan = Plan.of(config, EngineOptions(workers_per_gpu=each))
    return replace(plan, gpus=plan.gpus[:count], workers=count * each)


def test_two_workers_of_a_gpu_give_the_numbers_of_one(study, tmp_path):
    one, two = (run(study, tmp_path / str(n), first_gpus(study, 1, n)) for n in (1, 2))
    assert_frame_equal(answers(one), answers(two), abs_tol=1e-3)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_give_the_numbers_of_one_and_each_worker_sees_one(study, tmp_path):
    plan = first_gpus(study, 2, 1)
    assert len({plan.environment(place.name)[VISIBLE] for place in plan.places}) == 2
    one, two = (run(study, tmp_path / str(n), first_gpus(study, n, 1)) for n in (1, 2))
    if len({device.name for device in devices()[:2]}) == 1:
        assert_frame_equal(answers(one), answers(two), abs_tol=1e-3)
