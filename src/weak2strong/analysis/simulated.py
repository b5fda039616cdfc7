"""Students of supervisors that are equally accurate and err in different places, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.summary import Answers, Line
from weak2strong.errors import UserError
from weak2strong.study.config import StudyConfig

if TYPE_CHECKING:
    import polars as pl

FILE = "simulated.parquet"
"""Beside the runs of all supervisors."""

REAL = "real"
"""What rows call the supervisor that is not simulated."""


def supervised_rows(
    config: StudyConfig, predictions: pl.DataFrame, lines: Sequence[Line]
) -> Iterator[dict[str, Any]]:
    """A row a task and method of the run of one supervisor.

    ``floor`` is the score of its labels on the test; agreement is the share of test examples that
    the student answers as the supervisor does: of all, and of those where that is right or wrong
    (null where there are none), the mean over seeds.
    """
    for line in lines:
        r = line.recovered
        answers = Answers(predictions.filter(task=line.task), config.seeds)
        student, supervisor = answers.of("student", line.method), answers.of("floor")
        yield {
            "supervisor": config.simulated or REAL,
            "task": line.task,
            "weak": config.weak.name,
            "strong": line.strong,
            "method": line.method,
            "metric": line.metric,
            "floor": r.floor,
            "student": r.student,
            "ceiling": r.ceiling,
            **r.pgr,
            **agreements(student, supervisor, answers.labels),
            "seeds": r.seeds,
            "examples": r.examples,
        }


def agreements(
    student: np.ndarray, supervisor: np.ndarray, labels: np.ndarray
) -> dict[str, float | None]:
    """How often both say the same, the mean over seeds.

    Args:
        student: probabilities (seeds, n, classes).
        supervisor: likewise.
        labels: ground truth (n,).
    """
    said, answered = supervisor.argmax(axis=2), student.argmax(axis=2)
    right = said == labels
    among = {"all": np.ones_like(right), "right": right, "wrong": ~right}
    found = {}
    for name, chosen in among.items():
        shares = [
            float((a == s)[c].mean())
            for a, s, c in zip(answered, said, chosen, strict=True)
            if c.any()
        ]
        found[f"agreement_{name}"] = float(np.mean(shares)) if shares else None
    return found


def read_simulated(folder: Path) -> pl.DataFrame:
    """The rows that `w2s simulate` wrote.

    Raises:
        UserError: where the folder holds none.
    """
    import polars as pl

    try:
        return pl.read_parquet(folder / FILE)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(
            f"{folder} holds no simulated supervisors: make some with "
            f"`w2s simulate --out {folder}`."
        ) from e
