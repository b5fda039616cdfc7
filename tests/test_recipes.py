"""Recipes have the figures of the literature, can be planned without a network, and run."""

import json
import os
import random
from pathlib import Path

import pytest
import yaml

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.study import read_study
from weak2strong.engine.local import Plan
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.confidence_openai_code import ConfidenceOpenaiCode
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.methods.reference import find_method
from weak2strong.models.catalogue import listed
from weak2strong.protocol.resolve import checked
from weak2strong.tasks.files import sizes_of
from weak2strong.tasks.layout import choose
from weak2strong.tasks.parts import NAMES

FOLDER = Path(__file__).parents[1] / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

COUNTS = {
    "openai_2023_public_code": 5 * 2 * 3,
    "burns_2023_nlp": 22 * 2 * 3,
    "eleuther_2024": 25 * 2 * 3,
    "anthropic_2026": 3 * 1 * 5,
    "llama1_to_llama2": 1 * 2 * 3,
    "burns_2023_vision": 1 * 1 * 3,
}
"""Cells: tasks x methods x seeds."""


def recipe(name):
    return read_study(FOLDER / f"{name}.yaml")


class Asked:
    """A context that notes the losses with which it is to finetune."""

    classes, weak_labels = 2, None

    def __init__(self):
        self.losses = []

    def finetune(self, labels, loss):
        self.losses.append(loss)


def losses_of(config):
    """The losses of a study's methods."""
    context = Asked()
    for reference in config.methods:
        find_method(reference).run(context)
    return context.losses


def test_there_are_six():
    assert set(RECIPES) == set(COUNTS)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_study_whose_settings_are_all_known(name):
    config = recipe(name)
    checked(config)
    assert type(config).from_yaml(config.to_yaml()) == config
    written = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert all(value is not None for value in written.values())


