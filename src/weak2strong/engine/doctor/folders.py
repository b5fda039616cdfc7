"""The cache of the hub, the token, and the store: where they are, and what their disks can do."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from weak2strong.engine.doctor.finding import Finding, gib
from weak2strong.ground.download import cache_folder, free_bytes
from weak2strong.ground.errors import UserError
from weak2strong.ground.hub import token_place
from weak2strong.ground.store.paths import default_root, ready

MOUNTS = Path("/proc/self/mounts")

NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "9p")
"""File systems that several machines share."""

SMALL = 2 * 2**30
"""Free bytes below which a line says so."""


def folders(store: Path | None = None) -> Iterator[Finding]:
    """A line about each.

    Args:
        store: its root; by default the user's.
    """
    yield from _cache()
    yield _token()
    yield from _store(default_root() if store is None else store)


def _cache() -> Iterator[Finding]:
    from huggingface_hub import constants

    folder = cache_folder()
    there = folder if folder.is_dir() else _above(folder)
    told = f"{folder} ({file_system(there)}), {gib(free_bytes(folder))} free"
    elsewhere = "set HF_HUB_CACHE to a folder"
    if not os.access(there, os.W_OK):
        todo = f"{elsewhere} that you can write to"
        yield Finding("cache of the hub", f"{told}, and cannot be written", "problem", todo)
    elif free_bytes(folder) < SMALL:
        yield Finding("cache of the hub", told, "note", f"{elsewhere} on a larger disk")
    else:
        yield Finding("cache of the hub", told)
    if constants.HF_HUB_OFFLINE:
        todo = "for models and data that are not here: w2s fetch, on a machine with a network"
        yield Finding("hub", "not asked, as offline mode is set (HF_HUB_OFFLINE)", todo=todo)
    else:
        yield Finding("hub", f"{constants.ENDPOINT}; not tried here")


def _token() -> Finding:
    """Whether there is one; what it is, nobody is shown."""
    place = token_place()
    if place:
        return Finding("token of the hub", f"in {place}")
    todo = "only for gated and private models and data: hf auth login"
    return Finding("token of the hub", "none", todo=todo)


def _store(root: Path) -> Iterator[Finding]:
    try:
        root = ready(root)
    except UserError as e:
        yield Finding("store", str(e), "problem", "see there")
        return
    kind, free = file_system(root), free_bytes(root)
    told = f"{root} ({kind}), {gib(free)} free"
    if free < SMALL:
        todo = "w2s store prune, or set W2S_STORE to a folder on a larger disk"
        yield Finding("store", told, "note", todo)
    else:
        yield Finding("store", told)
    yield _locks(root, kind)
    yield _links(root)


def _locks(root: Path, kind: str) -> Finding:
    """Whether who asks second for a lock of the store is refused."""
    from filelock import FileLock, Timeout

    file = root / "locks" / f"doctor-{secrets.token_hex(6)}.lock"
    todo = "run one study at a time on this store, or set W2S_STORE to a folder on a local disk"
    first, second = (FileLock(file, fallback_to_soft=False) for _ in range(2))
    try:
        file.parent.mkdir(exist_ok=True)
        with first.acquire(timeout=0):
            try:
                second.acquire(timeout=0)
            except Timeout:
                shared = kind in NETWORKED
                more = "; whether they hold between machines was not tried" if shared else ""
                return Finding("locks of the store", f"they hold{more}")
        second.release()
        said = "they do not hold, so that two runs may compute the same twice"
        return Finding("locks of the store", said, "note", todo)
    except (OSError, NotImplementedError) as e:
        return Finding("locks of the store", f"there are none ({e})", "note", todo)
    finally:
        with suppress(OSError):
            file.unlink()


def _links(root: Path) -> Finding:
    """Whether a file of the store can have a second name, which costs no room."""
    file = root / f".doctor-{secrets.token_hex(6)}"
    other = file.with_name(f"{file.name}-too")
    try:
        file.touch()
        os.link(file, other)
    except OSError as e:
        said = f"none ({e.strerror}): models that a run keeps (--keep-models) take room twice"
        return Finding("links of the store", said, "note", "nothing, where there is room")
    finally:
        for made in (file, other):
            made.unlink(missing_ok=True)
    return Finding("links of the store", "hard links work")


def file_system(folder: Path) -> str:
    """The kind of file system of a folder, such as ``ext4``; ``not told`` where nothing says it."""
    folder = folder.expanduser().resolve()
    try:
        lines = [line.split() for line in MOUNTS.read_text().splitlines()]
    except OSError:
        return "file system not told"
    mounts = [(Path(_unescaped(line[1])), line[2]) for line in lines if len(line) > 2]
    # Of several on one place the last one is seen.
    found = [m for m in mounts if m[0] == folder or m[0] in folder.parents]
    longest = max((len(place.parts) for place, _ in found), default=0)
    kinds = [kind for place, kind in found if len(place.parts) == longest]
    return kinds[-1] if kinds else "file system not told"


def _unescaped(text: str) -> str:
    """A path in which spaces and the like are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _above(folder: Path) -> Path:
    """The nearest folder above that is there."""
    return next(path for path in folder.absolute().parents if path.is_dir())
