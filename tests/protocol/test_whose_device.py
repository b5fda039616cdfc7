"""Keys have the device of who made a stage, and any process that knows it reads the stage."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.runtime import Runtime
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.task_run import MissingError, TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits


@pytest.fixture
def make_task_run(quick_study, tmp_path):
    """Task runs that share a store, on a few examples of every class; settings may be replaced."""
    whole = make_splits(TASKS.get("atlas-southern"))
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:48]) for s in names))

    def make(**changes) -> TaskRun:
        config = resolved(replace(quick_study, **changes))
        store = Store(tmp_path / "store")
        return TaskRun(config, store, "atlas-southern", TASKS.get("atlas-southern"), splits)

    return make


def on(name: str) -> Runtime:
    """A place with a device of a name."""
    here = Runtime.here()
    return Runtime({**here.device, "device": name}, here.processor)


@pytest.fixture
def be_on(monkeypatch):
    """Let this machine have a device of a name from now on."""

    def be(name: str) -> None:
        machine = (on(name),)
        monkeypatch.setattr(Runtime, "of_machine", lambda threads=None: machine)

    return be


def test_what_another_device_made_is_read_by_its_keys_and_by_no_other_way(make_task_run, be_on):
    be_on("one")
    maker = make_task_run()
    stages.student(maker, "naive", 0)
    assert {u.device for u in maker.used} == {"one"}
    be_on("two")

    def asked(**known) -> TaskRun:
        reader = replace(make_task_run(), compute=False, **known)
        stages.student(reader, "naive", 0)
        return reader

    for known in (
        {"known": {u.request: u.key for u in maker.used}},
        {"places": (on("three"), on("one"))},
    ):
        reader = asked(**known)
        assert [u.key for u in reader.used] == [maker.used[0].key, maker.used[2].key]
        assert {u.device for u in reader.used} == {"one"}
    with pytest.raises(MissingError) as missing:
        asked()
    assert missing.value.spec["runtime"]["device"] == "two"
    with pytest.raises(MissingError) as missing:
        asked(places=(on("three"),))
    assert missing.value.spec["runtime"]["device"] == "three"


def test_who_is_none_of_the_places_makes_nothing(make_task_run, be_on):
    be_on("head")
    with pytest.raises(MissingError) as missing:
        stages.ceiling(replace(make_task_run(), places=(on("gpu"),)), 0)
    assert missing.value.spec["runtime"]["device"] == "gpu"
    head = replace(make_task_run(), places=(on("gpu"), on("head")))
    stages.ngrams(head)
    assert [u.reused for u in head.used] == [False]


def test_what_a_student_took_up_names_models_as_the_study_does(make_task_run, tmp_path):
    """Where it was made, the model may have been in another folder of that name."""
    maker = make_task_run()
    stages.student(maker, "naive", 0)
    moved = tmp_path / "elsewhere" / Path(maker.config.strong.name).name
    shutil.copytree(maker.config.strong.name, moved)
    reader = make_task_run(strong=replace(maker.config.strong, name=str(moved)))
    stages.student(reader, "naive", 0)
    assert reader.used[-1] == replace(maker.used[-1], reused=True, seconds=reader.used[-1].seconds)
    assert [x.model for x in reader.learned if x.method] == [str(moved)]


def test_a_stage_is_made_of_what_its_own_device_made(make_task_run, be_on):
    """Activations that another device gave are in no key of the probe that learns them."""
    be_on("one")
    maker = make_task_run()
    stages.probe_ceiling(maker)
    (states, _) = maker.used
    assert states.stage == "activations"
    be_on("two")
    known = {states.request: states.key}
    reader = replace(make_task_run(), known=known, places=(on("one"), on("two")))
    activations(reader, reader.config.strong, "last")
    assert (reader.used[0].key, reader.used[0].reused) == (states.key, True)
    other = replace(make_task_run(), known=known)
    stages.probe_ceiling(other)
    assert [(u.stage, u.device, u.reused) for u in other.used] == [
        ("activations", "two", False),
        ("probe", "two", False),
    ]
