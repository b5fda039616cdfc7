"""`w2s chess` writes what the package ships and what Lichess publishes; difficulty flags count."""

import json

import pytest

from weak2strong.cli import main
from weak2strong.subjects.chess.positions import positions
from weak2strong.subjects.chess.puzzles import read_puzzles


def test_mates_writes_positions_that_can_be_read(tmp_path, capsys):
    file = tmp_path / "new" / "positions.csv.gz"
    assert main(["chess", "mates", "--out", str(file), "--games", "4", "--seed", "0"]) == 0
    said = capsys.readouterr().err
    found = positions(file)
    assert found == tuple(p for p in positions() if p.game < 4)
    assert said.startswith(f"{len(found)} positions of {len(found) // 3} games, ")


def test_sample_writes_puzzles_that_can_be_read(tmp_path, capsys):
    file = tmp_path / "sample.csv"
    assert main(["chess", "sample", "--out", str(file), "--rows", "7"]) == 0
    assert capsys.readouterr().err == f"7 puzzles written to {file}\n"
    assert len(read_puzzles(file).puzzles) == 7


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("mates", "--games", "0"), "--games must be at least 1, not 0"),
        (("sample", "--rows", "0"), "--rows must be at least 1, not 0"),
        (("sample", "--out", "{folder}/none/sample.csv"), "Cannot write"),
        (("mates", "--games", "1", "--out", "{folder}"), "Cannot write"),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path, capsys, command, says):
    words = [word.format(folder=tmp_path) for word in command]
    if "--out" not in words:
        words += ["--out", str(tmp_path / "file.csv")]
    assert main(["chess", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--train-difficulty", "low"), "Difficulty 'low' is no selection"),
        (("--test-difficulty", "above:0"), "Task atlas-asia does not say how hard"),
        (
            ("--task", "chess-material", "--train-difficulty", "above:0"),
            "keeps 0 of 1,176 examples of weak_train with --train-difficulty above:0",
        ),
    ],
)
def test_a_difficulty_that_cannot_be_is_a_sentence(tmp_path, capsys, flags, says):
    out = tmp_path / "run"
    assert main(["run", *flags, "--out", str(out), "--quiet"]) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


@pytest.fixture
def sample(tmp_path):
    file = tmp_path / "SAMPLE.csv"
    assert main(["chess", "sample", "--out", str(file), "--rows", "60"]) == 0
    return file


@pytest.fixture
def run(sample, toy_models, tmp_path):
    """A function that runs a study of the sample and returns the exit code."""
    models = ("--weak", str(toy_models["gpt2"]), "--strong", str(toy_models["llama"]))
    quick = ("--methods", "naive", "--seeds", "1", "--epochs", "1")
    where = ("--out", str(tmp_path / "run"), "--store", str(tmp_path / "store"))

    def start(*flags):
        return main(["run", "--task", "chess-puzzles", *models, *quick, *where, *flags])

    return start


def test_puzzles_run_from_file_to_table_and_a_malformed_row_is_named(sample, run, tmp_path, capsys):
    lines = sample.read_text().splitlines()
    lines[6] = lines[6].replace(",100,", ",liked,")
    sample.write_text("\n".join(lines))
    assert run("--data", str(sample), "--puzzle-maximum-rating", "1900") == 0
    said = capsys.readouterr().out
    assert "Left out as malformed (line 7: Popularity 'liked' is no whole number): 1." in said
    assert "exact match, mean of 1 seed" in said
    assert "undefined" in said
    (held,) = json.loads((tmp_path / "run" / "tasks.json").read_text())
    assert (held["cleaning"]["read"], held["cleaning"]["malformed"]) == (60, 1)
    study = (tmp_path / "run" / "study.yaml").read_text()
    assert "maximum_rating: 1900" in study
    assert f"- chess-puzzles={sample}" in study


def test_too_many_malformed_rows_stop_before_anything_is_trained(sample, run, tmp_path, capsys):
    with sample.open("a") as file:
        file.write("x\n" * 4)
    assert run("--data", str(sample)) == 2
    assert "has 4 malformed rows of 64 (line 62: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_puzzles_are_one_file(sample, run, capsys):
    assert run("--data", str(sample), str(sample)) == 2
    assert "takes one file of puzzles, not 2" in capsys.readouterr().err
    assert run() == 2
    assert "name it with --data FILE.csv" in capsys.readouterr().err
