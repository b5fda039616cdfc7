"""A file that is written whole is there, or is as it was."""

import os
from pathlib import Path

import pytest

from weak2strong.ground.whole import leftovers, staged, write_whole


def test_a_file_is_replaced_once_it_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old")
    replace = Path.replace

    def checked(partial, target):
        assert path.read_text() == "old"
        assert partial.read_text() == "new"
        return replace(partial, target)

    monkeypatch.setattr(Path, "replace", checked)
    write_whole(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def full(handle):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk"):
        write_whole(path, b"half")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path], "nothing is left of the attempt"


def test_what_a_kill_leaves_is_known_by_its_name(tmp_path):
    path = tmp_path / "table.csv"
    partial = staged(path, "new")
    staged(tmp_path / "other.csv", "new")
    assert leftovers(path) == [partial]
    assert not path.exists()


def test_a_link_and_a_device_are_written_through(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    write_whole(Path(os.devnull), "new")
    assert not Path(os.devnull).is_file()
