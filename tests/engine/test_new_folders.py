"""Folders of runs that start at the same moment, and what two processes leave in one folder."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from weak2strong.config.study import StudyConfig
from weak2strong.engine import claim as claims
from weak2strong.engine.claim import claim, claim_for_runs, new_folder
from weak2strong.ground.errors import UserError
from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.index import put


class Stopped(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 2, 3, 4, 5)


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A clock that stands still, and a place with nothing in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(claims, "datetime", Stopped)


def test_studies_within_one_second_get_folders_of_their_own(stopped):
    studies = [StudyConfig(seeds=seeds) for seeds in (1, 2, 3)]
    folders = [claim(None, study, ("a-task",)) for study in (*studies, studies[0])]
    assert [f.name for f in folders] == [
        "20260102-030405-a-task",
        "20260102-030405-a-task-2",
        "20260102-030405-a-task-3",
        "20260102-030405-a-task-4",
    ]
    assert Path("runs/latest").readlink() == Path("20260102-030405-a-task-4")
    sweep = claim(None, studies[0], ("a-task",), "probe-sweep")
    assert sweep.name == "20260102-030405-probe-sweep-a-task"
    grids = [claim_for_runs(None, "grid", ()) for _ in range(2)]
    assert [g.name for g in grids] == ["20260102-030405-grid", "20260102-030405-grid-2"]
    assert Path("runs/latest").resolve() == folders[-1].resolve(), "the latest run"


def test_no_two_at_once_get_one_name(stopped):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_folder(None, ("a", "b")), range(40)))
    assert len({f.resolve() for f in folders}) == 40
    assert all(f.is_dir() for f in folders)


def test_the_latest_run_is_there_at_every_moment(stopped, monkeypatch):
    claim(None, StudyConfig(), ("a",))
    replace, seen = os.replace, []

    def watched(new, link):
        before = Path("runs/latest").readlink().name
        replace(new, link)
        if Path(link).name == "latest":
            seen.append((before, Path("runs/latest").readlink().name))

    monkeypatch.setattr(os, "replace", watched)
    claim(None, StudyConfig(), ("a",))
    assert seen == [("20260102-030405-a", "20260102-030405-a-2")]


def test_a_folder_named_by_the_user_may_be_claimed_by_one_study_only(stopped):
    def claimed(seeds: int) -> bool:
        with contextlib.suppress(UserError):
            return claim(Path("mine"), StudyConfig(seeds=seeds), ("a",)) == Path("mine")
        return False

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(claimed, range(1, 9)))
    assert sum(done) == 1
    first = done.index(True) + 1
    assert claimed(first), "it is its own"
    with pytest.raises(UserError, match="mine holds a run of another study"):
        claim(Path("mine"), StudyConfig(seeds=first % 8 + 1), ("a",))


def test_a_file_of_somebody_is_not_written_over(tmp_path):
    for name in ("training.parquet", "learned.json", "rates.json", "trusted.parquet"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(UserError, match=f"holds {name}, which may be a file of yours"):
            claim(folder, StudyConfig(), ("a",), "trusted", ["trusted.parquet"])
        with pytest.raises(UserError, match=f"holds {name}, which may be a file of yours"):
            claim_for_runs(folder, "grid", [name])
        assert [file.name for file in folder.iterdir()] == [name]


def test_a_file_of_ours_is_written_over(tmp_path):
    put(tmp_path, {"grid.parquet": b"a"}, "grid")
    assert claim_for_runs(tmp_path, "grid", ["grid.parquet"]) == tmp_path
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"grid.parquet, which may be a file of yours \(run\.json"):
        claim_for_runs(tmp_path, "grid", ["grid.parquet"])


WRITER = """
import sys
from pathlib import Path
from weak2strong.ground.index import put
word = sys.argv[1].encode()
for _ in range(12):
    put(Path("together"), {f"{i}.txt": word * 1000 for i in range(4)}, "run")
"""


def test_two_processes_that_write_one_folder_leave_no_mixture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("together").mkdir()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, word]) for word in ("one", "two")]
    assert [writer.wait() for writer in writers] == [0, 0]
    files = FolderFiles(Path("together"), "run")
    held = {files.read(f"{i}.txt") for i in range(4)}
    assert held in ({b"one" * 1000}, {b"two" * 1000})
    left = {p.name for p in Path("together").iterdir()}
    assert left == {"0.txt", "1.txt", "2.txt", "3.txt", "run.json"}


def test_files_that_others_have_put_there_stay_in_the_index(tmp_path):
    put(tmp_path, {"study.yaml": b"a", "results.parquet": b"b"}, "run")
    put(tmp_path, {"audit.json": b"c", "analysis/misfit.parquet": b"d"})
    put(tmp_path, {"results.parquet": b"e"}, "run")
    files = FolderFiles(tmp_path, "run")
    names = ("study.yaml", "results.parquet", "audit.json", "analysis/misfit.parquet")
    assert [files.read(name) for name in names] == [b"a", b"e", b"c", b"d"]
    assert set(files.index.files) == set(names)
