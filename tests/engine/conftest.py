"""A run folder of the last release before there was an index, and worker processes of a command."""

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "last_release"


@pytest.fixture
def last_release(tmp_path, monkeypatch):
    """A copy of the folder, in a place where its study finds its data."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "moods.jsonl", tmp_path)
    shutil.copytree(HERE / "run", "last")
    return Path("last")


@pytest.fixture
def workers_of():
    """Process ids of the workers of a process, which are copies of one of its children."""

    def children(pid):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]

    def workers(pid):
        try:
            lines = {c: Path(f"/proc/{c}/cmdline").read_bytes() for c in children(pid)}
            copied = [c for c, line in lines.items() if b"multiprocessing.forkserver" in line]
            return [worker for c in copied for worker in children(c)]
        except OSError:
            return []

    return workers
