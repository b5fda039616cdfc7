"""The paths on a command line: with the home folder in place of ``~``, and none that cannot be."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from weak2strong.ground.errors import UserError
from weak2strong.ground.file_names import no_path
from weak2strong.ground.lines import USUAL, width_of
from weak2strong.ground.runs import run_folder


def with_paths(command: Any) -> Any:
    """A command whose paths can be those of files, so that no other code has to look.

    Args:
        command: as the parser made it, with other objects of flags inside it. Its attribute
            ``runs`` names the fields that hold folders of runs (see `ground.runs.run_folder`).

    Raises:
        UserError: for a path that no file can have, or the beginning of the names of several runs.
    """
    found, runs = {}, getattr(command, "runs", ())
    for f in fields(command):
        if not f.init:
            continue
        before = getattr(command, f.name)
        after = _usable(before)
        if f.name in runs:
            after = tuple(map(run_folder, after)) if isinstance(after, tuple) else run_folder(after)
        if after is not before:
            found[f.name] = after
    return replace(command, **found) if found else command


STORE, DATE = "W2S_STORE", "SOURCE_DATE_EPOCH"

DIGITS = 9
"""Characters of ``COLUMNS`` beyond which libraries are not left alone with it."""


def check_surroundings() -> None:
    """Refuse a working folder that somebody has removed, and variables that cannot be meant.

    A width of a terminal that is no number for Python is taken for the widest. Commands draw into
    files, so that windows of Matplotlib, which may not be there, are not looked for.

    Raises:
        UserError: for a folder from which no path leads anywhere, and for a variable that names
            no path, or no date.
    """
    try:
        os.getcwd()
    except OSError as e:
        raise UserError(
            f"The folder that this was started in cannot be found ({e.strerror}): change to "
            "another one with cd."
        ) from e
    if wrong := no_path(os.environ.get(STORE, "")):
        raise UserError(f"{STORE} names no folder: {wrong}: set it to another one.")
    if not re.fullmatch(r"\d{1,12}", date := os.environ.get(DATE, "0")):
        raise UserError(
            f"{DATE}, by which libraries date what they write, must be whole seconds since 1970, "
            f"not {date[:40]!r}: set it so, or unset it."
        )
    if "MPLBACKEND" in os.environ:
        os.environ["MPLBACKEND"] = "agg"
    if len(os.environ.get("COLUMNS", "")) > DIGITS:
        os.environ["COLUMNS"] = str(width_of(sys.stdout) or USUAL)


def _usable(value: Any) -> Any:
    """A value of a field with paths that can be used; the same object where nothing changes."""
    if isinstance(value, Path):
        if wrong := no_path(str(value)):
            raise UserError(f"There is no such path: {wrong}.")
        return value.expanduser() if str(value).startswith("~") else value
    if isinstance(value, tuple):
        made = tuple(map(_usable, value))
        return made if any(a is not b for a, b in zip(made, value, strict=True)) else value
    return with_paths(value) if is_dataclass(value) and not isinstance(value, type) else value


def folder_named(named: str) -> Path:
    """The folder that a word may mean which may also name a task or a model.

    Raises:
        UserError: where it is the beginning of the names of several runs, and of nothing else.
    """
    from weak2strong.models.folders import rungs
    from weak2strong.tasks import GROUPS, SOURCES, TASKS

    known = (TASKS, GROUPS, SOURCES, rungs())
    other = any(named.partition("=")[0] in names for names in known)
    return Path(named).expanduser() if other else run_folder(named)
