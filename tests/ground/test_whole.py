"""A file that is written whole is there, or is as it was."""

import pytest

from weak2strong.ground.whole import written_whole


def test_a_file_is_replaced_once_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with written_whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with written_whole(path) as partial:
            partial.write_text("half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        write()
    assert path.read_text() == "old"
