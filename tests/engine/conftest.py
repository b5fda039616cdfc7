"""A run folder of the last release before there was an index, and the data of its task."""

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
