"""Paths on a command line: those that no file can have, and the home folder."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from weak2strong.cli import main
from weak2strong.cli.paths import with_paths
from weak2strong.ground.errors import UserError


@dataclass(frozen=True)
class Inner:
    out: Path | None = None


@dataclass(frozen=True)
class Command:
    folders: tuple[Path, ...] = ()
    inner: Inner = field(default_factory=Inner)
    name: str = "~"


def test_the_home_folder_is_meant_wherever_a_path_stands(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    before = Command((Path("a"), Path("~/b")), Inner(Path("~/c")))
    after = with_paths(before)
    assert after == Command((Path("a"), Path("/home/me/b")), Inner(Path("/home/me/c")))
    usual = Command((Path("a"),))
    assert with_paths(usual) is usual


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("~nobody-here/x", "'~nobody-here/x' is in the home of nobody here"),
        ("a/" + "x" * 256, "the name xxx.* is longer than the 255 bytes of one"),
        ("a/" + "é" * 128, "the name é.* is longer than the 255 bytes of one"),
        ("abc/" * 1025, r"abc/abc.*\.\.\. is longer than the 4,095 bytes that a path may have"),
        ("a\0b", r"'a\\x00b' holds a zero character"),
    ],
)
def test_a_path_that_no_file_has_is_a_sentence(path, says):
    with pytest.raises(UserError, match=says):
        with_paths(Command(inner=Inner(Path(path))))
    with pytest.raises(UserError, match=says):
        with_paths(Command((Path("a"), Path(path))))
    assert with_paths(Command((Path("x" * 255), Path("é" * 127), Path("abc/" * 1000))))


def test_an_error_about_a_name_of_two_lines_has_one(capsys):
    assert main(["tasks", "two\nlines.csv"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert r"two\nlines.csv" in err


@pytest.mark.parametrize("command", [("digits", "--out"), ("chess", "mates", "--out")])
def test_what_cannot_be_written_is_told_before_the_work(tmp_path, capsys, command):
    (tmp_path / "file").write_text("mine")
    assert main([*command, str(tmp_path / "file" / "out")]) == 2
    assert f"Cannot write {tmp_path / 'file' / 'out'}" in capsys.readouterr().err
    for name, to in {"loop": "loop", "elsewhere": "no-folder/out"}.items():
        (tmp_path / name).symlink_to(to)
        assert main([*command, str(tmp_path / name)]) == 2
        assert f"Cannot write {tmp_path / name}" in capsys.readouterr().err


def test_a_plan_of_a_file_that_is_not_there_is_refused(capsys):
    assert main(["run", "--dry-run", "--task", "no-such.csv"]) == 2
    assert "Data file no-such.csv cannot be read" in capsys.readouterr().err


def test_a_working_folder_that_is_gone_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir("gone")
    (tmp_path / "gone").rmdir()
    assert main(["tasks", "a.csv"]) == 2
    told = capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert told.startswith("error: The folder that this was started in cannot be found (No such")


def test_variables_that_name_nothing_are_a_sentence_or_taken_for_what_they_mean(
    monkeypatch, capsys
):
    monkeypatch.setenv("COLUMNS", "9" * 5000)
    monkeypatch.setenv("MPLBACKEND", "no-such-window")
    assert main(["methods"]) == 0
    assert os.environ["MPLBACKEND"] == "agg"
    monkeypatch.setenv("W2S_STORE", "~nobody-here/x")
    capsys.readouterr()
    assert main(["store", "sizes"]) == 2
    assert capsys.readouterr().err == (
        "error: W2S_STORE names no folder: '~nobody-here/x' is in the home of nobody here: set it "
        "to another one.\n"
    )
    monkeypatch.setenv("W2S_STORE", "")
    for date in ("abc", "", "-1"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
        assert main(["methods"]) == 2
        assert f"must be whole seconds since 1970, not {date!r}" in capsys.readouterr().err
