"""The PGR that stands for a whole run, by method; and a short note of it beside the run.

The note, ``brief.json``, names the files that it was made of, so that one of an older writing
counts for nothing. It is in no index itself: a list of many runs reads it, and nothing else does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.intervals import Interval
from weak2strong.engine.recorded import PREDICTIONS, RESULTS, STUDY
from weak2strong.ground.form import misfit
from weak2strong.ground.index import read_index
from weak2strong.ground.store.sealed import DamageError
from weak2strong.ground.whole import write_whole

FILE = "brief.json"

NUMBER = (float, int, type(None))

FORM = {
    "of": str,
    "name": str,
    "methods": [{"method": str} | dict.fromkeys(("pgr", "pgr_low", "pgr_high"), NUMBER)],
}
"""The form of a note."""


@dataclass(frozen=True)
class Shares:
    """The PGR of each method of a run.

    Attributes:
        on: on which tasks, for a sentence; empty with one task.
        name: what it is: PGR, mean PGR or pooled PGR.
        how: for a sentence, such as " on average".
        by_method: value and interval; None where it is undefined.
    """

    on: str
    name: str
    how: str
    by_method: Mapping[str, tuple[float, Interval] | None]


def shares(run: FinishedRun) -> Shares:
    """PGR on the one task, else the mean over the tasks with a gap, else that of all together."""
    over = run.over
    if over is None:
        first = {line.method: line.recovered for line in run.lines()}
        return Shares("", "PGR", "", {m: _both(r.value, r.interval) for m, r in first.items()})
    means = {m: _both(a.mean, a.mean_interval) for m, a in over.methods.items()}
    if any(means.values()):
        tasks, used = len(run.by_task), len(over.used)
        on = f"on {tasks} tasks, " if used == tasks else f"on {used} of {tasks} tasks, "
        return Shares(on, "mean PGR", " on average", means)
    pooled = {m: _both(a.pooled, a.pooled_interval) for m, a in over.methods.items()}
    return Shares(f"on all {len(run.by_task)} tasks together, ", "pooled PGR", "", pooled)


def _both(value: float | None, interval: Interval | None) -> tuple[float, Interval] | None:
    return None if value is None or interval is None else (value, interval)


def note_brief(run: FinishedRun) -> None:
    """Note the PGR of a run in its folder, if that is not done yet, as far as it can be written."""
    if read_brief(run.folder):
        return
    found = shares(run)
    rows = [
        {"method": method}
        | dict.fromkeys(("pgr", "pgr_low", "pgr_high"))
        | ({"pgr": of[0], "pgr_low": of[1].low, "pgr_high": of[1].high} if of else {})
        for method, of in found.by_method.items()
    ]
    with contextlib.suppress(OSError, ValueError, DamageError):
        content = {"of": _digest(run.folder), "name": found.name, "methods": rows}
        write_whole(run.folder / FILE, json.dumps(content, indent=1) + "\n")


def read_brief(folder: Path) -> dict[str, Any] | None:
    """The note of a run; None where there is none, or one of other results."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        fits = not misfit(content, FORM, "it") and content["of"] == _digest(folder)
    except (OSError, ValueError, DamageError):
        return None
    return content if fits else None


def _digest(folder: Path) -> str:
    """The digest of what PGR is made of, as the index has it; what is added later plays no part.

    Raises:
        ValueError: where there is no index that can be read.
    """
    index = read_index(folder)
    if index is None:
        raise ValueError(f"{folder} has no index")
    of = [(name, index.files.get(name)) for name in (STUDY, RESULTS, PREDICTIONS)]
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
