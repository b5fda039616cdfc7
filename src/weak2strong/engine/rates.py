"""The learning rates of a run in ``rates.json``: which, by task and model, and how they came."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from weak2strong.config.training import Training
from weak2strong.ground.folder import FolderFiles
from weak2strong.protocol import stages
from weak2strong.protocol.choice import Choice
from weak2strong.protocol.task_run import TaskRun

FILE = "rates.json"

FORM = [
    {
        "task": str,
        "role": str,
        "model": str,
        "how": str,
        "why": str,
        "trunk": (int, float),
        "head": (int, float),
        "trials": int,
        "seconds": (int, float, type(None)),
    }
]

HOW: Mapping[str, str] = {
    "given": "given",
    "fitted": "fitted for this shipped model",
    "rule": "by the rule",
    "search": "by a search",
    "unknown": "by a search or the rule",
}
"""How rates are chosen, for people."""


@dataclass(frozen=True)
class Rates:
    """The peak rates of a model on a task.

    Attributes:
        task: its name.
        role: "weak" or "strong".
        model: its name.
        how: an entry of `HOW`.
        why: the reason for rule or search.
        trunk: peak rate of what lies beneath the head.
        head: peak rate of the head.
        trials: short finetunings of a search.
        seconds: that the search took when it was made; None without a search.
    """

    task: str
    role: str
    model: str
    how: str
    why: str
    trunk: float
    head: float
    trials: int
    seconds: float | None


def rates_file(chosen: Sequence[Choice], task_runs: Mapping[str, TaskRun]) -> bytes:
    """The content of ``rates.json``; searches are in the store by now."""
    rows = [
        asdict(_rates(choice, task_run)) for task_run in task_runs.values() for choice in chosen
    ]
    return (json.dumps(rows, indent=1) + "\n").encode()


def _rates(choice: Choice, task_run: TaskRun) -> Rates:
    """The rates of a model on a task."""
    about = (task_run.task.name, choice.role, choice.model, choice.how, choice.why)
    if choice.how == "search":
        found = stages.found_rates(task_run, choice.role)
        return Rates(*about, found.trunk, found.head, len(found.trials), found.seconds)
    training: Training = getattr(task_run.config, f"{choice.role}_training")
    return Rates(*about, training.learning_rate or 0.0, training.head_rate or 0.0, 0, None)


def read_rates(files: FolderFiles) -> list[Rates]:
    """The rates of a run; nothing for a run that is older than the file.

    Raises:
        UserError: where the file is damaged.
    """
    rows = files.json(FILE, FORM) or []
    return [Rates(**{name: row[name] for name in FORM[0]}) for row in rows]
