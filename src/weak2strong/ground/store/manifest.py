"""The manifest of an entry of the store, and whether the entry's files still agree with it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weak2strong.ground.form import misfit
from weak2strong.ground.store.sealed import (
    FILES,
    DamageError,
    check_file,
    read_sealed,
    refuse_links,
    sealed,
)
from weak2strong.ground.whole import sync_folder

MANIFEST = "manifest.json"

FORM = {
    **dict.fromkeys(("stage", "key", "written"), str),
    **{"spec": dict, "files": FILES, "seconds": (int, float)},
}
"""The form of a manifest."""


@dataclass(frozen=True)
class Entry:
    """A stored result: the folder ``path`` holds its files, ``manifest`` how they came about.

    The manifest has ``stage``, ``key``, ``spec``, ``files`` (name -> ``sha256``, ``bytes``),
    ``written`` (ISO 8601, UTC), ``seconds`` spent, ``made_of`` where it was made of other entries,
    and ``digest`` (of all the rest of it).
    """

    stage: str
    key: str
    path: Path
    manifest: dict[str, Any]

    @property
    def made_of(self) -> list[tuple[str, str]]:
        """Stages and keys of the entries that it was made of, in order; nothing for an entry of a
        release that did not note them."""
        return [(stage, key) for stage, key in self.manifest.get("made_of", ())]


def seal(
    folder: Path,
    stage: str,
    key: str,
    spec: Mapping[str, Any],
    seconds: float,
    made_of: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Writes the manifest of a finished folder and brings all of it to the disk.

    Raises:
        ValueError: if the folder holds a manifest already, or what is neither file nor folder.
    """
    files: dict[str, dict[str, Any]] = {}
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in names + folders:
            path = Path(parent, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise ValueError(f"The {stage} stage wrote {name}, which is no regular file.")
        for name in names:
            path = Path(parent, name)
            with open(path, "rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            relative = path.relative_to(folder).as_posix()
            files[relative] = {"sha256": sha256, "bytes": path.stat().st_size}
        if Path(parent) != folder:
            sync_folder(Path(parent))
    if MANIFEST in files:
        raise ValueError(f"The {stage} stage wrote {MANIFEST}, a name that the store keeps.")
    manifest = sealed(
        {
            "stage": stage,
            "key": key,
            "spec": spec,
            "files": files,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": float(seconds),
            **({"made_of": [list(entry) for entry in made_of]} if made_of else {}),
        }
    )
    with open(folder / MANIFEST, "x", encoding="utf-8") as file:
        file.write(_text(manifest))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)
    return manifest


def read_manifest(folder: Path, stage: str, key: str) -> dict[str, Any]:
    """The manifest of an entry, whole and of this very entry.

    Raises:
        DamageError: if it is anything else.
    """
    if folder.is_symlink():
        raise DamageError("a link has taken the place of its folder")
    refuse_links(folder, MANIFEST)
    manifest = read_sealed(folder / MANIFEST)
    if said := misfit(manifest, FORM, "it"):
        raise DamageError(f"{MANIFEST} is not what was written: {said}")
    if (manifest["stage"], manifest["key"]) != (stage, key):
        raise DamageError(f"{MANIFEST} is of {manifest['stage']} {manifest['key'][:12]}")
    return manifest


def check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compares the size and the SHA-256 of each file with the manifest; other files are ignored.

    Of the manifest, whose digest is that of what it says, each byte is compared, too.

    Raises:
        DamageError: at the first file that differs, or that is a link or lies in one.
    """
    if (folder / MANIFEST).read_bytes() != _text(manifest).encode():
        raise DamageError(f"{MANIFEST} says the same in other bytes than were written")
    for name, expected in manifest["files"].items():
        refuse_links(folder, name)
        check_file(folder, name, expected)


def _text(manifest: Mapping[str, Any]) -> str:
    """A manifest as it is written."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)


Signature = tuple[tuple[int, int] | None, ...]


def signature(folder: Path, manifest: Mapping[str, Any]) -> Signature:
    """Size and modification time (ns) of each file, None for one that is gone: cheap to compare."""

    def stamp(name: str) -> tuple[int, int] | None:
        try:
            status = os.stat(folder / name)
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    return tuple(stamp(name) for name in (MANIFEST, *manifest["files"]))
