"""Entries travel between stores whole and checked, and are made once."""

import json
import threading
from dataclasses import replace

import pytest

from weak2strong.ground.store import Store, digest, stage_key
from weak2strong.ground.store.parcel import pack, pack_working, receive, receive_working
from weak2strong.ground.store.sealed import DamageError, sealed
from weak2strong.ground.store.travelling import Hub, TravellingStore

PIECES = {"fit: train": "0" * 16}
SPEC = {
    "fields": {"rate": 0.1, "layers": (1, 2)},
    "inputs": {"train": digest("data")},
    "code": digest(sorted(PIECES.values())),
    "runtime": {"torch": "2.6", "device": "cpu"},
}
KEY = stage_key("fit", **SPEC)


def write(folder):
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(b"weights")
    (folder / "trace.json").write_bytes(b"[0.5]")


def made(store):
    store.keep_code(SPEC["code"], PIECES)
    return store.put("fit", KEY, SPEC, write, 1.5)


@pytest.fixture
def other(tmp_path):
    """The store of another machine."""
    return Store(tmp_path / "other")


def test_an_entry_arrives_with_its_files_its_spec_and_its_code(store, other):
    sent = made(store)
    entry = receive(other, pack(store, "fit", KEY))
    assert entry.path == other.root / "fit" / KEY
    for name in ("model/weights", "trace.json"):
        assert (entry.path / name).read_bytes() == (sent.path / name).read_bytes()
    for name in ("spec", "seconds", "files"):
        assert entry.manifest[name] == sent.manifest[name]
    assert other.code(SPEC["code"]) == PIECES
    assert other.verify() == []
    assert pack(other, "fit", digest("not there")) is None


def test_an_entry_that_is_there_already_stays(store, other):
    made(store)
    mine = made(other).path.stat().st_ino
    assert receive(other, pack(store, "fit", KEY)).path.stat().st_ino == mine


def resealed(parcel, **changes):
    """The parcel with another manifest, whose own digest is right."""
    manifest = {**json.loads(parcel.manifest), **changes}
    del manifest["digest"]
    return replace(parcel, manifest=json.dumps(sealed(manifest)).encode())


def outside(parcel):
    """With a file beside the store, and a manifest that knows of it."""
    files = json.loads(parcel.manifest)["files"]
    escaping = {"../../../escaped": files["trace.json"], "model/weights": files["model/weights"]}
    contents = {"../../../escaped": b"[0.5]", "model/weights": b"weights"}
    return replace(resealed(parcel, files=escaping), files=contents)


DAMAGE = {
    "has another content": lambda p: replace(p, files={**p.files, "trace.json": b"[0.6]"}),
    "has 3 bytes instead of 7": lambda p: replace(p, files={**p.files, "model/weights": b"wei"}),
    "trace.json of fit .* is missing": lambda p: replace(
        p, files={"model/weights": p.files["model/weights"]}
    ),
    "more of fit .* is not in its manifest": lambda p: replace(p, files={**p.files, "more": b""}),
    "manifest.json was altered": lambda p: replace(p, manifest=p.manifest.replace(b"1.5", b"2.5")),
    "manifest.json is not valid JSON": lambda p: replace(p, manifest=p.manifest[:-3]),
    "has the manifest of another entry": lambda p: replace(p, key=digest("another")),
    "is not that of what its manifest says": lambda p: resealed(
        p, spec={**json.loads(p.manifest)["spec"], "inputs": {"train": digest("other data")}}
    ),
    "is no name of a file of an entry": outside,
}


@pytest.mark.parametrize("said", DAMAGE)
def test_what_was_altered_on_its_way_is_refused_and_nothing_is_stored(store, other, said):
    made(store)
    with pytest.raises(DamageError, match=said):
        receive(other, DAMAGE[said](pack(store, "fit", KEY)))
    assert other.entries() == []
    assert not list(other.root.rglob("weights"))
    assert not list(other.root.parent.glob("**/escaped"))


def test_code_that_is_not_that_of_the_entry_is_not_kept(store, other):
    made(store)
    receive(other, replace(pack(store, "fit", KEY), code={"fit: train": "1" * 16}))
    assert other.code(SPEC["code"]) == {}


