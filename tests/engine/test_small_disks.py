"""A disk that fills up, or becomes read-only, beneath each thing that is written: real ones.

Each is a file system in memory of some kilobytes, which takes the rights to mount one.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from weak2strong.cli import main
from weak2strong.engine import done
from weak2strong.ground.store import Store

HERE = Path(__file__).parent / "last_release"

STUDY = """
tasks: [moods.jsonl]
weak: atlas-xs
strong: atlas-xs
seeds: 1
weak_training: {epochs: 1, evaluations: 1, learning_rate: 0.003}
strong_training: {epochs: 1, evaluations: 1, learning_rate: 0.003}
data: {n_train: 24, n_validation: 10, n_test: 20}
"""


def mount(place: Path, kilobytes: int, how: str = "") -> bool:
    """Mount a disk of a size, or make the one there another; whether that was allowed."""
    options = ",".join(filter(None, (f"size={kilobytes}k", how)))
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of a size."""
    place = place.absolute()
    place.mkdir()
    if not shutil.which("mount") or not mount(place, kilobytes):
        pytest.skip("this account cannot mount a file system in memory")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A place with a study, and the folder of it that nothing came in the way of."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "moods.jsonl", tmp_path)
    Path("study.yaml").write_text(STUDY)
    return Path("study.yaml")


def run(out: str, store: str) -> int:
    """Run the study."""
    return main(["run", "study.yaml", "--out", out, "--store", store, "--quiet"])


def results(run: str) -> bytes:
    """The scores of a finished run."""
    return Path(run, "results.parquet").read_bytes()


def sentence(capsys, place: Path) -> str:
    """The one sentence that was printed, which names a file of a disk, and the disk."""
    told = capsys.readouterr().err
    print(told, end="")
    found = re.fullmatch(r"error: Cannot write (\S+) \(([^,]*), on the disk (\S+)\)[^\n]*\n", told)
    assert found, told
    assert Path(found[1]).absolute().is_relative_to(place.absolute())
    assert found[3] == str(place.absolute())
    return found[2]


@pytest.mark.slow
def test_a_run_whose_disks_fill_up_goes_on_where_it_was_when_there_is_room(study, capsys):
    assert run("whole", "fresh") == 0
    capsys.readouterr()
    with disk(Path("small"), 60) as small:
        finished, sizes = 0, iter((120, 200, 300, 500, 4000))
        while run("runs-here", "small/store") == 2:
            assert sentence(capsys, small) == "No space left on device"
            store = Store.there(small / "store") if small.is_dir() else None
            assert store is None or store.verify() == []
            count = len(store.entries()) if store else 0
            assert count >= finished, "what is finished is kept"
            finished = count
            assert mount(small, next(sizes), "remount")
        assert finished > 2, "the disk was full between the stages, too"
    capsys.readouterr()
    assert results("runs-here") == results("whole")


@pytest.mark.slow
def test_what_is_made_of_a_run_is_told_where_its_disk_is_full(study, capsys):
    assert run("whole", "fresh") == 0
    capsys.readouterr()
    with disk(Path("small"), 8) as small:
        for command in (
            ["run", "study.yaml", "--store", "fresh", "--quiet", "--out", "small/run"],
            ["report", "whole", "--out", "small/page.html"],
            ["figures", "whole", "--out", "small/figures"],
            ["analyse", "whole", "--out", "small/analysis"],
            ["table", "whole", "--markdown", "small/table.md"],
            ["export", "moods.jsonl", "--out", "small/moods.jsonl"],
            ["audit", "moods.jsonl", "--json", "small/audit.json"],
        ):
            for path in small.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            assert mount(small, 8, "remount")
            # Of folders the first file still finds room.
            (small / "filler").write_bytes(b"x" * (8192 if Path(command[-1]).suffix else 4096))
            assert main(command) == 2, command
            assert sentence(capsys, small) == "No space left on device", command
            assert not list(small.rglob("*.partial")), command
            assert mount(small, 20_000, "remount")
            assert main(command) == 0, command
            capsys.readouterr()
            if command[0] == "run":
                assert results("small/run") == results("whole")


@pytest.mark.slow
def test_a_store_that_becomes_read_only_in_the_middle(study, capsys):
    perform, count = done.perform, []

    def performed(step, task_run):
        perform(step, task_run)
        count.append(step)
        if len(count) == 2:
            assert mount(Path("small"), 20_000, "remount,ro")

    with disk(Path("small"), 20_000) as small:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(done, "perform", performed)
            assert run("out", "small/store") == 2
        assert sentence(capsys, small) == "Read-only file system"
        assert mount(small, 20_000, "remount,rw")
        kept = {e.key for e in Store(small / "store").entries()}
        assert len(kept) >= 2
        assert run("out", "small/store") == 0
        assert kept < {e.key for e in Store(small / "store").entries()}
