"""A user's own preferences on the command line: from a file to the table."""

import json
import random

import pytest

from weak2strong.analysis.finished import Results
from weak2strong.cli import main

WORDS = ("red", "blue", "house", "river", "bird", "city", "town", "morning", "evening", "sings")


@pytest.fixture
def file(tmp_path):
    dice, rows = random.Random(0), []
    for i in range(200):
        say = " ".join(dice.choices(WORDS, k=3))
        rows.append({"prompt": f"Number {i}:", "chosen": f"{say} blue", "rejected": f"{say} red"})
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_from_a_file_to_the_table(one_process, file, toy_models, tmp_path, capsys):
    out = tmp_path / "run"
    run = ["run", "--task", str(file), "--seeds", "1", "--epochs", "1", "--out", str(out)]
    run += ["--weak", str(toy_models["gpt2"]), "--strong", str(toy_models["llama"])]
    run += [
        "--strong-adaptation",
        "lora",
        "--methods",
        "naive",
        "confidence",
        "--metric",
        "roc_auc",
    ]
    assert main([*run, "--dry-run"]) == 0
    assert main([*run, "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "rows are used" in shown
    assert "first 5" in shown
    results = Results(out)
    assert set(results.table()["method"]) == {"naive", "confidence"}
    assert set(results.predictions["kind"]) == {"preference"}
    (held,) = json.loads((out / "tasks.json").read_text())
    assert held["classes"] == ["first", "second"]
    assert main(["examples", str(out), "--limit", "2"]) == 0
    assert "first" in capsys.readouterr().out
    assert main(["examples", str(out), "--limit", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [len(row["texts"]) for row in document["examples"]] == [2, 2]
    assert "texts" not in document


def test_an_export_has_the_prompt_and_both_completions(file, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    assert main(["export", str(file), "--out", str(out)]) == 0
    for row in map(json.loads, out.read_text().splitlines()):
        assert row["text"].startswith("Number ")
        assert row["completions"][row["label"]].endswith(" blue")
        assert row["completions"][1 - row["label"]].endswith(" red")


def test_preferences_are_listed(tasks_listed):
    for part in ("atlas-preference", "hh-helpful", "ODC-BY", "to test on only"):
        assert part in tasks_listed
    assert "preferences stands for 5 of them: hh-helpful, " in tasks_listed
