"""How a finished folder is named: by its path, the beginning of its name in ``runs``, or latest."""

from __future__ import annotations

from pathlib import Path

from weak2strong.ground.errors import UserError
from weak2strong.ground.file_names import no_path

RUNS, LATEST = Path("runs"), "latest"

LATEST_RUN = RUNS / LATEST
"""The run that is meant where none is named."""

SHOWN = 5
"""So many folders are named at most where several begin alike."""


def run_folder(named: str | Path) -> Path:
    """The folder of a run or an experiment that is meant.

    A path that is there is taken as it is. Else ``latest`` is the run that was begun last in
    ``runs``, and the beginning of the name of a folder in ``runs`` is that folder; a whole name
    counts more than the beginning of another one. What is none of these is returned as a path.

    Args:
        named: a path, a text, or ``latest``.

    Raises:
        UserError: where the names of several folders begin so, and for a path that no file can
            have.
    """
    if wrong := no_path(str(named)):
        raise UserError(f"There is no such path: {wrong}.")
    path = Path(named).expanduser()
    if len(path.parts) != 1 or path.exists():
        return path
    if str(path) == LATEST:
        return LATEST_RUN
    found = sorted(f.name for f in _folders() if f.name.startswith(str(path)))
    if str(path) in found:
        return RUNS / path
    if len(found) > 1:
        names = ", ".join(found[-SHOWN:][::-1])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UserError(
            f"{path} is the beginning of {len(found)} folders in {RUNS}: write more of {names}"
            f"{more}."
        )
    return RUNS / found[0] if found else path


def _folders() -> list[Path]:
    """The folders in ``runs``, without links."""
    if not RUNS.is_dir():
        return []
    return [f for f in RUNS.iterdir() if f.is_dir() and not f.is_symlink()]
