"""Where the store lies, and what in that folder is the store's own.

Everything below is recognised by the exact form of its name, so that a store which
was pointed at a folder with other files leaves those alone.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from weak2strong.ground.disks import not_written
from weak2strong.ground.errors import UserError
from weak2strong.ground.store.manifest import MANIFEST
from weak2strong.ground.whole import make_writable

_STAGE = r"(?P<stage>[a-z][a-z0-9_-]*)"
_KEY = r"(?P<key>[0-9a-f]{64})"
STAGE = re.compile(_STAGE)
KEY = re.compile(_KEY)
# What lies in `damaged`, `temporary` and `working`, and in `locks` with `.lock` after it.
LEFTOVER = re.compile(rf"{_STAGE}-{_KEY}(-[0-9a-f]+)?")
CODE = re.compile(r"(?P<code>[0-9a-f]{64})\.json")
# What another machine has sent of the user's files (see `weak2strong.ground.carried`).
FILES = "files"
SENT = re.compile(r"[0-9a-f]{16}|\..+")
# What was measured of models on the devices here (see `weak2strong.training.pace`).
MEASURED = "measured"
# Weights that were published as pickles (see `weak2strong.models.pickled`).
CONVERTED = "converted"
# What is known of the images of a folder (see `weak2strong.tasks.image_index`).
IMAGES = "images"
# An empty file for each entry that was put here, by which one without a manifest is told from a
# folder of somebody else's.
KNOWN = "known"
RESERVED = (
    *("code", CONVERTED, "damaged", FILES, IMAGES, KNOWN, "locks", MEASURED, "temporary"),
    "working",
)

ELSEWHERE = "point the store, with --store or W2S_STORE, to a folder that you can write to"
"""What to do where the store cannot be written."""

# How a rename onto something that is there fails, by file system.
OCCUPIED = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def default_root() -> Path:
    """``$W2S_STORE``, else ``$XDG_CACHE_HOME/weak2strong``, else ``~/.cache/weak2strong``."""
    if own := os.environ.get("W2S_STORE"):
        return Path(own)
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    return (cache if cache.is_absolute() else Path("~/.cache")) / "weak2strong"


def ready(root: Path) -> Path:
    """The absolute path of a root, created and found writable by writing to it.

    Raises:
        UserError: if it cannot be.
    """
    root = root.expanduser().absolute()
    try:
        make_writable(root)
    except OSError as error:
        raise unusable(root, error) from error
    return root


def unusable(root: Path, error: OSError) -> UserError:
    """The error for a root that results cannot be written to."""
    if error.errno not in (errno.EEXIST, errno.ENOTDIR):
        return not_written(root, error, ELSEWHERE)
    why = "it, or a folder above it, is a file"
    return UserError(f"Cannot write {root} ({why}): {ELSEWHERE}.")


def entry_name(stage: str, key: str) -> str:
    """``<stage>-<key>``, after checking both.

    Raises:
        ValueError: if the stage or the key cannot be the name of one.
    """
    if not STAGE.fullmatch(stage) or stage in RESERVED:
        raise ValueError(
            f"{stage!r} cannot be the name of a stage: use a-z, 0-9, _ and -, "
            f"and none of {', '.join(RESERVED)}."
        )
    if not KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key: take one from stage_key().")
    return f"{stage}-{key}"


def entry(root: Path, stage: str, key: str) -> Path:
    """Where an entry lies, or would."""
    entry_name(stage, key)
    return root / stage / key


def working(root: Path, stage: str, key: str) -> Path:
    """Where a stage in progress keeps its checkpoints."""
    return root / "working" / entry_name(stage, key)


def temporary(root: Path, stage: str, key: str) -> Path:
    """A new name for a folder on the same file system, to rename from or to."""
    return root / "temporary" / f"{entry_name(stage, key)}-{secrets.token_hex(6)}"


def code_file(root: Path, code: str) -> Path:
    """Where it is kept what the digest of some code stands for."""
    return root / "code" / f"{code}.json"


def lock_file(root: Path, name: str) -> Path:
    """The lock of an entry, or of a temporary folder, by its name."""
    return root / "locks" / f"{name}.lock"


def known_file(root: Path, stage: str, key: str) -> Path:
    """The file that says that an entry was put here."""
    return root / KNOWN / entry_name(stage, key)


def known(root: Path) -> set[tuple[str, str]]:
    """Stage and key of the entries that were put here, as far as files say so."""
    found = (LEFTOVER.fullmatch(path.name) for path in listed(root / KNOWN))
    return {(match["stage"], match["key"]) for match in found if match}


def entry_folders(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Stage, key and path of all that looks like an entry, or was one, sorted.

    A folder without a manifest does not, unless it is known: it may be anybody's.
    """
    found = {
        (stage.name, path.name)
        for stage in listed(root)
        if STAGE.fullmatch(stage.name) and stage.name not in RESERVED
        for path in listed(stage)
        if KEY.fullmatch(path.name) and os.path.lexists(path / MANIFEST)
    }
    put = {(stage, key) for stage, key in known(root) if os.path.lexists(root / stage / key)}
    for stage, key in sorted(found | put):
        yield stage, key, root / stage / key


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, links left out; nothing if it cannot be listed."""
    try:
        return sorted(path for path in folder.iterdir() if not path.is_symlink())
    except OSError:
        return []
