"""Several studies that share what they can through the store, in folders of one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from weak2strong.config.study import StudyConfig
from weak2strong.engine.local import Plan
from weak2strong.engine.run import new_folder, run_study
from weak2strong.ground.progress import Progress
from weak2strong.protocol.resolve import resolved


def run_several(
    about: str,
    studies: Mapping[str, StudyConfig],
    out: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> Mapping[str, Path]:
    """Run studies one after another.

    Args:
        about: what the folder is called after the time, where none is given.
        studies: by the names of their folders.
        out: the folder of these; by default a new one below ``runs``.
        store: root of the store; by default the user's.
        progress: where to show what is going on.
        plan: processes and threads; by default what suits models and machine.

    Returns:
        The run folders by the same names, all in one folder.

    Raises:
        UserError: for bad input, before anything is trained.
    """
    for config in studies.values():
        resolved(config)
    folder = out or new_folder(None, (about,))
    progress, found = progress or Progress(quiet=True), {}
    for number, (name, config) in enumerate(studies.items(), start=1):
        progress.line(f"{name} ({number} of {len(studies)})")
        found[name] = run_study(config, folder / name, store, progress, plan)
    return found
