"""Lines of files of games and puzzles that are packed by zip."""

import zipfile

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.subjects.chess.lines import numbered_lines


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "one\ntwo\n")
    return path


def test_the_lines_of_the_one_file_in_an_archive(tmp_path):
    path = zipped(tmp_path / "games.pgn.zip", "games.pgn", "__MACOSX/._games.pgn")
    assert list(numbered_lines(path)) == [(1, "one\n"), (2, "two\n")]


def test_several_files_and_broken_archives_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds several files \(a\.pgn, b\.pgn\): unpack it"):
        list(numbered_lines(zipped(tmp_path / "d.zip", "a.pgn", "b.pgn")))
    path = zipped(tmp_path / "d.pgn.zip", "d.pgn")
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    with pytest.raises(UserError, match=r"d\.pgn\.zip cannot be read \(Bad CRC"):
        list(numbered_lines(path))
