"""The store: an entry is whole or not there, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store, StoreWarning, digest, folder, paths
from weak2strong.ground.store.manifest import MANIFEST
from weak2strong.ground.store.sealed import sealed

KEY = digest("one")
OTHER = digest("another")
SPEC = {"fields": {"rate": 0.1, "layers": (1, 2)}, "runtime": {"torch": "2.6"}}


def writer(text="weights"):
    def write(folder: Path) -> None:
        (folder / "model").mkdir()
        (folder / "model" / "weights").write_text(text)
        (folder / "trace.json").write_text("[0.5, 0.7]")

    return write


def stored(store, stage="fit", key=KEY, text="weights"):
    return store.put(stage, key, SPEC, writer(text), 1.5)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


def test_what_was_put_is_got_by_any_process(store):
    assert store.get("fit", KEY) is None
    entry = stored(store)
    assert entry.path == store.root / "fit" / KEY
    assert store.get("fit", KEY) == Store(store.root).get("fit", KEY) == entry
    assert (entry.path / "model" / "weights").read_text() == "weights"
    assert names(store.root / "temporary") == names(store.root / "locks") == []
    assert store.get("fit", OTHER) is None
    assert store.get("predict", KEY) is None


def test_the_manifest_says_how_the_entry_came_about(store):
    manifest = json.loads((stored(store).path / MANIFEST).read_text())
    assert (manifest["stage"], manifest["key"], manifest["seconds"]) == ("fit", KEY, 1.5)
    assert manifest["spec"] == {
        "fields": {"rate": 0.1, "layers": [1, 2]},
        "runtime": SPEC["runtime"],
    }
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert manifest["files"]["model/weights"] == {"sha256": sha256, "bytes": 7}
    assert set(manifest["files"]) == {"model/weights", "trace.json"}
    since = datetime.now(UTC) - datetime.fromisoformat(manifest["written"])
    assert timedelta(seconds=-1) <= since < timedelta(minutes=1)


def truncate(entry: Path) -> None:
    os.truncate(entry / "model" / "weights", 3)


def flip_byte(entry: Path) -> None:
    (entry / "model" / "weights").write_text("weighty")


def remove_file(entry: Path) -> None:
    (entry / "trace.json").unlink()


def break_manifest(entry: Path) -> None:
    (entry / MANIFEST).write_bytes((entry / MANIFEST).read_bytes()[:-2])


def alter_manifest(entry: Path) -> None:
    text = (entry / MANIFEST).read_text()
    (entry / MANIFEST).write_text(text.replace('"seconds": 1.5', '"seconds": 2.5'))


def empty_manifest(entry: Path) -> None:
    (entry / MANIFEST).write_text("[]")


def remove_manifest(entry: Path) -> None:
    (entry / MANIFEST).unlink()


def exchange_manifest(entry: Path) -> None:
    other = stored(Store(entry.parents[1]), key=OTHER)
    shutil.copy(other.path / MANIFEST, entry / MANIFEST)


DAMAGE = [
    (truncate, "model/weights has 3 bytes instead of 7"),
    (flip_byte, "model/weights has another content"),
    (remove_file, "trace.json is missing"),
    (break_manifest, "manifest.json is not valid JSON"),
    (alter_manifest, "manifest.json was altered"),
    (empty_manifest, "manifest.json holds no object"),
    (exchange_manifest, f"manifest.json is of fit {OTHER[:12]}"),
    (remove_manifest, "manifest.json is missing"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGE)
@pytest.mark.parametrize("same_object", [True, False])
def test_a_damaged_entry_is_set_aside_with_a_warning_and_can_be_put_again(
    store, damage, said, same_object
):
    entry = stored(store)
    damage(entry.path)
    reader = store if same_object else Store(store.root)
    with pytest.warns(StoreWarning, match=rf"fit result {KEY[:12]} .*recomputed: {said}"):
        assert reader.get("fit", KEY) is None
    assert names(store.root / "damaged") == [f"fit-{KEY}-1"]
    assert reader.get("fit", KEY) is None  # and no second warning
    assert stored(reader).path.is_dir()
    assert Store(store.root).get("fit", KEY) is not None
    truncate(entry.path)
    with pytest.warns(StoreWarning):
        reader.get("fit", KEY)
    assert names(store.root / "damaged") == [f"fit-{KEY}-1", f"fit-{KEY}-2"]


@pytest.mark.parametrize(("damage", "said"), DAMAGE)
def test_verify_finds_each_damage_and_leaves_the_rest(store, damage, said):
    kept = stored(store, stage="predict")
    entry = stored(store)
    assert store.verify() == []
    damage(entry.path)
    (found,) = store.verify()
    assert said in found
    assert f"fit {KEY[:12]}" in found
    assert names(store.root / "damaged") == [f"fit-{KEY}-1"]
    assert store.get("predict", KEY) == kept
    assert store.verify() == []


def lengthened(path: Path) -> None:
    """With a byte more."""
    path.write_bytes(path.read_bytes() + b"\n")


def flipped(path: Path) -> None:
    """One bit is another, the size and the time are the same."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def emptied(path: Path) -> None:
    """Without content."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """The first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_folder(path: Path) -> None:
    """Replaced by a folder."""
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    """Replaced by a link to a file with the same content."""
    elsewhere = path.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


