"""The folder of a run or an experiment: files that are put into place together, and their index.

The index, ``run.json``, has ``format``, ``kind`` (``run``, or the name of an experiment),
``weak2strong`` (the version that wrote it), ``files`` (name -> ``sha256``, ``bytes``) and
``digest`` (of all the rest of it). Folders of releases before there was one have no index; they
are read without it. Logs and pages that lie in a folder are not in its index.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import weak2strong
from weak2strong.ground.errors import UserError
from weak2strong.ground.form import misfit
from weak2strong.ground.store import lock
from weak2strong.ground.store.sealed import (
    FILES,
    DamageError,
    check_file,
    fingerprint,
    read_sealed,
    sealed,
)
from weak2strong.ground.whole import leftovers, staged, sync_folder

INDEX, FORMAT = "run.json", 1
LOCK = ".run.lock"
ADOPTED = (".json", ".parquet", ".yaml")
"""Ends of the names of files that a folder from before there was an index brings into its first."""

FORM = {"format": (int, str), "kind": str, "weak2strong": str, "files": FILES}
"""The form of an index."""

Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Index:
    """The index of a folder.

    Attributes:
        kind: ``run``, or the name of an experiment.
        version: of this package, which wrote it.
        files: size and digest of each file.
    """

    kind: str
    version: str
    files: Files


def read_index(folder: Path) -> Index | None:
    """The index of a folder; None where it has none.

    Raises:
        DamageError: where it is not as this package wrote it.
    """
    path = folder / INDEX
    if not path.exists():
        return None
    content = read_sealed(path)
    if said := misfit(content, FORM, "it"):
        raise DamageError(f"{INDEX} is not what was written: {said}")
    found = Index(content["kind"], content["weak2strong"], content["files"])
    if content["format"] != FORMAT:
        raise DamageError(
            f"{INDEX} has format {content['format']}, which weak2strong {found.version} wrote and "
            "this version cannot read"
        )
    return found


def altered(path: Path) -> str:
    """What differs, in a few words, between a file and what an index beside it says of it.

    Nothing for a file that is as it was written, or that no index lists that can be read.
    """
    with contextlib.suppress(DamageError):
        listed = index.files.get(path.name) if (index := read_index(path.parent)) else None
        try:
            if listed:
                check_file(path.parent, path.name, listed)
        except DamageError as e:
            return str(e)
    return ""


def put(
    folder: Path,
    files: Mapping[str, bytes],
    kind: str | None = None,
    beside: Files | None = None,
) -> None:
    """Put files into a folder together, with an index.

    Other files of the index stay in it. All content is brought to the disk beside the old files
    first. Then the new index takes its name, then each file: a kill in between leaves files that
    differ from their index, which every reader notices, and never a mixture that looks whole.

    Args:
        folder: the folder, which is there.
        files: what they hold, by their names, which may have a folder in front.
        kind: of the folder where it has no index yet. If None, such a folder goes on without one.
        beside: size and digest of files of folders in it that these files tell of.

    Raises:
        DamageError: where there is an index that cannot be read, and no kind is given.
        OSError: where it cannot be written.
        UserError: where a folder with something in it has the name of one of the files.
    """
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    with locked(folder):
        place(folder, files, kind, beside, adopts=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from putting files into a folder, as far as there are locks."""
    file = folder / LOCK
    with lock.held(file):
        try:
            yield
        finally:
            # Whoever waits for it notices, and makes a new one.
            file.unlink(missing_ok=True)


def place(
    folder: Path,
    files: Mapping[str, bytes],
    kind: str | None,
    beside: Files | None = None,
    adopts: bool = False,
) -> None:
    """`put`, for who holds the lock of the folder.

    Args:
        folder: the folder.
        files: what they hold, by name.
        kind: as for `put`.
        beside: as for `put`.
        adopts: whether a first index has what lies in the folder already, as it is.
    """
    content = dict(files)
    new = {name: fingerprint(found) for name, found in files.items()} | dict(beside or {})
    if index := _next_index(folder, new, kind, adopts):
        content = {INDEX: _as_json(index), **content}
    paths = {name: folder / name for name in content}
    check_no_folders(folder, paths)
    for path in paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        for partial in leftovers(path):
            partial.unlink(missing_ok=True)
    partials = dict[Path, Path]()
    try:
        for name, path in paths.items():
            partials[path] = staged(path, content[name])
        folders = list(dict.fromkeys((folder, *(path.parent for path in paths.values()))))
        for each in folders:
            sync_folder(each)
        for path in paths.values():
            partials[path].replace(path)
            if path.name == INDEX:
                sync_folder(folder)
        for each in folders:
            sync_folder(each)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def check_no_folders(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder with something in it that has the name of a file; an empty one is no loss.

    Args:
        folder: that files are put into.
        names: of these files.

    Raises:
        UserError: for such a folder.
    """
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            raise UserError(
                f"{path} is a folder with something in it, and a file of {folder} has this name: "
                "move that folder elsewhere."
            )


def _next_index(folder: Path, new: Files, kind: str | None, adopts: bool) -> Index | None:
    """The index with some files in it; None where the folder goes on without one."""
    try:
        before = read_index(folder)
    except DamageError:
        if kind is None:
            raise
        before = None
    if before is None and kind is None:
        return None
    if before is None:
        lying = list(folder.iterdir()) if adopts else []
        kept = {
            path.name: fingerprint(path.read_bytes())
            for path in lying
            if path.suffix in ADOPTED and path.is_file()
            if path.name not in new and path.name != INDEX
        }
        before = Index(str(kind), "", kept)
    together = dict(sorted({**before.files, **new}.items()))
    return Index(before.kind, weak2strong.__version__, together)


def _as_json(index: Index) -> bytes:
    content = {
        "format": FORMAT,
        "kind": index.kind,
        "weak2strong": index.version,
        "files": index.files,
    }
    return (json.dumps(sealed(content), indent=1, ensure_ascii=False) + "\n").encode()
