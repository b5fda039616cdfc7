"""The curves of a run's finetunings in ``training.parquet``: loss, gradient and rates by step.

A stage of the store keeps every step of its training. The run folder has at most `POINTS` rows a
training, and one for each evaluation, so that it stays small and can be read without the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.ground.folder import FolderFiles
from weak2strong.ground.schema import columns
from weak2strong.ground.store import Entry, Store
from weak2strong.protocol.learned import ends
from weak2strong.protocol.stages.files import CURVE, TRACE
from weak2strong.protocol.task_run import Used

if TYPE_CHECKING:
    import polars as pl

FILE = "training.parquet"

STAGES = ("finetune", "traced")
"""The stages that keep a curve, whose keys others name."""

POINTS = 100
"""Rows of a training, besides those of its evaluations."""

HAVE = columns(
    text="task role method",
    whole="seed fit step steps",
    number="loss gradient_norm learning_rate head_rate validation kept",
)
"""The columns of the file."""


def trainings_in(store: Store, used: Iterable[Used]) -> list[Entry]:
    """The finetunings among some stages that were used, in the order in which they were made.

    Of a student they are those that its method asked for: the last one is the student itself, as a
    rule. What the store does not have any more, and what a release made that did not note of what,
    is left out.

    Args:
        store: that has them.
        used: by one role; where a student is among them, its own finetunings alone are meant.
    """
    named = dict.fromkeys((one.stage, one.key) for one in used)
    students = [key for key in named if key[0] == "student"]
    found = dict[tuple[str, str], Entry | None]()
    for stage, key in students or named:
        entry = store.get(stage, key)
        if entry and stage in STAGES:
            found[stage, key] = entry
        for made in entry.made_of if entry else ():
            if made[0] in STAGES:
                found[made] = store.get(*made)
    return [entry for entry in found.values() if entry]


def curve_rows(entry: Entry) -> list[dict[str, Any]]:
    """The rows of one finetuning: step, steps, loss, gradient_norm, two rates, validation, kept.

    A row is about the steps since the row before it: its loss and its gradient norm are their
    means. ``validation`` is the score of the evaluation after the step, where there is one;
    ``kept`` is the share of training whose weights were kept.
    """
    steps, trace = _steps(entry.path), json.loads((entry.path / TRACE).read_text())
    count = len(steps["loss"])
    scores = {round(p["fraction"] * count): p["score"] for p in trace["trace"]}
    lasts = _lasts(count, scores)
    sizes = np.diff(lasts, prepend=0)
    begins = lasts - sizes
    means = {
        name: np.add.reduceat(steps[name].to_numpy(), begins) / sizes
        for name in ("loss", "gradient_norm")
    }
    trunk, head = _rates(steps["rates"].to_list(), entry)
    return [
        {
            "step": int(end),
            "steps": count,
            **{name: float(values[i]) for name, values in means.items()},
            "learning_rate": trunk[end - 1],
            "head_rate": head[end - 1],
            "validation": scores.get(int(end)),
            "kept": trace["kept"],
        }
        for i, end in enumerate(lasts)
    ]


def _steps(folder: Path) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(folder / CURVE)


def _lasts(count: int, evaluated: Iterable[int]) -> np.ndarray:
    """The last steps of the rows of a training of so many steps."""
    even = np.round(np.linspace(0, count, min(count, POINTS) + 1)).astype(int)
    return np.unique([*even[1:], *(step for step in evaluated if 0 < step <= count)])


def _rates(rates: Sequence[Sequence[float]], entry: Entry) -> tuple[Sequence, Sequence]:
    """The rates of trunk and head at each step; None where there is no such part, or it is
    frozen."""
    none, parts = [None] * len(rates), [*zip(*rates, strict=True)]
    frozen = entry.manifest["spec"]["fields"]["model"]["adaptation"] == "head"
    trunk = none if frozen and len(parts) > 1 else parts[0]
    return trunk, parts[1] if len(parts) > 1 else none


def curves_of(
    store: Store, task: str, method: str, seed: int, used: Iterable[Used]
) -> Iterator[dict[str, Any]]:
    """The rows of the file for what one role, or one student, has used.

    Args:
        store: that has the stages.
        task: its name.
        method: of a student; of a ceiling the step by which it read texts first; or empty.
        seed: of the cell.
        used: the stages.
    """
    for fit, entry in enumerate(trainings_in(store, used)):
        cell = {"task": task, "role": role_of(entry), "method": method, "seed": seed, "fit": fit}
        yield from (cell | row for row in curve_rows(entry))


def role_of(entry: Entry) -> str:
    """Whose finetuning it is: "supervisor", "student" or "ceiling"."""
    return entry.manifest["spec"]["fields"]["role"].partition(" ")[0]


def losses_of(store: Store, used: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """The first and the last loss of the last finetuning of a step, means over a tenth of it each.

    Args:
        store: that has the stages.
        used: the stages of the step, each with ``stage`` and ``key``, as a log tells them.

    Returns:
        None where nothing was finetuned, or the store does not have it any more.
    """
    named = [Used(one["stage"], one["key"], True, 0.0) for one in used if "key" in one]
    trainings = trainings_in(store, named)
    return ends(_steps(trainings[-1].path)["loss"].to_list(), 1.0) if trainings else None


def curves_table(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """The table of the file."""
    import polars as pl

    kinds = {"text": pl.String, "whole": pl.Int32, "number": pl.Float32}
    names = ["task", "role", "method", "seed", "fit", "step", "steps", "loss", "gradient_norm"]
    names += ["learning_rate", "head_rate", "validation", "kept"]
    return pl.DataFrame(rows, schema={name: kinds[HAVE[name]] for name in names})


def read_curves(files: FolderFiles) -> pl.DataFrame | None:
    """A run's ``training.parquet``; None for a run that was made before there was one.

    Raises:
        UserError: where the file is damaged.
    """
    return files.table(FILE, HAVE)