EVERY = (flipped, cut, emptied, Path.unlink, lengthened, a_folder, a_link)


@pytest.mark.parametrize("file", ["model/weights", "trace.json", MANIFEST])
@pytest.mark.parametrize("damage", EVERY, ids=lambda damage: damage.__name__)
def test_verify_finds_every_damage_of_every_file_by_name(store, file, damage):
    """Also where no other entry of the stage tells that the folder is the store's."""
    entry = stored(store)
    damage(entry.path / file)
    (found,) = Store(store.root).verify()
    assert file in found
    assert names(store.root / "damaged") == [f"fit-{KEY}-1"]
    assert Store(store.root).verify() == []
    assert stored(store).path == entry.path
    store.prune()
    assert names(store.root / "damaged") == []


@pytest.mark.parametrize("what", ["file", "link", "folder of links"])
def test_verify_finds_what_has_taken_the_place_of_a_folder(store, what, tmp_path):
    entry = stored(store)
    folder = entry.path / "model" if what == "folder of links" else entry.path
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("x") if what == "file" else folder.symlink_to(tmp_path / "elsewhere")
    (found,) = Store(store.root).verify()
    assert ("missing" if what == "file" else "link") in found
    assert (tmp_path / "elsewhere").is_dir()


def test_verify_goes_on_after_an_entry_that_may_not_be_read(store, monkeypatch):
    shut, damaged = stored(store), stored(store, key=OTHER)
    (damaged.path / "trace.json").unlink()
    read = folder.read_manifest

    def refused(path, stage, key):
        if key == KEY:
            raise PermissionError(errno.EACCES, "Permission denied", str(path / MANIFEST))
        return read(path, stage, key)

    monkeypatch.setattr(folder, "read_manifest", refused)
    found = store.verify()
    said = f"{shut.path.relative_to(store.root)}/{MANIFEST} may not be read (Permission denied)"
    assert [said in what for what in found].count(True) == 1
    assert ["trace.json is missing" in what for what in found].count(True) == 1
    assert shut.path.is_dir()


def test_entries_of_an_earlier_release_are_known_once_they_were_verified(store):
    entry = stored(store)
    shutil.rmtree(store.root / paths.KNOWN)
    assert store.verify() == []
    (entry.path / MANIFEST).unlink()
    assert len(store.verify()) == 1


def test_an_entry_that_was_removed_by_hand_is_no_damage(store):
    shutil.rmtree(stored(store).path)
    assert store.verify() == []
    store.prune()
    assert names(store.root / paths.KNOWN) == []


def test_a_manifest_of_another_form_is_damage(store):
    entry = stored(store)
    (entry.path / MANIFEST).write_text(json.dumps(sealed({"stage": "fit", "key": KEY})))
    assert "manifest.json is not what was written: it has no 'written'" in store.verify()[0]


def test_verify_hashes_what_get_believes_unchanged(store):
    weights = stored(store).path / "model" / "weights"
    status = weights.stat()
    weights.write_text("weighty")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.get("fit", KEY) is not None
    assert len(store.verify()) == 1


def test_a_store_hashes_an_unchanged_entry_only_once(store, monkeypatch):
    entry = stored(store)
    hashed = []
    file_digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: hashed.append(1) or file_digest(file, kind)
    )
    reader = Store(store.root)
    for _ in range(3):
        assert reader.get("fit", KEY) == entry
    assert len(hashed) == 2
    os.utime(entry.path / "trace.json")
    assert reader.get("fit", KEY) == entry
    assert len(hashed) == 4


