"""The names of runs where several stand together."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from weak2strong.analysis.finished import FinishedRun


def run_names(runs: Sequence[FinishedRun]) -> dict[FinishedRun, str]:
    """A name for each run, which no other run has.

    The name is the pair of models where that is enough. Else it has the tasks, too, or the folder.
    """
    forms = (
        lambda run: run.title,
        lambda run: f"{run.title}, {tasks_text(run)}",
        lambda run: f"{run.title}, {tasks_text(run)} ({run.folder.resolve().name})",
        lambda run: f"{run.title}, {tasks_text(run)} ({run.folder})",
    )
    names = dict[FinishedRun, str]()
    for form in forms:
        names = {run: form(run) for run in runs}
        if len(set(names.values())) == len(runs):
            break
    return names


def tasks_text(run: FinishedRun) -> str:
    """The names of the tasks where they are few, else their number."""
    tasks = list(run.by_task)
    return " and ".join(tasks) if len(tasks) < 3 else f"{len(tasks)} tasks"


def folder_word(folder: Path) -> str:
    """A folder as a word of a command line: one that stays right when ``runs/latest`` moves on.

    A folder that was named from where the command stands is named so again.
    """
    real = folder.resolve()
    return shlex.quote(str(real) if folder.is_absolute() else os.path.relpath(real))
