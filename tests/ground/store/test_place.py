"""Where the store is, and what is said of a place where it cannot be."""

from pathlib import Path

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store


def test_the_default_root_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("W2S_STORE", str(tmp_path / "own"))
    assert Store().root == tmp_path / "own"
    assert Store(tmp_path / "given").root == tmp_path / "given"
    monkeypatch.delenv("W2S_STORE")
    assert Store().root == tmp_path / "cache" / "weak2strong"
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert Store().root == tmp_path / "home" / ".cache" / "weak2strong"
    assert Store(Path("~/here")).root == tmp_path / "home" / "here"


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_root_that_is_a_file_is_told_in_a_sentence(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(
        UserError, match=rf"Cannot write {tmp_path / name} \(.* is a file\): .*W2S_STORE"
    ):
        Store(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
@pytest.mark.parametrize("root", ["/proc/self", "/proc/none"])
def test_a_root_that_cannot_be_written_is_told_in_a_sentence(root):
    with pytest.raises(UserError, match=rf"Cannot write {root} .*that you can write to"):
        Store(Path(root))
