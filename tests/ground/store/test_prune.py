"""Prune takes what it is asked to and what nobody needs, and nothing that is not the store's."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from weak2strong.ground.carried import Carried, unpack
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store, StoreWarning, digest, paths
from weak2strong.ground.store.manifest import MANIFEST

KEY = digest("one")
OTHER = digest("another")


def stored(store, stage="fit", key=KEY):
    return store.put(stage, key, {}, lambda folder: (folder / "file").write_text("weights"), 1.5)


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


KILLED = """
import sys, time
from weak2strong.ground.store import Store

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
    assert size > 7  # the file and a manifest
    assert [(e.stage, e.key) for e in store.entries() if e.stage == "fit"] == [("fit", KEY)]
    assert store.sizes()["predict"][0] == 2
    assert store.prune(stage="fit")[0] == 1
    assert store.get("fit", KEY) is None
    assert store.sizes()["predict"][0] == 2
    assert store.prune(everything=True)[0] == 2
    assert store.entries() == []
    assert names(store.root / "temporary") == []


def test_prune_takes_files_that_were_sent_by_age_or_with_everything(store, tmp_path):
    (tmp_path / "moods.csv").write_text("text")
    root = store.root / paths.FILES
    first = unpack(Carried.of(tmp_path / "moods.csv"), root)
    (tmp_path / "moods.csv").write_text("others")
    second = unpack(Carried.of(tmp_path / "moods.csv"), root)
    (root / ".killed").mkdir()
    (root / "notes").mkdir()
    age(first.parents[1], 3)
    assert store.prune() == store.prune(stage="fit") == (0, 0)
    assert store.prune(older_than_days=2) == (1, 4)
    assert not first.exists()
    assert second.read_text() == "others"
    assert store.prune(everything=True) == (2, 6)
    assert names(root) == ["notes"]


def test_prune_takes_what_lies_in_damaged(store):
    (stored(store).path / "file").write_text("weighty")
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


def test_what_a_digest_of_code_stands_for_is_kept_as_long_as_an_entry_has_it(store):
    code, other = digest(["1"]), digest(["2"])
    store.keep_code(code, {"a: f": "1"})
    store.keep_code(other, {"a: f": "2"})
    store.put("fit", KEY, {"code": code}, lambda folder: (folder / "file").write_text("w"), 1)
    (store.root / "code" / "notes.txt").touch()
    assert store.code(other) == {"a: f": "2"}
    store.prune()
    assert store.code(code) == {"a: f": "1"}
    assert store.code(other) == {}
    store.prune(everything=True)
    assert names(store.root / "code") == ["notes.txt"]


@pytest.mark.parametrize("text", ["{", "[1]", "1", '{"a: f": "2"}', '{"a: f": 1, "b: g": "1"}'])
def test_a_damaged_list_of_code_is_as_good_as_none(store, text):
    code = digest(["1"])
    store.keep_code(code, {"a: f": "1"})
    (store.root / "code" / f"{code}.json").write_text(text)
    assert store.code(code) == {}
    store.keep_code(code, {"a: f": "1"})
    assert store.code(code) == {"a: f": "1"}
