"""Which models are tried out before the first step, and in which ways."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.engine import trials
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.models.files import WEIGHTS
from weak2strong.protocol.steps import steps


@pytest.fixture
def tried(monkeypatch):
    """The uses that were tried, by the last part of the model's name; nothing is."""
    found = dict[str, set]()

    def note(model, of_model, here):
        found.setdefault(model.name.rpartition("/")[2], set()).update(t.use for t in of_model)

    monkeypatch.setattr(trials, "try_model", note)
    monkeypatch.setattr(trials, "_PASSED", set())
    return found


def try_study(config, kind="classification"):
    task = SimpleNamespace(kind=kind, classes=("no", "yes"))
    run = SimpleNamespace(config=config, task=task, places=())
    trials.try_models(steps(config, {"task": kind}), {"task": run})


METHODS = {
    ("naive",): {"training", "activations"},
    ("zero-shot",): {"training", "activations", "prompting"},
    ("generative",): {"training", "activations", "reading"},
    ("generative+few-shot",): {"training", "activations", "prompting", "reading"},
}


@pytest.mark.parametrize("methods", METHODS)
def test_the_student_is_tried_in_what_its_methods_do(quick_study, tried, methods):
    try_study(replace(quick_study, methods=methods))
    assert tried == {"gpt2": {"training"}, "llama": METHODS[methods]}


def test_answers_in_words_are_neither_probed_nor_prompted(quick_study, tried):
    try_study(replace(quick_study, methods=("naive",)), "generation")
    assert tried == {"gpt2": {"training"}, "llama": {"training"}}


def test_models_between_are_tried_where_a_method_trains_them(quick_study, tried, toy_models):
    between = (ModelSpec(str(toy_models["bert"])),)
    config = replace(quick_study, methods=("naive",), intermediates=between)
    try_study(config)
    assert "bert" not in tried
    try_study(replace(config, methods=("bootstrapping",)))
    assert tried["bert"] == {"training"}


def test_the_ladder_and_what_was_tried_before_is_not_tried(quick_study, tried):
    config = replace(quick_study, weak=ModelSpec("atlas-xs"), methods=("naive",))
    try_study(config)
    assert set(tried) == {"llama"}
    tried.clear()
    try_study(config)
    assert not tried


def test_a_student_that_cannot_be_loaded_is_told_before_anything_is_trained(
    quick_study, toy_models, tmp_path
):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])
    config = replace(quick_study, strong=ModelSpec(str(folder)))
    with pytest.raises(UserError, match=r"its file model.safetensors is missing or cut off"):
        run_study(config, tmp_path / "run", tmp_path / "store")
    assert not list((tmp_path / "store").glob("finetune/*"))