def test_of_two_puts_the_first_stands_and_both_return_it(store):
    first = []

    def overtaken(folder: Path) -> None:
        writer("second")(folder)
        first.append(stored(Store(store.root), text="first"))

    second = store.put("fit", KEY, SPEC, overtaken, 9.0)
    assert second == first[0]
    assert (second.path / "model" / "weights").read_text() == "first"
    assert names(store.root / "temporary") == []
    assert store.verify() == []


def test_a_put_overtaken_by_an_entry_that_is_damaged_stands_itself(store):
    def overtaken(folder: Path) -> None:
        writer("second")(folder)
        truncate(stored(Store(store.root), text="first").path)

    with pytest.warns(StoreWarning, match="instead of 5"):
        second = store.put("fit", KEY, SPEC, overtaken, 9.0)
    assert (second.path / "model" / "weights").read_text() == "second"
    assert store.verify() == []


def test_an_entry_put_while_a_damaged_one_was_hashed_is_not_set_aside(store, monkeypatch):
    truncate(stored(store).path)
    reader = Store(store.root)
    check = reader._verify

    def slow(stage, key, path):
        try:
            return check(stage, key, path)
        finally:
            if not names(store.root / "damaged"):  # meanwhile, in another process:
                with pytest.warns(StoreWarning):
                    Store(store.root).get("fit", KEY)
                stored(Store(store.root), text="mended")

    monkeypatch.setattr(reader, "_verify", slow)
    entry = reader.get("fit", KEY)
    assert entry is not None
    assert (entry.path / "model" / "weights").read_text() == "mended"


def test_a_write_that_fails_leaves_nothing(store):
    def failing(folder: Path) -> None:
        writer()(folder)
        raise KeyError("label")

    with pytest.raises(KeyError, match="label"):
        store.put("fit", KEY, SPEC, failing, 1.0)
    assert store.get("fit", KEY) is None
    assert names(store.root / "temporary") == names(store.root / "locks") == []


def test_a_full_disk_is_told_in_a_sentence(store):
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    with pytest.raises(UserError, match=r"Cannot write .*No space left.*free some space"):
        store.put("fit", KEY, SPEC, full, 1.0)


def test_what_an_entry_may_not_hold_is_refused(store):
    with pytest.raises(ValueError, match=r"manifest\.json, a name that the store keeps"):
        store.put("fit", KEY, SPEC, lambda folder: (folder / MANIFEST).touch(), 1.0)
    with pytest.raises(ValueError, match="link, which is no regular file"):
        store.put("fit", KEY, SPEC, lambda folder: (folder / "link").symlink_to("/"), 1.0)
    with pytest.raises(TypeError, match="a path says where"):
        store.put("fit", KEY, {"data": Path("a")}, writer(), 1.0)
    assert store.entries() == []


@pytest.mark.parametrize("stage", ["Fit", "", "../fit", "fit/a", "damaged", "working", "locks"])
def test_names_that_are_no_stage_are_refused(store, stage):
    for use in (store.get, store.working, lambda *name: store.put(*name, SPEC, writer(), 1.0)):
        with pytest.raises(ValueError, match="cannot be the name of a stage"):
            use(stage, KEY)


@pytest.mark.parametrize("key", ["", "abc", KEY.upper(), KEY + "0", "../" + KEY[3:]])
def test_names_that_are_no_key_are_refused(store, key):
    with pytest.raises(ValueError, match="is no key"):
        store.get("fit", key)


def test_the_working_folder_lasts_until_the_entry_stands(store):
    (store.working("fit", KEY) / "step-10").write_text("state")
    assert (Store(store.root).working("fit", KEY) / "step-10").read_text() == "state"
    store.working("fit", OTHER)
    stored(store)
    assert names(store.root / "working") == [f"fit-{OTHER}"]


def test_entries_and_sizes_count_what_is_there(store):
    assert (store.entries(), store.sizes()) == ([], {})
    written = [stored(store, "fit", key) for key in sorted((KEY, OTHER))]
    written.append(stored(store, "predict", KEY, text="w"))
    assert Store(store.root).entries() == written
    assert store.sizes() == {"fit": (2, 34), "predict": (1, 11)}
