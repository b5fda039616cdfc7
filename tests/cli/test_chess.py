"""`w2s chess` writes what the package ships and what Lichess publishes; difficulty flags count."""

import pytest

from weak2strong.cli import main
from weak2strong.tasks.chess.positions import positions
from weak2strong.tasks.chess.puzzles import read_puzzles


def test_mates_writes_positions_that_can_be_read(tmp_path, capsys):
    file = tmp_path / "new" / "positions.csv.gz"
    assert main(["chess", "mates", "--out", str(file), "--games", "4", "--seed", "0"]) == 0
    said = capsys.readouterr().out
    found = positions(file)
    assert found == tuple(p for p in positions() if p.game < 4)
    assert said.startswith(f"{len(found)} positions of {len(found) // 3} games, ")


def test_sample_writes_puzzles_that_can_be_read(tmp_path, capsys):
    file = tmp_path / "sample.csv"
    assert main(["chess", "sample", "--out", str(file), "--rows", "7"]) == 0
    assert capsys.readouterr().out == f"7 puzzles written to {file}\n"
    assert len(read_puzzles(file)) == 7


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
