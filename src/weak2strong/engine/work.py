"""The work of a run: seconds of its steps, and how many stages it made or found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from weak2strong.ground.folder import FolderFiles
from weak2strong.protocol.steps import Step

FILE = "work.json"

FORM = [
    {
        "kind": str,
        "task": str,
        "method": (str, type(None)),
        "seed": (int, type(None)),
        "seconds": (int, float),
        "stages": int,
        "reused": int,
    }
]


@dataclass(frozen=True)
class Work:
    """The work of one step of a run.

    Attributes:
        kind: of the step, such as "student".
        task: its name.
        method: reference, for students.
        seed: where it has one.
        seconds: that it took.
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


def work_of(steps: Sequence[Step], events: Iterable[Mapping[str, Any]]) -> list[Work]:
    """The work of the steps of a run, from the log of its folder.

    A step counts as it was when its result was made in this folder; one that the store had from
    the start, as it was first read. So a run that is started again, because it was killed or its
    folder was damaged, tells the same.

    Args:
        steps: of the run.
        events: of its folder, the oldest first.
    """
    by_name = dict[str, list[Mapping[str, Any]]]()
    for event in filter(_is_step, events):
        by_name.setdefault(event["name"], []).append(event)
    return [_work(step, by_name[step.name]) for step in steps if step.name in by_name]


def _work(step: Step, events: Sequence[Mapping[str, Any]]) -> Work:
    """The work of a step, from its events; the last one tells which result it is about."""
    about = [e for e in events if _result(e) == _result(events[-1])]
    made = [e for e in about if not e["reused"]]
    event = (made or about)[0]
    reused = sum(stage["reused"] for stage in event["stages"])
    return Work(
        step.kind,
        step.task,
        step.method,
        step.seed,
        event["seconds"],
        len(event["stages"]),
        reused,
    )


def _result(event: Mapping[str, Any]) -> str | None:
    """The key of what a step made or read; its other stages come before."""
    return event["stages"][-1]["key"] if event["stages"] else None


def _is_step(event: Mapping[str, Any]) -> bool:
    """Whether an event tells the work of a step; older releases did not write the seconds."""
    stages = event.get("stages")
    return (
        event["event"] == "step"
        and isinstance(event.get("name"), str)
        and isinstance(event.get("seconds"), float)
        and isinstance(stages, list)
        and all(isinstance(s, dict) and isinstance(s.get("reused"), bool) for s in stages)
        and all(isinstance(s.get("key"), str) for s in stages)
        and isinstance(event.get("reused"), bool)
    )


def work_file(work: Sequence[Work]) -> bytes:
    """The content of ``work.json``, a row a step."""
    return (json.dumps([asdict(w) for w in work], indent=1) + "\n").encode()


def read_work(files: FolderFiles) -> list[Work]:
    """The work of a run; nothing for a run that is older than the file.

    Raises:
        UserError: where the file is damaged.
    """
    rows = files.json(FILE, FORM) or []
    return [Work(**{name: row[name] for name in FORM[0]}) for row in rows]
