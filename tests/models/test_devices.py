"""The devices that a process sees, and those that a test lets it seem to have."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from weak2strong.engine.local import Plan
from weak2strong.ground.errors import UserError
from weak2strong.models import loaded
from weak2strong.models.devices import FAKE, VISIBLE, device_class, devices
from weak2strong.protocol.runtime import Runtime


def test_without_a_gpu_there_is_the_cpu(monkeypatch):
    monkeypatch.delenv(FAKE, raising=False)
    (one,) = devices()
    assert (one.of, one.number, one.name, device_class()) == ("cpu", 0, "cpu", "cpu")
    (runtime,) = Runtime.of_machine(threads=3)
    assert runtime.device == runtime.processor
    assert runtime.device["threads"] == 3


def test_fake_devices_have_a_class_numbers_and_a_name(monkeypatch):
    monkeypatch.setenv(FAKE, "cuda:3")
    monkeypatch.delenv(VISIBLE, raising=False)
    found = devices()
    assert [(d.of, d.number, d.name) for d in found] == [("cuda", i, "fake cuda") for i in range(3)]
    assert device_class() == "cuda"
    # They are of one kind, so that it does not matter which of them makes a stage.
    (runtime,) = Runtime.of_machine()
    assert runtime.device["device"] == "fake cuda"
    assert "threads" not in runtime.device
    assert runtime.processor["device"] == "cpu"
    monkeypatch.setenv(VISIBLE, "1")
    assert [d.number for d in devices()] == [0]


def test_of_gpus_of_two_kinds_each_has_its_own_precision(monkeypatch):
    """And a process begins to use no more of them than it has to, to find out."""
    names, current, used = ("new", "new", "old", "new"), [0], []

    @contextmanager
    def device(number):
        used.append(number)
        current[0] = number
        yield
        current[0] = 0

    monkeypatch.delenv(FAKE, raising=False)
    monkeypatch.setattr(loaded, "best_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(names))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda n: names[n])
    facts = [SimpleNamespace(total_memory=100 + n) for n in range(len(names))]
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: facts[n])
    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: names[current[0]] == "new"
    )
    assert [(d.number, d.name, d.precision) for d in devices()] == [
        (0, "new", "bfloat16"),
        (1, "new", "bfloat16"),
        (2, "old", "float32"),
        (3, "new", "bfloat16"),
    ]
    assert used == [2]
    assert [d.memory for d in devices()] == [100, 101, 102, 103]
    first, second = Runtime.of_machine(threads=2)
    assert (first.device["device"], first.device["precision"]) == ("new", "bfloat16")
    assert (second.device["device"], second.device["precision"]) == ("old", "float32")
    assert first.processor == second.processor
    assert first.processor["device"] == "cpu"


@pytest.mark.parametrize(
    "told", ["cuda", "cuda:0", "cpu:2", "8", "cuda:-1", "cuda:99999", "cuda:2:0", "cuda:2:1e9"]
)
def test_other_fakes_are_refused(monkeypatch, told):
    monkeypatch.setenv(FAKE, told)
    with pytest.raises(UserError, match=f"{FAKE} of the environment is '{told}': give a class"):
        devices()


def test_on_a_fake_gpu_a_study_is_planned_as_on_a_real_one(monkeypatch, quick_study):
    monkeypatch.setenv(FAKE, "cuda:1")
    assert Plan.of(quick_study).workers == 1
