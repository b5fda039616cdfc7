"""Models of the user's own, adapted in every way, from the command line to the table."""

import json
import random

import pytest
import yaml

from weak2strong.analysis.finished import Results
from weak2strong.cli import main
from weak2strong.config.study import StudyConfig

SIGNS = (("red", "evening"), ("blue", "morning"))
"""Words by class: the toy models have a token for each."""


@pytest.fixture
def file(tmp_path):
    """A hundred sentences, about red or about blue."""
    dice, path = random.Random(0), tmp_path / "colours.jsonl"
    words = ("house", "river", "bird", "city", "sings", "stands")
    rows = [
        {
            "text": " ".join([*dice.choices(words, k=3), dice.choice(SIGNS[i % 2]), str(i)]),
            "label": ("red", "blue")[i % 2],
        }
        for i in range(100)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("weak", "weakly", "strong", "strongly"),
    [
        ("gpt2", "head", "llama", "full"),
        ("bert", "full", "gpt2", "lora"),
        ("llama", "lora", "bert", "head"),
    ],
)
def test_a_file_and_two_folders_give_a_table(
    one_process, toy_models, file, tmp_path, capsys, weak, weakly, strong, strongly
):
    """Every model and adaptation in both roles; `training/test_adaptations.py` has each of each."""
    out = tmp_path / "run"
    command = ["run", "--task", file, "--weak", toy_models[weak]]
    command += ["--strong", toy_models[strong], "--methods", "naive", "confidence"]
    command += ["--weak-adaptation", weakly, "--strong-adaptation", strongly]
    command += ["--seeds", 1, "--steps", 6, "--weak-lr", 3e-3, "--strong-lr", 3e-3, "--out", out]
    assert main([str(word) for word in command]) == 0
    shown = capsys.readouterr()
    assert "PGR [95%]" in shown.out
    assert [line.split()[:2] for line in shown.out.splitlines() if line.startswith("colours ")] == [
        ["colours", "naive"],
        ["colours", "confidence"],
    ]
    said = [line for line in shown.err.splitlines() if "ceiling seed 0" in line]
    assert len(said) == 1
    assert ("padding" in said[0]) == (strongly != "head")
    run = Results(out)
    assert (run.config.weak.adaptation, run.config.strong.adaptation) == (weakly, strongly)
    assert {t["method"] for t in run.table().to_dicts()} == {"naive", "confidence"}


def test_stopping_on_ground_truth_is_said_to_be_an_upper_bound(
    one_process, toy_models, file, tmp_path, capsys
):
    models = ["--weak", str(toy_models["gpt2"]), "--strong", str(toy_models["llama"])]
    quick = ["--seeds", "1", "--steps", "6", "--methods", "naive", "--quiet"]
    for stopping, told in (("oracle", True), ("weak-validation", False)):
        command = ["run", "--task", str(file), *models, *quick, "--stopping", stopping]
        assert main([*command, "--out", str(tmp_path / stopping)]) == 0
        assert ("upper bounds, not results of weak" in capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "0"], "--steps must be at least 1, not 0"),
        (["--batch-size", "0"], "--batch-size must be at least 1, not 0"),
        (["--strong-lr", "-1"], "--strong-lr must be above 0, not -1"),
        (["--weak", ""], "--weak must be text, and not empty"),
        (["--task", "atlas-asia", ""], "--task must be text, and not empty"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(arguments, sentence, capsys):
    assert main(["run", *arguments]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""


def test_all_settings_of_a_model_can_be_written_in_a_study(tmp_path, toy_models, capsys):
    folder = str(toy_models["llama"])
    strong = {"name": folder, "head_start": "answers", "answers": ["red", "blue"], "lora_rank": 4}
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({"weak": folder, "strong": strong}))
    config = StudyConfig.from_yaml(study.read_text())
    assert config.strong.answers == ("red", "blue")
    assert StudyConfig.from_yaml(config.to_yaml()) == config
    study.write_text(yaml.safe_dump({"strong": {"name": folder, "pooling": "middle"}}))
    assert main(["run", str(study)]) == 2
    assert "pooling must be one of auto, last, mean, cls, not 'middle'" in capsys.readouterr().err
