"""A list of runs: the newest first, each with its state, and no damage ends it."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.listed import DAMAGED, DONE, UNFINISHED, _moment, listed, listed_document
from weak2strong.analysis.shares import FILE, note_brief, read_brief
from weak2strong.cli import main
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import put


def written(folder, date, kind="run", **files):
    """A folder with an index, of that date in days."""
    study = StudyConfig(tasks=("boolq", "sciq"), seeds=4).to_yaml().encode()
    folder.mkdir(parents=True)
    named = {name.replace("_", "."): content for name, content in files.items()}
    put(folder, {"study.yaml": study, **named}, kind)
    os.utime(folder / "run.json", (date * 86_400, date * 86_400))
    return folder


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """One of each sort in `runs`."""
    folder = tmp_path / "runs"
    written(folder / "done", 20, results_parquet=b"table")
    written(folder / "begun", 30)
    written(folder / "swept", 10, kind="probe-sweep", sweep_parquet=b"table")
    written(folder / "cut", 40, results_parquet=b"table")
    (folder / "cut" / "results.parquet").write_bytes(b"tab")
    written(folder / "gone", 50, results_parquet=b"table")
    (folder / "gone" / "results.parquet").unlink()
    written(folder / "scrawled", 60, results_parquet=b"table")
    (folder / "scrawled" / "run.json").write_text('{"format": 1, ')
    os.utime(folder / "scrawled" / "run.json", (60 * 86_400, 60 * 86_400))
    written(folder / "binary", 70)
    (folder / "binary" / "study.yaml").write_bytes(b"\xff\xfe: [")
    (folder / "a grid" / "one").mkdir(parents=True)
    (folder / "a grid" / "one" / "results.parquet").write_bytes(b"of a release without an index")
    (folder / "notes").mkdir()
    (folder / "file.txt").write_text("")
    (folder / "latest").symlink_to("done")
    monkeypatch.chdir(tmp_path)
    return folder


def test_each_has_its_kind_and_state_and_the_newest_comes_first(runs):
    found = {one.folder.name: one for one in listed([runs])}
    states = {name: (one.kind, one.state) for name, one in found.items()}
    expected = {
        "one": ("run", DONE),
        "binary": ("run", DAMAGED),
        "scrawled": (None, DAMAGED),
        "gone": ("run", DAMAGED),
        "cut": ("run", DAMAGED),
        "begun": ("run", UNFINISHED),
        "done": ("run", DONE),
        "swept": ("probe-sweep", DONE),
    }
    assert list(states.items()) == list(expected.items())
    assert found["cut"].why == "results.parquet has 3 bytes, not 5"
    assert found["gone"].why == "results.parquet is missing"
    assert found["binary"].why == "study.yaml cannot be read"


def test_the_command_prints_them_and_a_folder_twice_once(runs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "damage results.parquet is missing" in shown
    assert "boolq, sciq" in shown
    assert main(["runs", "runs", "runs/done", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert len(rows) == 8
    (done,) = [row for row in rows if row["run"] == "runs/done"]
    assert (done["tasks"], done["seeds"], done["pgr"]) == (["boolq", "sciq"], 4, None)
    assert (done["weak"], done["strong"]) == ("atlas-s", "atlas-l")


def test_without_runs_that_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    assert capsys.readouterr().out == "There is no run here: `w2s run` makes one.\n"
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []
    with pytest.raises(UserError, match="nowhere is no folder"):
        listed([tmp_path / "nowhere"])


def test_the_pgr_is_that_of_the_table_and_of_no_older_writing(small_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(small_run, folder)
    run = FinishedRun(folder)
    put(folder, {"results.parquet": (folder / "results.parquet").read_bytes()}, "run")
    assert read_brief(folder) is None
    note_brief(run)
    (one,) = listed([folder])
    (first, *_) = one.brief["methods"]
    over = run.over.methods["naive"]
    low, high = over.mean_interval.low, over.mean_interval.high
    assert first == {"method": "naive", "pgr": over.mean, "pgr_low": low, "pgr_high": high}
    (table,) = listed_document([one]).tables
    assert f"mean: naive {over.mean:.2f} [{low:.2f}, {high:.2f}], " in " ".join(table.texts[0])
    put(folder, {"learned.json": b"[]"})
    assert read_brief(folder), "what analyses add changes no PGR"
    put(folder, {"results.parquet": (folder / "results.parquet").read_bytes() + b" "})
    assert read_brief(folder) is None
    note_brief(run)
    (folder / FILE).write_text("{}")
    assert read_brief(folder) is None


def test_of_two_hundred_runs_no_table_is_read(tmp_path, monkeypatch):
    import polars as pl

    def refuse(*_):
        raise AssertionError("a table was read")

    monkeypatch.setattr(pl, "read_parquet", refuse)
    first = written(tmp_path / "0", 1, results_parquet=b"table")
    for number in range(1, 200):
        shutil.copytree(first, tmp_path / str(number))
    assert {one.state for one in listed([tmp_path])} == {DONE}


def test_a_folder_without_rights_and_a_date_of_no_calendar_do_not_end_the_list(runs, monkeypatch):
    status = Path.stat

    def refusing(path, **how):
        if path.parent == runs / "begun":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return status(path, **how)

    monkeypatch.setattr(Path, "stat", refusing)
    found = {one.folder.name: one for one in listed([runs])}
    assert found["begun"].state == DAMAGED
    assert found["begun"].why == "it cannot be read (Permission denied)"
    assert found["done"].state == DONE
    assert _moment(-1e11) == _moment(1e20) == _moment(0)
