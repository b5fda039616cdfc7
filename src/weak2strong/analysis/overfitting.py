"""PGR of students at three points of their training: best, stopped and last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.recovered import Recovered, recovered
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.overfitting import CURVES, POINTS
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric

if TYPE_CHECKING:
    import polars as pl

CHOSEN = {
    "best": "on ground truth of the test, an oracle",
    "stopped": "on weak labels of validation",
    "last": "at the end",
}
"""The points, and what they are chosen by."""


@dataclass(frozen=True)
class Reached:
    """What the students of one task and method had reached at one point.

    Attributes:
        task: name.
        method: reference.
        point: of `CHOSEN`.
        fraction: share of training done, the mean over seeds.
        agreement_wrong: share of wrong weak labels of the test that it gives too, likewise;
            None where no label is wrong.
        recovered: floor, student, ceiling and PGR.
    """

    task: str
    method: str
    point: str
    fraction: float
    agreement_wrong: float | None
    recovered: Recovered


def read_overfitting(folder: Path) -> tuple[StudyConfig, pl.DataFrame, pl.DataFrame]:
    """The study, the curves and the points that `run_overfitting` wrote.

    Raises:
        UserError: where the folder holds none.
    """
    import polars as pl

    try:
        config = StudyConfig.from_yaml((folder / "study.yaml").read_text())
        curves, points = (pl.read_parquet(folder / file) for file in (CURVES, POINTS))
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(
            f"{folder} holds no curves: make them with `w2s overfitting --out {folder}`."
        ) from e
    return config, curves, points


def reached(config: StudyConfig, curves: pl.DataFrame, points: pl.DataFrame) -> list[Reached]:
    """One line a task, method and point, in the order of the study."""
    found = []
    for task in points["task"].unique(maintain_order=True):
        rows = points.filter(task=task)
        one = rows.filter(role="floor", seed=0)
        labels, groups = one["label"].to_numpy(), one["group"].to_numpy()
        score = metric(one["kind"][0], config.metric)
        floor, ceiling = (_answers(rows.filter(role=r), config) for r in ("floor", "ceiling"))
        for method in config.methods:
            for point in CHOSEN:
                at = curves.filter(task=task, method=method).filter(point)
                students = _answers(rows.filter(method=method, point=point), config)
                wrong = at["agreement_wrong"].mean()
                found.append(
                    Reached(
                        task,
                        method,
                        point,
                        float(at["fraction"].to_numpy().mean()),
                        None if wrong is None else float(wrong),  # pyright: ignore
                        recovered(floor, students, ceiling, labels, groups, score),
                    )
                )
    return found


def _answers(rows: pl.DataFrame, config: StudyConfig) -> np.ndarray:
    """Probabilities (seeds, n, classes) of one role; examples stand in one order throughout."""
    return np.stack(
        [np.array(rows.filter(seed=s)["probabilities"].to_list()) for s in range(config.seeds)]
    )
