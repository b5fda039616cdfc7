"""A study that an earlier state of this package has stored is still reused.

If this fails, a change has taken stored results from everybody who upgrades. Where it cannot change
their numbers, write it so that keys stay (`weak2strong.protocol.task_run.RULES` says what does not
count); where it can, `make stored-study` writes the store anew, and the changelog says so.
"""

import importlib.util
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from weak2strong.cli import main
from weak2strong.engine.explain import explain_study
from weak2strong.engine.local import Plan
from weak2strong.engine.on_ray import run
from weak2strong.engine.run import run_study
from weak2strong.ground.store import Store
from weak2strong.models.gpus import Gpus
from weak2strong.protocol.runtime import Runtime

_spec = importlib.util.spec_from_file_location("write_stored", Path(__file__).with_name("write.py"))
stored = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stored)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The stored study, on the machine and with the libraries with which it was stored."""
    shutil.copytree(stored.STORE, tmp_path / "store")
    runtimes = [e.manifest["spec"]["runtime"] for e in Store(tmp_path / "store").entries()]
    assert all(runtime == runtimes[0] for runtime in runtimes)
    machine = (Runtime(runtimes[0], runtimes[0]),)
    monkeypatch.setattr(Runtime, "of_machine", lambda threads=None: machine)
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
    return tmp_path / "store"


def test_the_stored_study_is_whole(root):
    store = Store(root)
    assert {entry.stage for entry in store.entries()} == {
        *("finetune", "student", "activations", "probe", "ngrams"),
    }
    assert store.verify() == []
    assert all(store.code(entry.manifest["spec"]["code"]) for entry in store.entries())


def test_all_of_it_is_reused(root, tmp_path):
    explained = explain_study(stored.study(), root)
    assert [(m.stage, m.steps, m.differences) for m in explained.missing] == []
    folder = run_study(stored.study(), tmp_path / "run", root)
    work = json.loads((folder / "work.json").read_text())
    assert all(step["reused"] == step["stages"] for step in work)
    assert_frame_equal(pl.read_parquet(folder / "results.parquet"), pl.read_parquet(stored.RESULTS))


@pytest.mark.parametrize(("library", "kept"), [("torch", 0), ("device", 0), (None, 5)])
def test_another_machine_does_not_reuse_it(root, monkeypatch, library, kept):
    there = Runtime.here().device | ({library: "0"} if library else {})
    monkeypatch.setattr(Runtime, "of_machine", lambda threads=None: (Runtime(there, there),))
    explained = explain_study(stored.study(), root)
    assert len(explained.found) >= kept
    assert bool(explained.missing) == (library is not None)
    for missing in explained.missing:
        assert [d.input for d in missing.differences] == [f"runtime.{library}"]


def test_why_names_the_settings_and_the_code_in_which_two_fits_differ(root, capsys):
    by_loss = {
        entry.manifest["spec"]["fields"]["loss"]["name"]: entry.key
        for entry in Store(root).entries()
        if entry.stage == "finetune"
    }
    keys = (by_loss["CrossEntropy"][:10], f"finetune/{by_loss['Confidence'][:10]}")
    assert main(["store", "why", *keys, "--store", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["differences"]
    inputs = [difference["input"] for difference in found]
    assert "fields.loss.name" in inputs
    assert "code.losses.confidence: Confidence.per_example" in inputs
    assert not any("training.loop" in name for name in inputs)
    assert main(["store", "why", *keys, "--store", str(root)]) == 0
    shown = capsys.readouterr().out
    assert "CrossEntropy" in shown
    assert "Confidence" in shown


def test_why_of_one_result_and_itself_is_nothing(root, capsys):
    (key,) = (entry.key for entry in Store(root).entries() if entry.stage == "probe")
    assert main(["store", "why", key, key, "--store", str(root)]) == 0
    assert "the same inputs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("zz", "zz"), "No result in"),
        (("", ""), "No result in"),
        (("finetune/", "finetune/"), "No result in"),
        (("PROBE", "FIT"), "compare two results of one stage"),
    ],
)
def test_keys_that_cannot_be_compared_are_refused(root, capsys, keys, said):
    of_stage = {entry.stage: entry.key for entry in Store(root).entries()}
    named = {"PROBE": of_stage["probe"], "FIT": of_stage["finetune"]}
    assert main(["store", "why", *(named.get(k, k) for k in keys), "--store", str(root)]) == 2
    assert said in capsys.readouterr().err


def test_digits_that_several_keys_begin_with_are_refused(root, capsys):
    entry = next(iter(Store(root).entries()))
    twin = entry.key[:-1] + ("0" if entry.key[-1] != "0" else "1")
    shutil.copytree(root / entry.stage / entry.key, root / entry.stage / twin)
    first = entry.key[:-1]
    assert main(["store", "why", first, first, "--store", str(root)]) == 2
    assert "give more digits" in capsys.readouterr().err


def test_explain_prints_what_differs_and_makes_nothing(root, tmp_path, capsys):
    command = ["run", "--task", str(stored.HERE / "numbers.csv"), "--weak", "atlas-xs"]
    command += ["--strong", "atlas-s", "--seeds", "1", "--store", str(root), "--explain"]
    before = sorted(root.rglob("*"))
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "fields.training.epochs" in shown
    assert "nothing is made" in shown
    assert sorted(root.rglob("*")) == before
    assert main([*command, "--dry-run"]) == 2


def test_explain_asks_a_cluster_what_its_results_have_in_their_keys(root, monkeypatch, capsys):
    """And not this machine, which may have another device."""
    here = Runtime.here()
    head = Runtime({**here.device, "device": "head"}, {**here.processor, "threads": 9})
    monkeypatch.undo()
    monkeypatch.setattr(Runtime, "of_machine", lambda threads=None: (head,))
    monkeypatch.setattr(run, "runtimes_on_ray", lambda plan: ((here,), Gpus(0, 0, "")))
    study = root.parent / "study.yaml"
    study.write_text(stored.study().to_yaml())
    command = ["run", str(study), "--store", str(root), "--explain", "--json"]
    for engine, missing in (("ray", 0), ("local", 3)):
        assert main([*command, "--engine", engine]) == 0
        stages = {m["stage"] for m in json.loads(capsys.readouterr().out)["missing"]}
        assert len(stages) == missing
