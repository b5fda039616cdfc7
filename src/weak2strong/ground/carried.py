"""Files and folders of the user's as bytes, for machines that do not have them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from weak2strong.ground.errors import UserError
from weak2strong.ground.store.key import digest
from weak2strong.ground.store.sealed import DamageError, fingerprint
from weak2strong.ground.whole import sync_folder

SHOWN = 16
"""Digits of a digest in the name of a folder."""


@dataclass(frozen=True)
class Carried:
    """A file or a folder on its way.

    Attributes:
        parent: the name of the folder that it lies in, which some tasks are called by.
        name: its own, which tasks are called by and usual rates go by.
        files: content by relative name; of a file there is one, whose name is empty.
        digest: of all of this.
    """

    parent: str
    name: str
    files: Mapping[str, bytes]
    digest: str

    @staticmethod
    def of(path: Path) -> Carried:
        """A file, or a folder with all that is visible in it; links are followed.

        Raises:
            UserError: where it cannot be read.
        """
        path = Path(os.path.abspath(path.expanduser()))
        try:
            if path.is_dir():
                names = [f for f in sorted(path.rglob("*")) if f.is_file() and _visible(f, path)]
                files = {f.relative_to(path).as_posix(): f.read_bytes() for f in names}
            else:
                files = {"": path.read_bytes()}
        except OSError as error:
            raise UserError(
                f"{path} cannot be read to send it to other machines ({error.strerror}): check its "
                "path, or take a --store that all machines share."
            ) from error
        parent = path.resolve().parent.name
        return Carried(parent, path.name, files, _digest(parent, path.name, files))


def place_of(carried: Carried, root: Path) -> Path:
    """Where `unpack` lays a file or folder, whether or not it is there yet."""
    # What has no folder above it is still told from the folder of all.
    return root / carried.digest[:SHOWN] / (carried.parent or "data") / carried.name


def unpack(carried: Carried, root: Path) -> Path:
    """Where a file or folder lies on this machine, written whole if it was not there yet.

    Args:
        carried: what was sent.
        root: the folder for all that is sent; each content is written once.

    Raises:
        DamageError: where it was altered on its way.
    """
    if _digest(carried.parent, carried.name, carried.files) != carried.digest:
        raise DamageError(f"{carried.name} was altered on its way")
    folder, place = root / carried.digest[:SHOWN], place_of(carried, root)
    if folder.is_dir():
        return place
    root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".", dir=root))
    try:
        target = temporary / place.relative_to(folder)
        for name, content in carried.files.items():
            file = target / _inside(name) if name else target
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(file, "xb") as to:
                to.write(content)
                to.flush()
                os.fsync(to.fileno())
        try:
            temporary.rename(folder)
        except OSError:
            # Another process of this machine was faster.
            if not folder.is_dir():
                raise
        sync_folder(root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place


def _visible(file: Path, folder: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(folder).parts)


def _inside(name: str) -> str:
    """A relative name; refuses one that leads out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DamageError(f"{name!r} is no name of a file in a folder")
    return name


def _digest(parent: str, name: str, files: Mapping[str, bytes]) -> str:
    contents = {of: fingerprint(content) for of, content in files.items()}
    return digest({"parent": parent, "name": name, "files": contents})
