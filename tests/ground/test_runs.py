"""A run is named by its path, by the beginning of its name in `runs`, or as the latest one."""

import re
from pathlib import Path

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.runs import run_folder

NAMES = ("20260101-100000-boolq", "20260101-100000-boolq-2", "20260102-090000-sciq", "own")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    for name in NAMES:
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "latest").symlink_to(NAMES[2])
    (tmp_path / "runs" / "20260103-notes.txt").write_text("")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("latest", "runs/latest"),
        ("20260102", "runs/20260102-090000-sciq"),
        ("o", "runs/own"),
        (NAMES[0], f"runs/{NAMES[0]}"),
        ("here", "here"),
        ("runs/own", "runs/own"),
        ("runs/ow", "runs/ow"),
        ("20260103", "20260103"),
        ("nothing", "nothing"),
    ],
)
def test_what_is_meant(named, meant):
    assert run_folder(named) == run_folder(Path(named)) == Path(meant)


def test_the_beginning_of_several_names_is_refused_with_them():
    said = (
        "2026 is the beginning of 3 folders in runs: write more of 20260102-090000-sciq, "
        "20260101-100000-boolq-2, 20260101-100000-boolq."
    )
    with pytest.raises(UserError, match=f"^{re.escape(said)}$"):
        run_folder("2026")
    for number in range(7):
        (Path("runs") / f"many-{number}").mkdir()
    with pytest.raises(UserError, match=r"7 folders .* many-6, .*many-2 and 2 more\.$"):
        run_folder("many")


@pytest.mark.parametrize("named", ["a" * 300, "~nobody-of-that-name/run", "s3://bucket/run"])
def test_what_no_path_can_be_is_said(named):
    with pytest.raises(UserError, match=r"^There is no such path: .*\.$"):
        run_folder(named)


def test_a_path_that_is_there_counts_more(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "latest").mkdir()
    assert run_folder("own") == Path("own")
    assert run_folder("latest") == Path("latest")


def test_without_any_run_a_name_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "here")
    assert run_folder("2026") == Path("2026")
    assert run_folder("latest") == Path("runs/latest")
