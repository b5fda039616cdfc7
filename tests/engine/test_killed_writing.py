"""Killed at every write, fsync and rename of its files, a folder is old, new, or refused."""

import builtins
import json
import os
import shutil
import signal
from pathlib import Path

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.config.study import read_study
from weak2strong.engine import run as engine
from weak2strong.engine.claim import claim
from weak2strong.engine.events import AT_WORK
from weak2strong.engine.local import Plan
from weak2strong.engine.record import parquet
from weak2strong.engine.run import do_steps
from weak2strong.engine.work import FILE as WORK
from weak2strong.engine.work import work_file
from weak2strong.ground import whole
from weak2strong.ground.errors import UserError
from weak2strong.ground.progress import Progress
from weak2strong.protocol.steps import Step

LOG = "events.jsonl"
STEPS = tuple(Step("supervisor", "moods", seed) for seed in (0, 1))


class Killer:
    """Kills this process with SIGKILL at one of its writes, fsyncs and renames."""

    def __init__(self, at: int):
        self.left = at

    def point(self):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self):
        fsync, replace, opened = os.fsync, Path.replace, builtins.open
        point = self.point

        def synced(handle):
            point()
            fsync(handle)

        def replaced(path, target):
            point()
            replace(path, target)
            point()

        def opened_to_write(path, mode):
            assert mode == "xb"
            point()
            file = opened(path, mode)
            write = file.write

            class Torn:
                """A file of which a kill leaves half."""

                def __enter__(self):
                    return self

                def __exit__(self, *failure):
                    file.close()

                def write(self, content):
                    write(content[: len(content) // 2])
                    file.flush()
                    point()
                    write(content[len(content) // 2 :])

                flush, fileno = file.flush, file.fileno

            return Torn()

        os.fsync, Path.replace = synced, replaced
        whole.open = opened_to_write


def survives(at: int, work) -> bool:
    """Whether a process that is killed at its so-maniest point comes to the end of its work."""
    child = os.fork()
    if child == 0:
        try:
            Killer(at).install()
            work()
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 3
    return not os.WIFSIGNALED(status)


def content(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold, but for its log and the lock of whoever was at work."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name not in (LOG, AT_WORK)}


NAMES = ("cells", "predictions", "tasks", "work", "environment", "examples", "audit")


def read(folder: Path) -> dict[str, str]:
    """What a reader finds in a finished folder, or the sentence of its refusal, by what is read."""
    run, found = FinishedRun(folder), {}
    for name in NAMES:
        try:
            value = getattr(run, name)
            found[name] = str(value.rows() if isinstance(value, pl.DataFrame) else value)
        except UserError as e:
            found[name] = refusal(folder, str(e))
    return found


def refusal(folder: Path, text: str) -> str:
    """The sentence of a refusal, which says where and what to do."""
    assert str(folder) in text
    assert "makes it again" in text or "holds no finished run" in text
    return f"refused: {text}"


@pytest.fixture
def rerun(last_release, monkeypatch):
    """Runs the study again in the folder: other results than those there, from canned answers."""
    config = read_study(last_release / "study.yaml")
    predictions = pl.read_parquet(last_release / "predictions.parquet")
    turned = predictions.with_columns(pl.col("probabilities").list.reverse())
    results = pl.read_parquet(last_release / "results.parquet").with_columns(student=pl.lit(0.75))
    files = {
        "study.yaml": config.to_yaml().encode(),
        "tasks.json": (last_release / "tasks.json").read_bytes().replace(b"the user's", b"an"),
        "predictions.parquet": parquet(turned),
        "results.parquet": parquet(results),
        "agreement.parquet": (last_release / "agreement.parquet").read_bytes(),
        "examples.parquet": parquet(pl.read_parquet(last_release / "examples.parquet").head(2)),
    }
    task_runs = {"moods": type("", (), {"store": type("", (), {"root": "store"}), "place": None})}
    monkeypatch.setattr(engine, "run_steps", lambda *_: None)
    monkeypatch.setattr(engine, "environment_file", lambda *_: b'{"weak2strong": "next"}')

    def run(folder: Path):
        claim(folder, config, ("moods",))
        do_steps(
            folder,
            STEPS,
            task_runs,
            Plan(1, 1),
            Progress(quiet=True),
            lambda work: {WORK: work_file(work), **files},
        )

    return run


def made(seconds: float) -> str:
    """The events of steps that took so long."""
    stages = [{"stage": "finetune", "key": "a", "reused": False, "seconds": seconds}]
    event = {"time": "2026-01-01T00:00:00+00:00", "event": "step", "reused": False}
    return "".join(
        json.dumps(event | {"name": step.name, "seconds": seconds, "stages": stages}) + "\n"
        for step in STEPS
    )


@pytest.fixture(params=["new", "unfinished", "of the last release", "finished"])
def start(request, last_release, rerun, tmp_path) -> Path:
    """The folder before the run that is killed."""
    folder = tmp_path / "start"
    folder.mkdir()
    if request.param == "of the last release":
        shutil.copytree(last_release, folder, dirs_exist_ok=True)
    elif request.param == "unfinished":
        claim(folder, read_study(last_release / "study.yaml"), ("moods",))
    elif request.param == "finished":
        rerun(folder)
        # The same study with what an earlier version found: all of its files differ.
        files = {
            p.name: p.read_bytes()
            for p in last_release.iterdir()
            if p.name not in (LOG, "study.yaml")
        }
        engine.put_results(folder, files, "run")
    with (folder / LOG).open("a") as log:
        log.write(made(12.5))
    return folder


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_killed_at_any_point_is_old_or_new_or_refused_and_ends_the_same(
    start, rerun, step, tmp_path
):
    folder, end = tmp_path / "run", tmp_path / "end"

    def again():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(start, folder)

    again()
    before = read(folder)
    rerun(folder)
    after = read(folder)
    shutil.copytree(folder, end)
    assert not any(value.startswith("refused") for value in after.values())
    assert {name for name in NAMES if before[name] != after[name]} >= set(NAMES) - {"audit"}
    alive, at, refused = False, 0, 0
    while not alive:
        at += step
        again()
        alive = survives(at, lambda: rerun(folder))
        found = read(folder)
        known = {n: value for n, value in found.items() if not value.startswith("refused")}
        refused += known != found
        assert known.items() <= before.items() or known.items() <= after.items(), at
        rerun(folder)
        assert content(folder) == content(end), at
    assert found == after
    assert at > 40, "so many points the writing has"
    assert 0 < refused < at
    assert {row["seconds"] for row in json.loads((end / WORK).read_text())} == {12.5}
