"""The work of a run: seconds of its steps, and how many stages it made or found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from weak2strong.engine.local import Done

FILE = "work.json"


@dataclass(frozen=True)
class Work:
    """The work of one step of a run.

    Attributes:
        kind: of the step, such as "student".
        task: its name.
        method: reference, for students.
        seed: where it has one.
        seconds: that it took in this run.
        stages: how many it used.
        reused: how many of these the store had.
    """

    kind: str
    task: str
    method: str | None
    seed: int | None
    seconds: float
    stages: int
    reused: int

    @staticmethod
    def of(done: Done) -> Work:
        """The work of a step that is done."""
        step, reused = done.step, sum(used.reused for used in done.used)
        return Work(
            step.kind, step.task, step.method, step.seed, done.seconds, len(done.used), reused
        )


def write_work(folder: Path, work: Sequence[Work]) -> None:
    """Write ``work.json``, a row a step."""
    (folder / FILE).write_text(json.dumps([asdict(w) for w in work], indent=1) + "\n")


def read_work(folder: Path) -> list[Work]:
    """The work of a run; nothing for a run that is older than the file."""
    try:
        return [Work(**row) for row in json.loads((folder / FILE).read_text())]
    except FileNotFoundError:
        return []
