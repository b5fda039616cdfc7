"""An entry of the store as bytes, for machines that share no folder; checked when it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from weak2strong.ground.store import paths
from weak2strong.ground.store.folder import Store
from weak2strong.ground.store.key import digest
from weak2strong.ground.store.manifest import MANIFEST, Entry
from weak2strong.ground.store.sealed import DamageError, compare, fingerprint, unsealed
from weak2strong.ground.whole import write_whole


@dataclass(frozen=True)
class Parcel:
    """An entry on its way; all of it is held in memory.

    Attributes:
        stage: its name.
        key: of the entry.
        manifest: the content of its manifest.
        files: content by name.
        code: what the digest of its code stands for; empty where the store does not know.
    """

    stage: str
    key: str
    manifest: bytes
    files: Mapping[str, bytes]
    code: Mapping[str, str]


@dataclass(frozen=True)
class Checkpoints:
    """What the working folder of a stage in progress holds, on its way.

    Attributes:
        stage: its name.
        key: that its entry will have.
        files: content by name.
        digest: of names and contents.
    """

    stage: str
    key: str
    files: Mapping[str, bytes]
    digest: str


def pack(store: Store, stage: str, key: str) -> Parcel | None:
    """An entry of the store as bytes, its files verified; None where the store does not have it."""
    entry = store.get(stage, key)
    if entry is None:
        return None
    files = {name: (entry.path / name).read_bytes() for name in entry.manifest["files"]}
    code = store.code(entry.manifest["spec"].get("code", ""))
    return Parcel(stage, key, (entry.path / MANIFEST).read_bytes(), files, code)


def receive(store: Store, parcel: Parcel) -> Entry:
    """Check all of a parcel against its manifest, and put the entry into the store.

    The store writes it whole or not at all, as what is made here. Where it has that entry already,
    that one stays.

    Raises:
        DamageError: where something is missing, was altered, or is of another entry.
        UserError: where the store cannot be written.
    """
    if entry := store.get(parcel.stage, parcel.key):
        return entry
    manifest = unsealed(parcel.manifest, MANIFEST)
    _check(parcel, manifest)
    spec, made_of = manifest["spec"], manifest.get("made_of", ())
    if parcel.code and digest(sorted(parcel.code.values())) == spec.get("code"):
        store.keep_code(spec["code"], parcel.code)
    return store.put(
        parcel.stage,
        parcel.key,
        spec,
        lambda folder: _write(folder, parcel),
        manifest["seconds"],
        [(stage, key) for stage, key in made_of],
    )


def pack_working(store: Store, stage: str, key: str) -> Checkpoints | None:
    """The checkpoints of a stage in progress as bytes; None where there are none.

    Each of these files is written whole, so that a reader finds no part of one.
    """
    folder = paths.working(store.root, stage, key)
    files = {path.name: path.read_bytes() for path in paths.listed(folder) if path.is_file()}
    files = {name: content for name, content in files.items() if not name.startswith(".")}
    return Checkpoints(stage, key, files, _digest(files)) if files else None


def receive_working(store: Store, sent: Checkpoints) -> bool:
    """Go on from the checkpoints of another machine, unless there are some here.

    Returns:
        Whether they were taken.

    Raises:
        DamageError: where they were altered.
    """
    if _digest(sent.files) != sent.digest:
        raise DamageError(f"the checkpoints of {sent.stage} {sent.key[:12]} were altered")
    folder = store.working(sent.stage, sent.key)
    if any(folder.iterdir()):
        return False
    for name, content in sent.files.items():
        write_whole(folder / _plain(name), content)
    return True


def _check(parcel: Parcel, manifest: Mapping) -> None:
    """Refuse a parcel that is not, to the last byte, the entry whose name it has."""
    about = f"{parcel.stage} {parcel.key[:12]}"
    if (manifest["stage"], manifest["key"]) != (parcel.stage, parcel.key):
        raise DamageError(f"the parcel of {about} has the manifest of another entry")
    if digest({"stage": parcel.stage, **manifest["spec"]}) != parcel.key:
        raise DamageError(f"the key of {about} is not that of what its manifest says")
    for name, expected in manifest["files"].items():
        if name not in parcel.files:
            raise DamageError(f"{name} of {about} is missing")
        compare(name, fingerprint(parcel.files[name]), expected)
    if more := sorted(parcel.files.keys() - manifest["files"].keys()):
        raise DamageError(f"{more[0]} of {about} is not in its manifest")


def _write(folder: Path, parcel: Parcel) -> None:
    for name, content in parcel.files.items():
        path = folder / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _inside(name: str) -> str:
    """The name of a file in a folder, or below it; refuses a name that leads elsewhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise DamageError(f"{name!r} is no name of a file of an entry")
    return name


def _plain(name: str) -> str:
    if "/" in name or name in ("", ".", ".."):
        raise DamageError(f"{name!r} is no name of a checkpoint")
    return name


def _digest(files: Mapping[str, bytes]) -> str:
    return digest({name: fingerprint(content) for name, content in files.items()})
