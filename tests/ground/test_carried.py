"""Files and folders arrive on other machines under their own names, whole and once."""

from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.ground.carried import Carried, unpack
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import folder_fingerprint
from weak2strong.ground.store.sealed import DamageError


@pytest.fixture
def model(tmp_path):
    """A folder with a folder in it, a link, and hidden files."""
    folder = tmp_path / "models" / "atlas-m"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "weights").write_bytes(b"weights")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "lock").write_bytes(b"")
    (tmp_path / "blob").write_bytes(b"{}")
    (folder / "config.json").symlink_to(tmp_path / "blob")
    return folder


def test_a_folder_arrives_with_its_name_and_the_same_fingerprint(model, tmp_path):
    place = unpack(Carried.of(model), tmp_path / "node")
    assert (place.parent.name, place.name) == ("models", "atlas-m")
    assert not (place / "config.json").is_symlink()
    assert not (place / ".cache").exists()
    # Which is in keys.
    assert folder_fingerprint(place) == folder_fingerprint(model)


def test_a_file_arrives_below_the_name_of_its_folder(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "moods.csv").write_bytes(b"text,label")
    monkeypatch.chdir(tmp_path / "mine")
    place = unpack(Carried.of(Path("moods.csv")), tmp_path / "node")
    assert (place.parent.name, place.name) == ("mine", "moods.csv")
    assert place.read_bytes() == b"text,label"


def test_the_same_is_written_once_and_another_content_elsewhere(model, tmp_path):
    node = tmp_path / "node"
    first = unpack(Carried.of(model), node)
    written = (first / "parts" / "weights").stat().st_ino
    assert unpack(Carried.of(model), node) == first
    assert (first / "parts" / "weights").stat().st_ino == written
    (model / "parts" / "weights").write_bytes(b"others")
    assert unpack(Carried.of(model), node) != first
    assert len(list(node.iterdir())) == 2


def test_what_was_altered_is_refused(model, tmp_path):
    sent = Carried.of(model)
    for changed in (
        replace(sent, files={**sent.files, "parts/weights": b"others"}),
        replace(sent, name="atlas-l"),
        replace(sent, files={"config.json": b"{}"}),
    ):
        with pytest.raises(DamageError, match="altered on its way"):
            unpack(changed, tmp_path / "node")
    assert not (tmp_path / "node").exists()


def test_a_file_that_is_gone_is_told(tmp_path):
    with pytest.raises(UserError, match=r"gone.csv cannot be read to send it .* check its path"):
        Carried.of(tmp_path / "gone.csv")