def stand_ins(folder, config):
    """Files by the names of a recipe, where it names files of the user's."""
    if config.weak.name.endswith(".pth"):
        (folder / config.weak.name).write_bytes(b"weights")
        for number in range(120):
            file = folder / config.tasks[0] / f"n{number % 2:08}" / f"{number}.ppm"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"P6 1 1 255\n" + bytes([number] * 3))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_planned_without_a_network(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stand_ins(tmp_path, recipe(name))
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", str(FOLDER / f"{name}.yaml"), "--dry-run"]) == 0
    shown = capsys.readouterr()
    config = recipe(name)
    assert f"Plan of {config.weak.name} to {config.strong.name}; nothing is" in shown.out
    assert f"\n{COUNTS[name]} cells: " in shown.out
    assert all(f"student {method}" in shown.out for method in config.methods)
    known = config.strong.name in listed()
    memory = f"Memory of {config.strong.name}, {config.strong.adaptation}: "
    assert (memory in shown.out) == known
    assert shown.err == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path(os.environ["W2S_STORE"]).exists()


def test_figures_are_those_of_the_literature():
    """As the project's notes on the protocol have them (section 2)."""
    for name in RECIPES:
        config = recipe(name)
        assert {m.head_states for m in (config.weak, config.strong)} == {"raw"}
    openai = recipe("openai_2023_public_code")
    for training in (openai.weak_training, openai.strong_training):
        assert (training.epochs, training.batch_size, training.schedule) == (2, 32, "cosine")
        assert (training.dropout, training.stopping) == (False, "none")
    rates = (openai.weak_training.learning_rate, openai.strong_training.learning_rate)
    assert rates == (5e-5, 1e-5)
    assert {m.head_start for m in (openai.weak, openai.strong)} == {"zero"}
    assert losses_of(openai) == [CrossEntropy(), ConfidenceOpenaiCode()]
    assert openai.data.balance is False

    burns = recipe("burns_2023_nlp")
    assert (burns.metric, burns.labels, burns.tasks) == ("accuracy", "soft", ("burns-nlp",))
    assert {m.adaptation for m in (burns.weak, burns.strong)} == {"full"}
    for training in (burns.weak_training, burns.strong_training):
        assert (training.epochs, training.batch_size) == (2, 32)
        assert (training.stopping, training.stopping_metric) == ("weak-validation", "accuracy")
    assert burns.data == DataOptions(), "all the data"
    assert losses_of(burns) == [CrossEntropy(), Confidence(0.5, 0.2, "median")]

    eleuther = recipe("eleuther_2024")
    assert eleuther.saturated == 0.999
    assert (eleuther.weak.name, eleuther.strong.name) == (
        "Qwen/Qwen1.5-0.5B",
        "meta-llama/Meta-Llama-3-8B",
    )
    assert (eleuther.metric, eleuther.labels) == ("roc_auc", "soft")
    assert {m.lora_rank for m in (eleuther.weak, eleuther.strong)} == {8}
    for training, rate in ((eleuther.weak_training, 5e-4), (eleuther.strong_training, 8e-5)):
        assert (training.epochs, training.batch_size, training.learning_rate) == (3, 32, rate)
        assert (training.schedule, training.warmup_steps) == ("cosine", 40)
        assert (training.weight_decay, training.beta2) == (0.1, 0.95)
        assert (training.stopping_metric, training.evaluate_every) == ("roc_auc", 25)
    # Ground truth of its `val` for supervisor and ceiling, weak labels of it for students.
    assert eleuther.weak_training.stopping == eleuther.ceiling_training.stopping == "oracle"
    assert eleuther.strong_training.stopping == "weak-validation"
    sizes = {"weak_train": 5000, "strong_train": 5000, "validation": 1000, "test": 5000}
    assert sizes_of(eleuther.data) == sizes
    assert losses_of(eleuther) == [CrossEntropy(), Confidence(0.5, 0.213, "recent-32")]
    steps = eleuther.strong_training.steps_on(5000)
    assert steps * 0.213 == pytest.approx(100, abs=1)

    vision = recipe("burns_2023_vision")
    assert (vision.weak.adaptation, vision.weak.head_start) == ("head", "own")
    assert (vision.strong.name, vision.strong.adaptation) == ("facebook/dino-vitb8", "head")
    training = vision.strong_training
    assert (training.epochs, training.batch_size, training.learning_rate) == (5, 128, 1e-3)
    assert (vision.labels, vision.metric, vision.data.n_test) == ("soft", "accuracy", 10_000)

    anthropic = recipe("anthropic_2026")
    assert (anthropic.weak.name, anthropic.strong.name) == (
        "Qwen/Qwen1.5-0.5B-Chat",
        "Qwen/Qwen3-4B-Base",
    )
    assert (anthropic.labels, anthropic.metric, anthropic.seeds) == ("hard", "accuracy", 5)
    assert {m.lora_rank for m in (anthropic.weak, anthropic.strong)} == {32}
    for training in (anthropic.weak_training, anthropic.strong_training):
        assert (training.epochs, training.batch_size, training.learning_rate) == (5, 32, 1e-4)
        assert (training.schedule, training.stopping) == ("linear", "none")


def test_the_subset_of_the_llama_plan_is_its_file():
    """The files of lmsys/toxic-chat at the revision of the recipe."""
    name = "toxic-chat_annotation"
    files = [f"data/{v}/{name}_{p}.csv" for v in ("0124", "1123") for p in ("all", "test", "train")]
    data = recipe("llama1_to_llama2").data
    _, chosen = choose("lmsys/toxic-chat", [*files, "README.md"], data.subset, data.split)
    assert chosen == ["data/0124/toxic-chat_annotation_all.csv"]


def write_parts(folder):
    """Three files of sentences about colours, some of them in two files."""
    dice = random.Random(0)
    words, signs = ("house", "river", "bird", "city", "sings"), ("red", "blue")
    folder.mkdir()
    for name, first in zip(NAMES, (0, 110, 250), strict=True):
        rows = [
            {"prompt": " ".join([*dice.choices(words, k=3), signs[i % 2], str(i)]), "label": i % 2}
            for i in range(first, first + 120)
        ]
        if name == NAMES[1]:
            rows += [{"prompt": "The same in two files.", "label": 0}]
        if name == NAMES[2]:
            rows += [{"prompt": "the same in two files.", "label": 1}]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("paths", ["folder", "files"])
def test_the_recipe_of_three_files_runs_on_them(paths, tmp_path, capsys, toy_models, monkeypatch):
    monkeypatch.setattr(Plan, "of", lambda *_: Plan(workers=1, threads=1))
    folder, out = write_parts(tmp_path / "chat"), tmp_path / "run"
    data = [folder] if paths == "folder" else [folder / name for name in NAMES]
    command = ["run", FOLDER / "anthropic_2026.yaml", "--data", *data, "--text-column", "prompt"]
    command += ["--weak", toy_models["gpt2"], "--strong", toy_models["llama"]]
    command += ["--seeds", 1, "--epochs", 1, "--quiet", "--out", out]
    command = [str(word) for word in command]
    assert main([*command, "--dry-run"]) == 0
    plan = capsys.readouterr().out
    assert not out.exists()
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "PGR [95%]" in shown
    assert "since another split has them, or what belongs to them: 1." in shown
    run = Results(out)
    assert (run.config.labels, run.config.strong_training.schedule) == ("hard", "linear")
    (task,) = run.tasks
    assert task["name"] == "chat"
    sizes = {row["split"]: row["examples"] for row in task["splits"]}
    assert sizes == {"weak_train": 120, "strong_train": 108, "validation": 12, "test": 121}
    line = next(line for line in plan.splitlines() if line.startswith("chat "))
    assert line.split()[1:5] == [str(n) for n in sizes.values()]


def test_data_and_task_are_one_or_the_other(tmp_path, capsys):
    folder = write_parts(tmp_path / "chat")
    for command, sentence in (
        (["--task", "atlas-asia", "--data", folder], "--task and --data both name tasks"),
        (["--data", tmp_path], f"and {tmp_path} is no such folder"),
        (["--data", folder / NAMES[0], folder / NAMES[1]], "or three such files, and"),
    ):
        assert main(["run", *map(str, command)]) == 2
        assert sentence in capsys.readouterr().err