def test_checkpoints_travel_unless_there_are_some(store, other):
    assert pack_working(store, "fit", KEY) is None
    (store.working("fit", KEY) / "checkpoint.safetensors").write_bytes(b"step 7")
    sent = pack_working(store, "fit", KEY)
    with pytest.raises(DamageError, match="were altered"):
        receive_working(other, replace(sent, files={"checkpoint.safetensors": b"step 8"}))
    assert receive_working(other, sent)
    there = other.working("fit", KEY) / "checkpoint.safetensors"
    assert there.read_bytes() == b"step 7"
    there.write_bytes(b"step 9")
    assert not receive_working(other, sent)
    assert there.read_bytes() == b"step 9"


@pytest.fixture
def hub(store):
    """The hub of the study, beside the store of who started it."""
    return Hub(store)


@pytest.fixture
def workers(hub, tmp_path):
    """Stores of two machines that share no folder."""
    return [TravellingStore(tmp_path / name, hub, name) for name in ("one", "two")]


def test_what_one_machine_made_is_had_by_all(workers, store):
    one, two = workers
    assert two.get("fit", KEY) is None
    made(one)
    assert store.get("fit", KEY).manifest["spec"]["inputs"] == SPEC["inputs"]
    assert (two.get("fit", KEY).path / "trace.json").read_bytes() == b"[0.5]"
    assert two.get("fit", KEY).path.is_relative_to(two.root)


def test_what_an_earlier_study_has_left_on_a_machine_arrives(workers, store, hub, monkeypatch):
    one, _ = workers
    made(Store(one.root))
    assert store.get("fit", KEY) is None
    assert one.get("fit", KEY).path.is_relative_to(one.root)
    assert store.get("fit", KEY) is not None
    # It is sent once.
    monkeypatch.setattr(hub, "deliver", None)
    one.get("fit", KEY)
    TravellingStore(one.root, hub, "three").get("fit", KEY)


def test_two_machines_that_ask_for_the_same_at_a_time_make_it_once(workers, hub, monkeypatch):
    makers, begun, refused = [], threading.Event(), threading.Event()
    claim = hub.claim

    def claimed(*asked):
        may = claim(*asked)
        if not may:
            refused.set()
        return may

    def ask(store):
        with store.lock("fit", KEY):
            if store.get("fit", KEY) is None:
                begun.set()
                makers.append(store.root.name)
                assert refused.wait(10)
                made(store)

    monkeypatch.setattr(hub, "claim", claimed)
    first, second = (threading.Thread(target=ask, args=(store,)) for store in workers)
    first.start()
    assert begun.wait(10)
    second.start()
    first.join()
    second.join()
    assert makers == ["one"]
    assert workers[1].get("fit", KEY)


def stop(at, content):
    """Write a checkpoint and be stopped."""
    with at.lock("fit", KEY):
        (at.working("fit", KEY) / "checkpoint").write_bytes(content)
        raise KeyboardInterrupt


def test_a_machine_goes_on_from_the_checkpoint_of_one_that_stopped(workers, store):
    one, two = workers
    with pytest.raises(KeyboardInterrupt):
        stop(one, b"step 7")
    with two.lock("fit", KEY):
        assert (two.working("fit", KEY) / "checkpoint").read_bytes() == b"step 7"
    with pytest.raises(KeyboardInterrupt):
        stop(two, b"step 9")
    # What is sent later takes the place of what was there.
    assert (store.working("fit", KEY) / "checkpoint").read_bytes() == b"step 9"
    made(one)
    assert pack_working(store, "fit", KEY) is None


def test_what_a_lost_machine_was_making_another_one_makes(hub):
    assert hub.claim("fit", KEY, "one")
    assert hub.claim("fit", KEY, "one")
    assert not hub.claim("fit", KEY, "two")
    hub.release("fit", KEY, "two")
    assert not hub.claim("fit", KEY, "two")
    hub.forget("one")
    assert hub.claim("fit", KEY, "two")
    hub.release("fit", KEY, "two")
    assert hub.claim("fit", KEY, "one")
