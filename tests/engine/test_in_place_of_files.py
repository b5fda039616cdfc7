"""A folder in place of a file of a run: an empty one makes room, any other one is left alone."""

import json
import os
from pathlib import Path

import pytest

from weak2strong.config.study import StudyConfig, read_study
from weak2strong.engine.claim import claim
from weak2strong.engine.events import events_of
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import put

FILES = {"study.yaml": StudyConfig(seeds=2).to_yaml().encode(), "tasks.json": b"[]"}
EVERY = ["study.yaml", "tasks.json", "run.json", "events.jsonl"]


@pytest.fixture
def run(tmp_path):
    """The folder of a run, with the files that an index lists, and a log."""
    put(tmp_path, FILES, "run")
    (tmp_path / "events.jsonl").write_text("")
    return tmp_path


def replaced(path):
    """A folder in place of a file."""
    path.unlink()
    path.mkdir()
    return path


@pytest.mark.parametrize("name", EVERY)
def test_an_empty_folder_makes_room(run, name):
    replaced(run / name)
    assert claim(run, StudyConfig(seeds=2), ("a-task",)) == run
    with events_of(run) as event:
        event("start")
    put(run, FILES, "run")
    assert (run / "study.yaml").read_bytes() == FILES["study.yaml"]
    assert (run / "tasks.json").read_bytes() == b"[]"
    assert set(json.loads((run / "run.json").read_bytes())["files"]) >= set(FILES)
    assert json.loads((run / "events.jsonl").read_bytes())["event"] == "start"


@pytest.mark.parametrize("name", EVERY)
def test_a_folder_with_something_in_it_is_refused_before_anything_is_done(run, name):
    (replaced(run / name) / "mine").write_text("kept")
    before = sorted(run.rglob("*"))
    with pytest.raises(UserError, match=rf"{name} is a folder with something in it.*move that"):
        claim(run, StudyConfig(seeds=2), ("a-task",))
    assert sorted(run.rglob("*")) == before


def test_a_study_that_is_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UserError, match=f"Study {path}"):
            read_study(path)


def test_a_study_that_is_a_folder_is_said_to_be_one(run):
    replaced(run / "study.yaml")
    with pytest.raises(UserError, match=r"study.yaml is a folder.* remove it, and put the file"):
        read_study(run / "study.yaml")
