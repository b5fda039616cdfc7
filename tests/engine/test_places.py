"""Who does the steps: a process for each GPU or more, each with one visible device."""

from typing import Any

import pytest

from weak2strong.config.engine import EngineOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine import places, room
from weak2strong.engine.done import Done
from weak2strong.engine.local import Plan
from weak2strong.engine.room import Room
from weak2strong.ground.errors import UserError
from weak2strong.models.devices import FAKE, VISIBLE
from weak2strong.protocol.steps import Step


@pytest.fixture
def gpus(monkeypatch):
    """A machine that seems to have so many GPUs, and has 16 processors."""

    def seem(count, visible=None):
        monkeypatch.setenv(FAKE, f"cuda:{count}")
        monkeypatch.delenv(VISIBLE, raising=False)
        if visible:
            monkeypatch.setenv(VISIBLE, visible)
        for module in (places, room):
            monkeypatch.setattr(module, "processors", lambda: 16)

    return seem


def test_a_gpu_has_a_worker_which_sees_no_other(gpus):
    gpus(4)
    plan = Plan.of(StudyConfig())
    assert (plan.workers, plan.threads, plan.may_add) == (4, 4, True)
    assert [place.device for place in plan.places] == ["cuda"] * 4
    assert len({place.memory for place in plan.places}) == 4
    seen = [plan.environment(place.name) for place in plan.places]
    assert seen == [{VISIBLE: str(number)} for number in range(4)]


def test_several_workers_share_a_gpu_and_only_those_that_this_process_may_see(gpus):
    """A cluster hands out some GPUs, also by names that begin alike."""
    gpus(8, "GPU-1f, GPU-1")
    plan = Plan.of(StudyConfig(), EngineOptions(workers_per_gpu=3))
    assert (plan.workers, plan.threads, plan.may_add) == (6, 8, False)
    seen = [plan.environment(place.name)[VISIBLE] for place in plan.places]
    assert seen == ["GPU-1f"] * 3 + ["GPU-1"] * 3
    assert len({place.name for place in plan.places}) == 6
    assert len({place.memory for place in plan.places}) == 2


def test_a_fit_on_several_gpus_has_a_worker_that_sees_them(gpus):
    """Eight GPUs in groups of three leave two over."""
    gpus(8)
    config = StudyConfig(strong=ModelSpec("atlas-l", gpus_per_fit=3))
    plan = Plan.of(config)
    assert (plan.workers, plan.threads, plan.may_add) == (2, 2, False)
    seen = [plan.environment(place.name)[VISIBLE] for place in plan.places]
    assert seen == ["0,1,2", "3,4,5"]
    ray = Plan.of(config, EngineOptions(engine="ray")).ray
    assert ray is not None
    assert (ray.given, ray.per_gpu(ray.given)) == (3, 1 / 3)
    gpus(2)
    with pytest.raises(UserError, match="on 3 GPUs, and this machine has 2: choose fewer"):
        Plan.of(config)


def test_on_the_cpu_tiny_models_have_a_worker_a_processor_and_larger_ones_all_of_them(
    monkeypatch,
):
    monkeypatch.setattr(places, "processors", lambda: 6)
    monkeypatch.setattr(places, "device_class", lambda: "cpu")
    assert Plan.of(StudyConfig()) == Plan(workers=6, threads=1)
    monkeypatch.setattr(places, "is_tiny", lambda model: model.name != "atlas-l")
    assert Plan.of(StudyConfig()) == Plan(workers=1, threads=6)


def test_processes_on_the_cpu_share_the_memory_of_the_machine_and_see_what_they_saw():
    plan = Plan(workers=3, threads=1)
    assert {(place.device, place.memory) for place in plan.places} == {("cpu", "machine")}
    assert [plan.environment(place.name) for place in plan.places] == [{}] * 3


@pytest.mark.parametrize("wrong", [0, "two", True, 1.5])
def test_a_wrong_number_of_workers_is_one_sentence(wrong):
    with pytest.raises(UserError, match="workers_per_gpu must be a whole number from 1, or auto"):
        EngineOptions(workers_per_gpu=wrong)


def test_a_number_may_come_as_text_as_flags_do():
    given: Any = "2"
    assert EngineOptions(workers_per_gpu=given).workers_per_gpu == 2


def done(step, share):
    """A step that took that share of its GPU's memory."""
    return Done(step, (), (), 1.0, True, share)


def test_gpus_get_more_workers_when_every_model_was_measured(gpus):
    gpus(2)
    plan = Plan.of(StudyConfig())
    first = plan.places[0]
    supervisor, student = Step("supervisor", "t", 0), Step("student", "t", 0, "naive")
    ngrams, again = Step("ngrams", "t"), Step("student", "t", 1, "naive")
    measured = Room.of(plan, [ngrams, supervisor, student, again])
    assert measured.after(ngrams, first, done(ngrams, 0.0)) == []
    assert measured.after(supervisor, first, done(supervisor, 0.1)) == []
    # The larger model decides: three of it fit, and four do not.
    added = measured.after(student, first, done(student, 0.31))
    assert [place.memory for place in added] == ["GPU 0", "GPU 0", "GPU 1", "GPU 1"]
    assert not {place.name for place in added} & {place.name for place in plan.places}
    assert [plan.environment(place.name)[VISIBLE] for place in added] == ["0", "0", "1", "1"]
    assert measured.after(again, first, done(again, 0.2)) == []


def test_a_number_of_workers_that_the_user_gave_stays(gpus):
    gpus(1)
    plan = Plan.of(StudyConfig(), EngineOptions(workers_per_gpu=1))
    step = Step("student", "t", 0, "naive")
    assert Room.of(plan, [step]).after(step, plan.places[0], done(step, 0.1)) == []
