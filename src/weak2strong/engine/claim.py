"""Which folder a run or an experiment writes to: a new one, or one that holds the very same."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.contents import FILE as TASKS
from weak2strong.engine.curves import FILE as CURVES
from weak2strong.engine.events import FILE as EVENTS
from weak2strong.engine.examples import FILE as EXAMPLES
from weak2strong.engine.rates import FILE as RATES
from weak2strong.engine.recorded import AGREEMENT, ENVIRONMENT, PREDICTIONS, RESULTS, STUDY
from weak2strong.engine.work import FILE as WORK
from weak2strong.ground.disks import writing
from weak2strong.ground.elsewhere import junctions
from weak2strong.ground.errors import UserError
from weak2strong.ground.index import INDEX, check_no_folders, locked, place, read_index
from weak2strong.ground.runs import LATEST, RUNS
from weak2strong.ground.store.sealed import DamageError, compare, fingerprint
from weak2strong.ground.whole import make_writable
from weak2strong.protocol.learned import FILE as LEARNED

OURS = (
    *(RESULTS, PREDICTIONS, AGREEMENT, EXAMPLES, CURVES),
    *(TASKS, WORK, ENVIRONMENT, LEARNED, RATES),
)
"""Files that a run writes over; without a study beside them they are somebody's."""


def new_folder(what: str | None, tasks: Sequence[str]) -> Path:
    """Make a folder below ``runs`` whose name says the time, what is done, and the tasks.

    Where the name is taken, by another process or within the same second, a number follows it.

    Raises:
        OSError: where it cannot be made.
    """
    first, *others = tasks
    about = f"{first}-and-{len(others)}-more" if others else first
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = "-".join(part for part in (now, what, about) if part)
    RUNS.mkdir(exist_ok=True)
    for number in itertools.count(1):
        folder = RUNS / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError


def claim(
    out: Path | None,
    config: StudyConfig,
    tasks: Sequence[str],
    what: str | None = None,
    tables: Collection[str] = (),
) -> Path:
    """The run folder with ``study.yaml`` in it, checked to be writable and ours.

    What else it holds of the same study stays as it is until there are new results.

    Args:
        out: the user's choice; by default a new folder below ``runs``.
        config: the study, resolved.
        tasks: names, for that of a new folder.
        what: is done, if it is no run; ``runs/latest`` then stays as it is.
        tables: names of files that it writes besides those of a run.

    Raises:
        UserError: where it cannot be written, holds another study, or something in the place of a
            file.
    """
    text = config.to_yaml().encode()
    with writing(out or RUNS, "choose another folder with --out"):
        folder = out or new_folder(what, tasks)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            written = (*OURS, *tables)
            check_no_folders(folder, (INDEX, STUDY, *written, EVENTS))
            if not _is_there(folder, text, written):
                place(folder, {STUDY: text}, what or "run")
            make_writable(folder)  # found out before hours of training
        if out is None and what is None:
            _point(folder.parent / LATEST, folder.name)
    return folder


def claim_for_runs(out: Path | None, command: str, tables: Collection[str]) -> Path:
    """The folder of an experiment that holds whole runs, checked to be writable and ours.

    Args:
        out: the user's choice; by default a new folder below ``runs``.
        command: the name of the experiment.
        tables: names of files that it writes beside the runs.

    Raises:
        UserError: where it cannot be written, or holds a file of that name that is a user's.
    """
    with writing(out or RUNS, "choose another folder with --out"):
        folder = out or new_folder(None, (command,))
        make_writable(folder)
        check_ours(folder, tables)
    return folder


def check_ours(folder: Path, names: Collection[str]) -> None:
    """Refuse a folder with a file that would be written over and may be a user's.

    Our own stand in the index of the folder, which is written before them.

    Raises:
        UserError: for such a file.
    """
    try:
        index, damage = read_index(folder), ""
    except DamageError as e:
        index, damage = None, str(e)
    listed = index.files if index else {}
    if theirs := [name for name in names if name not in listed and (folder / name).exists()]:
        raise _unknown(folder, theirs[0], damage)


def _is_there(folder: Path, text: bytes, written: Collection[str]) -> bool:
    """Whether a folder holds this study, whole; False where it holds none, or a damaged copy.

    Raises:
        UserError: where it holds another study, files without one, or a damaged one that may be
            another.
    """
    path = folder / STUDY
    there = path.read_bytes() if path.is_file() else None
    try:
        index = read_index(folder)
    except DamageError as e:
        if there is not None and _same_study(there, text):
            return True
        raise UserError(
            f"{folder} cannot be told to hold this study ({e}): choose another folder with --out."
        ) from e
    if index is None:
        return _is_there_alone(folder, there, text, written)
    listed = index.files.get(STUDY)
    if listed is None:
        raise UserError(
            f"{folder} holds files of `w2s {index.kind}` and no study: choose another folder with "
            "--out."
        )
    try:
        if there is not None:
            compare(STUDY, fingerprint(there), listed)
            if _same_study(there, text):
                return True
            raise _another(folder)
    except DamageError:
        pass
    if fingerprint(text) == listed:
        return False
    if there is not None and _same_study(there, text):
        raise UserError(
            f"{folder} holds files of two studies, its {STUDY} is of this one and its {INDEX} of "
            "another: choose another folder with --out."
        )
    state = "is a folder" if path.is_dir() else "is missing" if there is None else "is damaged"
    raise UserError(
        f"{folder} was made by another study, or by this one in an older release: its {STUDY} "
        f"{state}, so that nobody can tell; choose another folder with --out."
    )


def _is_there_alone(
    folder: Path, there: bytes | None, text: bytes, written: Collection[str]
) -> bool:
    """The same for a folder without an index: a user's, or one from before there was one."""
    if there and _same_study(there, text):
        return True
    theirs = [name for name in written if (folder / name).exists()]
    if there and _is_study(there):
        raise _another(folder)
    if theirs or there:
        raise _unknown(folder, STUDY if there else theirs[0])
    return False


def _unknown(folder: Path, file: str, damage: str = "") -> UserError:
    """The refusal of a file that may be a user's."""
    why = damage or f"no {INDEX} there lists it"
    return UserError(
        f"{folder} holds {file}, which may be a file of yours ({why}): choose another folder with "
        "--out."
    )


def _another(folder: Path) -> UserError:
    return UserError(f"{folder} holds a run of another study: choose another folder with --out.")


def _is_study(text: bytes) -> bool:
    try:
        StudyConfig.from_yaml(text)
    except UserError:
        return False
    return True


def _same_study(old: bytes, new: bytes) -> bool:
    """Whether two texts are the same study; an older one may lack fields with default values."""
    try:
        return StudyConfig.from_yaml(old).to_yaml().encode() == new
    except UserError:
        return False


def _point(link: Path, name: str) -> None:
    """Let a link point to a folder beside it; there is a link at every moment.

    Where a system lets nobody make such links without a right, as Windows does, it is a junction,
    which looks the same, and is gone for a moment.

    Raises:
        OSError: where something else has the name of the link.
    """
    new = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    try:
        new.symlink_to(name, target_is_directory=True)
    except OSError:
        if (junction := junctions()) is None:
            raise
        if os.path.lexists(link):
            # A link of either kind, or an empty folder; nothing else goes.
            os.rmdir(link)
        return junction(str(link.parent.absolute() / name), str(link))
    try:
        os.replace(new, link)
    except OSError:
        new.unlink(missing_ok=True)
        raise
