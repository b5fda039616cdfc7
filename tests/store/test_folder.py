"""The store: an entry is whole or not there, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from weak2strong.errors import UserError
from weak2strong.store import Store, StoreWarning, digest
from weak2strong.store.manifest import MANIFEST

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


def age(path: Path, days: float) -> None:
    """Makes a folder and all in it look untouched for some days."""
    then = time.time() - days * 24 * 3600
    for each in [path, *path.rglob("*")]:
        os.utime(each, (then, then))


def write_earlier(entry, days: float) -> None:
    """Rewrites a manifest as if the entry had been written some days ago."""
    body = {name: value for name, value in entry.manifest.items() if name != "digest"}
    body["written"] = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
    (entry.path / MANIFEST).write_text(json.dumps(body | {"digest": digest(body)}))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


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
    (other.path / MANIFEST).rename(entry / MANIFEST)


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


@pytest.mark.parametrize(("damage", "said"), DAMAGE[:-1])
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

    with pytest.raises(UserError, match=r"Cannot keep results in .*No space left.*free some space"):
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


KILLED = """
import sys, time
from weak2strong.store import Store

def write(folder):
    (folder / "half").write_text("half")
    print("writing", flush=True)
    time.sleep(60)

Store(sys.argv[1]).put("fit", sys.argv[2], {}, write, 1.0)
"""


def test_a_process_killed_while_writing_leaves_no_entry_and_prune_cleans_up(store):
    command = [sys.executable, "-c", KILLED, str(store.root), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            assert len(names(store.root / "temporary")) == 1
            assert store.prune(everything=True) == (0, 0)  # it still lives
        finally:
            process.send_signal(signal.SIGKILL)
    assert store.get("fit", KEY) is None
    assert store.entries() == []
    assert len(names(store.root / "temporary")) == 1
    assert store.prune() == (1, 4)
    assert names(store.root / "temporary") == names(store.root / "locks") == []
    stored(store)
    assert store.verify() == []


COMPUTING = """
import sys, time
from pathlib import Path
from weak2strong.store import Store

store, key, log = Store(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with store.lock("fit", key):
    if store.get("fit", key) is None:
        with log.open("a") as file:
            file.write("computed ")
        time.sleep(0.7)
        store.put("fit", key, {}, lambda folder: (folder / "a").write_text("a"), 0.7)
"""


def test_two_processes_compute_an_entry_once(store, tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", COMPUTING, str(store.root), KEY, str(log)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for process in (one, other):
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            process.stdin.write("go\n")
            process.stdin.flush()
        assert (one.wait(30), other.wait(30)) == (0, 0)
    assert log.read_text() == "computed "
    assert store.get("fit", KEY) is not None


def test_where_no_lock_is_possible_the_work_goes_on(store):
    (store.root / "locks").write_text("not a folder")
    with store.lock("fit", KEY):
        stored(store)
    assert store.get("fit", KEY) is not None


def test_entries_and_sizes_count_what_is_there(store):
    assert (store.entries(), store.sizes()) == ([], {})
    written = [stored(store, "fit", key) for key in sorted((KEY, OTHER))]
    written.append(stored(store, "predict", KEY, text="w"))
    assert Store(store.root).entries() == written
    assert store.sizes() == {"fit": (2, 34), "predict": (1, 11)}


def test_prune_without_a_choice_takes_no_entry(store):
    entry = stored(store)
    assert store.prune() == (0, 0)
    assert store.get("fit", KEY) == entry


def test_prune_takes_entries_by_age_and_stage(store):
    for stage in ("fit", "predict"):
        for key in (KEY, OTHER):
            stored(store, stage, key)
        write_earlier(store.get(stage, OTHER), days=10)
    assert store.prune(older_than_days=11) == (0, 0)
    count, size = store.prune(older_than_days=9, stage="fit")
    assert count == 1
    assert size > 17  # the two files and a manifest
    assert [(e.stage, e.key) for e in store.entries() if e.stage == "fit"] == [("fit", KEY)]
    assert store.sizes()["predict"][0] == 2
    assert store.prune(stage="fit")[0] == 1
    assert store.get("fit", KEY) is None
    assert store.sizes()["predict"][0] == 2
    assert store.prune(everything=True)[0] == 2
    assert store.entries() == []
    assert names(store.root / "temporary") == []


def test_prune_takes_what_lies_in_damaged(store):
    truncate(stored(store).path)
    with pytest.warns(StoreWarning):
        store.get("fit", KEY)
    assert store.prune(stage="predict") == (0, 0)
    assert store.prune()[0] == 1
    assert names(store.root / "damaged") == []


def test_prune_takes_working_folders_that_nobody_needs(store):
    idle, fresh, done, busy = (digest(name) for name in ("idle", "fresh", "done", "busy"))
    stored(store, key=done)
    for key in (idle, fresh, done, busy):
        (store.working("fit", key) / "state").write_text("12")
    age(store.working("fit", idle), days=8)
    age(store.working("fit", busy), days=8)
    with store.lock("fit", busy):
        assert store.prune() == (2, 4)
        assert names(store.root / "working") == sorted([f"fit-{fresh}", f"fit-{busy}"])
    age(store.working("fit", fresh), days=3)
    assert store.prune(older_than_days=4) == (1, 2)  # busy is no longer held
    assert store.prune(older_than_days=2) == (1, 2)
    assert names(store.root / "working") == names(store.root / "locks") == []
    assert store.get("fit", done) is not None


def test_without_locks_prune_takes_temporary_folders_only_when_idle(store):
    folder = store.root / "temporary" / f"fit-{KEY}-0123456789ab"
    folder.mkdir(parents=True)
    (folder / "half").write_text("half")
    assert store.prune(everything=True) == (0, 0)
    age(folder, days=2)
    assert store.prune() == (1, 4)


@pytest.mark.parametrize("wrong", [{"older_than_days": -1}, {"everything": True, "stage": "fit"}])
def test_choices_that_make_no_sense_remove_nothing(store, wrong):
    stored(store)
    with pytest.raises(UserError, match="Cannot prune"):
        store.prune(**wrong)
    assert store.get("fit", KEY) is not None


def test_files_of_others_stay_whatever_is_asked(tmp_path):
    strangers = [
        "thesis.tex",
        "working/notes.txt",
        "working/fit-2/state",
        "temporary/download",
        "damaged/disk/image",
        "locks/door.lock",
        "fit/readme.md",
        f"fit/{OTHER[:-1]}/manifest.json",
        f"fit/{OTHER}/blob",
        f"blobs/{OTHER}",
        f"Fit/{KEY}/manifest.json",
        f"a/b/{KEY}/manifest.json",
        f"locks/fit/{KEY}.lock",
    ]
    for name in strangers:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    target = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    (target / KEY).mkdir(parents=True)
    (target / KEY / MANIFEST).write_text("mine")
    (tmp_path / "linked").symlink_to(target)
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (0, 0))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}

    store = Store(tmp_path)
    stored(store)
    store.working("fit", digest("half"))
    assert store.verify() == []
    assert store.prune(older_than_days=0)[0] == 2
    stored(store)
    assert store.prune(everything=True)[0] == 1
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert (target / KEY / MANIFEST).read_text() == "mine"


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
        UserError, match=rf"results in {tmp_path / name} \(.* is a file\): .*W2S_STORE"
    ):
        Store(tmp_path / name)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
@pytest.mark.parametrize("root", ["/proc/self", "/proc/none"])
def test_a_root_that_cannot_be_written_is_told_in_a_sentence(root):
    with pytest.raises(UserError, match=rf"Cannot keep results in {root} .*that you can write to"):
        Store(Path(root))
