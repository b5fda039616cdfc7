"""Datasets of the literature on the command line, from folders laid out like their repositories."""

import json
import random
from pathlib import Path

import polars as pl
import pytest

from weak2strong.analysis.finished import Results
from weak2strong.cli import main

RECIPES = Path(__file__).parents[2] / "recipes"

WORDS = ("red", "blue", "house", "river", "bird", "city", "town", "morning", "evening", "sings")


def say(dice, count=4):
    return " ".join(dice.choices(WORDS, k=count))


def boolq(i, dice):
    truth = i % 2 == 0
    return {
        "question": f"does it sing {i}",
        "answer": truth,
        "passage": f"{say(dice)} {'sings' if truth else 'river'} {i}.",
    }


def sciq(i, dice):
    answers = {f"distractor{n}": f"{say(dice, 1)} {n}" for n in (1, 2, 3)}
    return {"question": f"{say(dice)} {i}?", "correct_answer": say(dice, 1), **answers}


def multirc(i, dice):
    text = {"paragraph": f"{say(dice)} {i // 2}.", "question": f"{say(dice)}?"}
    return text | {"answer": f"{say(dice, 2)} {i}", "label": i % 2, "idx": {"answer": i}}


@pytest.fixture
def folders(tmp_path):
    """Three datasets as their repositories have them: formats, subsets, splits."""
    dice, made = random.Random(0), {}
    layout = {
        "boolq": (boolq, "data/{}-00000-of-00001.parquet", ("train", "validation")),
        "sciq": (sciq, "{}.jsonl", ("train", "validation", "test")),
        "multirc": (multirc, "multirc/{}-00000-of-00001.parquet", ("train", "validation")),
    }
    for name, (row, file, splits) in layout.items():
        for n, split in enumerate(splits):
            rows = [row(100 * n + i, dice) for i in range(100)]
            path = tmp_path / name / file.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".jsonl":
                path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            else:
                pl.DataFrame(rows).write_parquet(path)
        made[name] = f"{name}={tmp_path / name}"
    return made


def test_three_datasets_from_folders_to_the_table(one_process, folders, tmp_path, capsys):
    out = tmp_path / "run"
    quick = ("--weak", "atlas-xs", "--strong", "atlas-xs", "--seeds", "1", "--epochs", "1")
    sizes = ("--n-train", "30", "--n-validation", "10", "--n-test", "30")
    run = ("run", "--task", *folders.values(), *quick, "--quiet", *sizes, "--out", str(out))
    assert main([*run, "--methods", "naive"]) == 0
    shown = capsys.readouterr().out
    assert "200 rows are used" in shown
    results = Results(out)
    assert set(results.table()["task"]) == set(folders)
    assert all(task in shown for task in folders)
    assert results.predictions.filter(pl.col("task") == "sciq")["id"].n_unique() == 30
    held = {task["name"]: task for task in json.loads((out / "tasks.json").read_text())}
    assert held["sciq"]["licence"] == "CC BY-NC 3.0"
    assert held["multirc"]["classes"] == ["no", "yes"]
    assert held["boolq"]["reference"] == folders["boolq"]
    # The run's own study runs again, from the store.
    assert main(["run", str(out / "study.yaml"), "--quiet", "--out", str(tmp_path / "again")]) == 0
    again = Results(tmp_path / "again")
    assert again.table().equals(results.table())


def test_a_recipe_runs_on_folders_and_small_models(
    one_process, folders, toy_models, tmp_path, capsys
):
    """EleutherAI's settings, but for models and epochs; sizes shrink to what there is.

    All methods of the recipe are planned with the others (tests/test_recipes.py).
    """
    out = tmp_path / "run"
    tasks = {"multirc": folders["multirc"]}
    run = ["run", str(RECIPES / "eleuther_2024.yaml"), "--task", *tasks.values()]
    run += ["--weak", str(toy_models["gpt2"]), "--strong", str(toy_models["llama"])]
    run += ["--weak-adaptation", "lora", "--strong-adaptation", "lora", "--precision", "float32"]
    run += ["--methods", "naive", "confidence:threshold=recent-32,warmup=0.213"]
    run += ["--seeds", "1", "--epochs", "1", "--quiet", "--out", str(out)]
    assert main([*run, "--dry-run"]) == 0
    assert "\n2 cells: 1 task x 2 methods" in capsys.readouterr().out
    assert main(run) == 0
    shown = capsys.readouterr().out
    assert "ROC AUC" in shown
    results = Results(out)
    table = results.table()
    assert sorted(zip(table["task"], table["method"], strict=True)) == sorted(
        (task, method)
        for task in tasks
        for method in ("naive", "confidence:threshold=recent-32,warmup=0.213")
    )
    assert results.config.strong_training.warmup_steps == 40
    for task in json.loads((out / "tasks.json").read_text()):
        sizes = {row["split"]: row["examples"] for row in task["splits"]}
        assert sizes["weak_train"] == pytest.approx(5 * sizes["validation"], abs=10)
        assert sum(sizes.values()) >= 0.9 * task["cleaning"]["kept"] > 0


def test_a_dataset_is_looked_into_and_exported(folders, tmp_path, capsys):
    assert main(["tasks", folders["multirc"]]) == 0
    shown = capsys.readouterr().out
    assert "multirc, train + validation, SHA-256" in shown
    assert "no 50.0%, yes 50.0%" in shown
    out = tmp_path / "sciq.jsonl"
    assert main(["export", folders["sciq"], "--out", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert all(row["text"].endswith("Is it right?") for row in rows)


def test_datasets_are_listed_without_a_network(tasks_listed):
    for part in ("boolq", "google/boolq", "12,697", "CC BY-SA 3.0", "sciq_with_support"):
        assert part in tasks_listed
    assert "burns-nlp stands for 22 of them: boolq, " in tasks_listed
    assert "eleuther-nlp stands for 25 of them: boolq, " in tasks_listed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--text-column", "passage"), "knows its columns, subset and splits: leave --text-column"),
        (("--entities", "unseen"), "Task boolq has no unseen entities"),
    ],
)
def test_what_a_dataset_does_not_take_is_refused(folders, capsys, arguments, sentence):
    assert main(["run", "--task", folders["boolq"], "--quiet", *arguments]) == 2
    assert sentence in capsys.readouterr().err
