"""What a run spent on what: seconds of its steps, and stages that it made or found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from weak2strong.engine.local import Done

FILE = "work.json"


@dataclass(frozen=True)
class Work:
    """A step as this run did it.

    Attributes:
        kind: of the step, such as "student".
        task: its name.
        method: reference, for students.
        seed: where it has one.
        seconds: it took in this run.
        stages: that it asked for, all in all.
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
        """Counted."""
        step, reused = done.step, sum(used.reused for used in done.used)
        return Work(
            step.kind, step.task, step.method, step.seed, done.seconds, len(done.used), reused
        )


def write_work(folder: Path, work: Sequence[Work]) -> None:
    """Write ``work.json``, a row a step."""
    (folder / FILE).write_text(json.dumps([asdict(w) for w in work], indent=1) + "\n")


def read_work(folder: Path) -> list[Work]:
    """What a run spent; nothing of a run from before this was written down."""
    try:
        return [Work(**row) for row in json.loads((folder / FILE).read_text())]
    except FileNotFoundError:
        return []
