"""The store: a folder of results by key, each whole or not there.

``<root>/<stage>/<key>/`` holds a result's files and its ``manifest.json``. Beside the
stages lie ``temporary`` (results being written), ``working`` (checkpoints of stages in
progress), ``damaged`` (entries set aside), ``locks``, ``known`` (which entries were put here,
so that one without its manifest is noticed), and ``code`` (the pieces of source that a digest
in a manifest stands for; no result depends on either). Safety comes from writing to a
temporary folder and renaming it, never from a lock.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weak2strong.ground.disks import OF_RIGHTS, keeping, writing
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import lock, paths
from weak2strong.ground.store.key import canonical, digest
from weak2strong.ground.store.manifest import (
    Entry,
    Signature,
    check_files,
    read_manifest,
    seal,
    signature,
)
from weak2strong.ground.store.prune import prune
from weak2strong.ground.store.sealed import DamageError
from weak2strong.ground.whole import sync_folder, write_whole


class StoreWarning(UserWarning):
    """A stored result was damaged and will be computed again."""


class Store:
    """Results by stage and key in a folder that processes may share.

    Args:
        root: the folder; by default ``$W2S_STORE``, else ``$XDG_CACHE_HOME/weak2strong``,
            else ``~/.cache/weak2strong``. It is created if it is not there.

    Raises:
        UserError: if the folder cannot be created or written to.
    """

    def __init__(self, root: Path | None = None):
        self.root = paths.ready(paths.default_root() if root is None else Path(root))
        self._verified: dict[tuple[str, str], tuple[Signature, Entry]] = {}

    @classmethod
    def there(cls, root: Path | None = None) -> Store:
        """A store that is only looked at, and so is not made where there is none.

        Args:
            root: as of a store.

        Raises:
            UserError: where there is no such folder, or it cannot be written to.
        """
        root = (paths.default_root() if root is None else Path(root)).expanduser()
        if not root.is_dir():
            raise UserError(
                f"There is no store in {root}: name the folder of one with --store, or run a "
                "study, whose results it keeps."
            )
        return cls(root)

    def get(self, stage: str, key: str) -> Entry | None:
        """The entry, its files verified, or None if it is not there.

        A damaged entry is moved to ``damaged`` with a `StoreWarning`, and is not there.
        An entry that this object has verified is hashed again only if the size or the
        time of one of its files changed.
        """
        entry, damage = self._examine(stage, key)
        if damage:
            warnings.warn(
                f"Stored {stage} result {key[:12]} is damaged and will be recomputed: {damage}.",
                StoreWarning,
                stacklevel=2,
            )
        return entry

    def put(
        self,
        stage: str,
        key: str,
        spec: Mapping[str, Any],
        write: Callable[[Path], None],
        seconds: float,
        made_of: Sequence[tuple[str, str]] = (),
    ) -> Entry:
        """Stores a result; where another process stored it first, drops ours and returns theirs.

        Args:
            stage: the stage's name, also the name of a folder.
            key: of `stage_key`.
            spec: what went into the key, for the manifest, in values that `canonical` takes.
            write: called with an empty folder, writes the files (not ``manifest.json``) into it.
            seconds: how long the result took to compute.
            made_of: stages and keys of the results that it was made of, for the manifest.

        Raises:
            UserError: if the disk is full or became read-only.
        """
        path = paths.entry(self.root, stage, key)
        plain = json.loads(canonical(spec))
        temporary = paths.temporary(self.root, stage, key)
        guard = paths.lock_file(self.root, temporary.name)
        try:
            # The lock tells `prune` that somebody is still writing.
            with keeping(path, paths.ELSEWHERE), lock.held(guard):
                temporary.mkdir(parents=True)
                write(temporary)
                manifest = seal(temporary, stage, key, plain, seconds, made_of)
                entry = self._publish(temporary, Entry(stage, key, path, manifest))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            with contextlib.suppress(OSError):
                guard.unlink()
        shutil.rmtree(paths.working(self.root, stage, key), ignore_errors=True)
        return entry

    def working(self, stage: str, key: str) -> Path:
        """A folder for checkpoints of a stage in progress: it outlives a kill, `put` removes it.

        Where two processes compute the same entry without a lock, they share it.
        """
        folder = paths.working(self.root, stage, key)
        with writing(folder, paths.ELSEWHERE):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_working(self, stage: str, key: str) -> None:
        """Remove the checkpoints of a stage, which are of no use any more."""
        shutil.rmtree(paths.working(self.root, stage, key), ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, stage: str, key: str) -> Iterator[None]:
        """Waits while another process computes this entry; call `get` again once inside.

        Best effort: where locks are not possible, or after a day, it goes on without.
        Not re-entrant.
        """
        name = paths.entry_name(stage, key)
        with lock.held(paths.lock_file(self.root, name)):
            yield

    def keep_code(self, code: str, pieces: Mapping[str, str]) -> None:
        """Keep what the digest of some code stands for.

        Args:
            code: the digest, as the specs of entries have it.
            pieces: digests of the pieces of source, by their names.
        """
        path = paths.code_file(self.root, code)
        if self.code(code):
            return
        with writing(path, paths.ELSEWHERE):
            path.parent.mkdir(exist_ok=True)
            write_whole(path, json.dumps(pieces, indent=0, sort_keys=True))

    def code(self, code: str) -> Mapping[str, str]:
        """What the digest of some code stands for; nothing where that is not known, or damaged."""
        try:
            pieces = json.loads(paths.code_file(self.root, code).read_text(encoding="utf-8"))
            return pieces if digest(sorted(pieces.values())) == code else {}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def entries(self) -> list[Entry]:
        """Every entry with a whole manifest, by stage and key; its files are not verified."""
        entries = []
        for stage, key, path in paths.entry_folders(self.root):
            with contextlib.suppress(DamageError):
                entries.append(Entry(stage, key, path, read_manifest(path, stage, key)))
        return entries

    def find(self, key: str) -> Entry:
        """The entry whose key begins so; its files are not verified.

        Args:
            key: some digits from the beginning of a key, also as ``stage/key``.

        Raises:
            UserError: where no key begins so, or several do.
        """
        stage, _, begin = key.rpartition("/")
        found = [
            (of, path)
            for of, full, path in paths.entry_folders(self.root)
            if begin and full.startswith(begin) and stage in ("", of)
        ]
        if len(found) > 1:
            names = ", ".join(f"{of}/{path.name[:12]}" for of, path in found[:3])
            raise UserError(
                f"The key {key!r} is the beginning of {len(found)} in {self.root} ({names}"
                f"{', …' if len(found) > 3 else ''}): give more digits, or stage/key."
            )
        if not found:
            raise UserError(
                f"No result in {self.root} has a key that begins with {key!r}: take one from the "
                "events.jsonl of a run folder, or from a folder of the store."
            )
        (of, path) = found[0]
        try:
            return Entry(of, path.name, path, read_manifest(path, of, path.name))
        except DamageError as damage:
            raise UserError(
                f"The stored {of} result {path.name[:12]} is damaged ({damage}): run "
                "`w2s store verify`, which sets it aside."
            ) from damage

    def sizes(self) -> dict[str, tuple[int, int]]:
        """The number of entries of each stage and the bytes of their files."""
        sizes: dict[str, tuple[int, int]] = {}
        for entry in self.entries():
            count, total = sizes.get(entry.stage, (0, 0))
            files = entry.manifest["files"].values()
            sizes[entry.stage] = count + 1, total + sum(file["bytes"] for file in files)
        return sizes

    def verify(self) -> list[str]:
        """Hashes every file of every entry, sets damaged entries aside, and describes each.

        An entry that may not be read is described, too, and stays where it is.
        """
        return [what for what in self.examined() if what]

    def examined(self) -> list[str]:
        """The same, with nothing for each entry that is sound."""
        self._verified.clear()
        found = []
        for stage, key, path in paths.entry_folders(self.root):
            try:
                entry, damage = self._examine(stage, key)
            except OSError as error:
                if error.errno not in OF_RIGHTS:
                    raise
                file = os.path.relpath(os.fsdecode(error.filename or path), self.root)
                entry, damage = None, f"{file} may not be read ({error.strerror})"
            if entry:
                self._know(stage, key)
                found.append("")
            elif damage:
                found.append(f"{stage} {key[:12]}: {damage}")
        return found

    def prune(
        self,
        older_than_days: float | None = None,
        stage: str | None = None,
        everything: bool = False,
    ) -> tuple[int, int]:
        """Removes entries, and what damage and killed processes left behind.

        Whatever does not have the exact names of this layout stays, wherever it lies.

        Args:
            older_than_days: entries written at least so long ago.
            stage: entries (and leftovers) of this stage only.
            everything: all entries. Without any of the three no entry goes: only damaged
                ones set aside, temporary folders whose writer is gone, and working folders
                nobody holds the lock of, whose entry stands or which lay idle for a week
                (or for ``older_than_days``; or all of them, with ``everything``). Files of the
                user's that other machines sent go with ``everything`` and by age.

        Returns:
            The number of folders removed and their bytes.

        Raises:
            UserError: for contradictory choices, or if something cannot be removed.
        """
        return prune(self.root, self.entries(), older_than_days, stage, everything)

    def _examine(self, stage: str, key: str) -> tuple[Entry | None, str]:
        """The verified entry, or what was wrong with the one that was set aside, or neither."""
        path = paths.entry(self.root, stage, key)
        while (seen := _identity(path)) is not None:
            try:
                return self._verify(stage, key, path), ""
            except DamageError as damage:
                # Hashing takes a while: another process may have set this entry aside and put
                # a good one there, which must not be moved.
                if _identity(path) == seen and (aside := self._set_aside(stage, key, path)):
                    return None, f"{damage}; it was moved to {aside}"
        return None, ""

    def _verify(self, stage: str, key: str, path: Path) -> Entry:
        if known := self._verified.get((stage, key)):
            stamps, entry = known
            if signature(path, entry.manifest) == stamps:
                return entry
        manifest = read_manifest(path, stage, key)
        stamps = signature(path, manifest)  # before hashing, so that a change meanwhile shows
        check_files(path, manifest)
        entry = Entry(stage, key, path, manifest)
        self._verified[stage, key] = stamps, entry
        return entry

    def _set_aside(self, stage: str, key: str, path: Path) -> Path | None:
        for n in itertools.count(1):
            aside = self.root / "damaged" / f"{stage}-{key}-{n}"
            if os.path.lexists(aside):
                continue
            try:
                aside.parent.mkdir(exist_ok=True)
                path.rename(aside)
            except FileNotFoundError:  # another process was faster
                return None
            except OSError as error:
                if error.errno not in paths.OCCUPIED or not aside.parent.is_dir():
                    raise paths.unusable(self.root, error) from error
            else:
                return aside

    def _know(self, stage: str, key: str) -> None:
        """Leave a sign that an entry was put here, as far as the disk takes one."""
        with contextlib.suppress(OSError):
            file = paths.known_file(self.root, stage, key)
            file.parent.mkdir(exist_ok=True)
            file.touch()

    def _publish(self, temporary: Path, ours: Entry) -> Entry:
        ours.path.parent.mkdir(exist_ok=True)
        while True:
            try:
                temporary.rename(ours.path)
            except OSError as error:
                if error.errno not in paths.OCCUPIED:
                    raise
                if theirs := self.get(ours.stage, ours.key):
                    return theirs
            else:
                sync_folder(ours.path.parent)
                self._know(ours.stage, ours.key)
                stamps = signature(ours.path, ours.manifest)
                self._verified[ours.stage, ours.key] = stamps, ours
                return ours


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
