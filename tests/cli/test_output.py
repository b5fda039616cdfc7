"""What is printed to a pipe that is closed, or to a full disk."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from weak2strong.cli import main

FULL = Path("/dev/full")


@contextmanager
def closed_pipe() -> Iterator[None]:
    """Standard output is a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as stream, redirect_stdout(stream):
        yield


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_closed_pipe_ends_silently(flags, capsys):
    """What `head` leaves unread is no failure, for a table and for JSON."""
    with closed_pipe():
        assert main(["methods", *flags]) == 0
    assert capsys.readouterr().err == ""


RUN = Path(__file__).parents[1] / "engine" / "last_release" / "run"

PRINTING = [
    *(["table", str(RUN)], ["verify", str(RUN), "--trusted", "10"]),
    *(["place", "--weak", "1e8", "--strong", "1e9"], ["tasks", "atlas-asia"], ["doctor"]),
    *(["--version"], ["--help"], ["run", "--help"], ["store", "sizes"], ["store", "verify"]),
]


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_a_closed_pipe_ends_every_command_silently(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("W2S_STORE", str(tmp_path))
    with closed_pipe():
        assert main(command) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_was_closed_before_the_start_takes_nothing(name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, name, None)
        assert main(["store", "sizes", "--store", "/nowhere"]) == 2
        assert main(["--version"]) == 0
        getattr(sys, name).close()


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", [["methods"], ["methods", "--json"], ["store", "sizes"]])
def test_a_full_disk_is_told_in_a_sentence(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("W2S_STORE", str(tmp_path))
    with FULL.open("w") as stream, redirect_stdout(stream):
        assert main(command) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: The output cannot be written (No space left on device): ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["sizes", "verify", "prune", "why a b"])
def test_looking_after_a_store_does_not_make_one(command, tmp_path, capsys):
    nowhere = tmp_path / "nowhere"
    assert main(["store", *command.split(), "--store", str(nowhere)]) == 2
    assert f"There is no store in {nowhere}" in capsys.readouterr().err
    assert not nowhere.exists()
