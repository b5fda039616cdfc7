"""What a user says of the engine: a wrong value is one sentence."""

import pytest

from weak2strong.config.engine import EngineOptions, amounts
from weak2strong.ground.errors import UserError


def test_amounts_are_numbers_by_names():
    options = EngineOptions(engine="ray", ray_resources=("GPU=0.5", "memory=16e9", "big=1"))
    assert amounts(options.ray_resources) == {"GPU": 0.5, "memory": 16e9, "big": 1.0}


@pytest.mark.parametrize(
    "text", ["GPU", "=1", "GPU=", "GPU=much", "GPU=1.5", "CPU=2.5", "CPU=0", "big=-1", "big=inf"]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(UserError, match="such as GPU"):
        EngineOptions(engine="ray", ray_resources=(text,))


def test_a_worker_may_take_no_gpu():
    assert amounts(EngineOptions(engine="ray", ray_resources="GPU=0").ray_resources) == {"GPU": 0}


def test_a_resource_is_named_once():
    with pytest.raises(UserError, match="CPU stands there twice"):
        EngineOptions(engine="ray", ray_resources=("CPU=1", "CPU=2"))


@pytest.mark.parametrize("given", [{"address": "auto"}, {"ray_resources": ("CPU=1",)}])
def test_what_is_for_ray_takes_ray(given):
    with pytest.raises(UserError, match="goes with engine ray"):
        EngineOptions(**given)


def test_an_engine_that_there_is_not_is_refused():
    with pytest.raises(UserError, match="local"):
        EngineOptions(engine="slurm")
