"""What every role of a run said of one task's test set, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.summary import Answers
from weak2strong.errors import UserError
from weak2strong.study.config import StudyConfig

if TYPE_CHECKING:
    import polars as pl

REPLICATES = 1000
"""Of the bootstrap beneath every interval."""

PROBABILISTIC = ("classification", "preference")
"""Kinds of task whose answers are probabilities, which the analyses need."""


@dataclass(frozen=True)
class Tested:
    """One test set of n examples, and the answers of S seeds, as probabilities of k classes.

    Attributes:
        labels: ground truth, ``(n,)``.
        groups: group ids, ``(n,)``.
        floor: of the supervisors, ``(S, n, k)``.
        ceiling: of the ceiling models, likewise.
        students: of the students of each method, likewise.
        probe: of the probe with ground truth, ``(n, k)``: one for all seeds; None without one.
        difficulty: of each example, more for harder, ``(n,)``; None where that is not known.
        weights: how often each example counts in each bootstrap replicate, ``(b, n)``, drawn
            by group.
    """

    labels: np.ndarray
    groups: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    students: Mapping[str, np.ndarray]
    probe: np.ndarray | None
    difficulty: np.ndarray | None
    weights: np.ndarray

    @property
    def group_count(self) -> int:
        """How many groups the examples form."""
        return len(np.unique(self.groups))


def read_tested(config: StudyConfig, predictions: pl.DataFrame, task: str) -> Tested:
    """The test set of one task of a run.

    Args:
        config: the study.
        predictions: of its run (see `weak2strong.study.record`).
        task: name.

    Raises:
        UserError: where the task's answers are no probabilities, or its test examples are
            all of one group.
    """
    rows = predictions.filter(task=task)
    kind = rows["kind"][0]
    if kind not in PROBABILISTIC:
        raise UserError(
            f"{task} is a {kind} task: its answers are texts, and the analyses need probabilities."
        )
    answers = Answers(rows, config.seeds)
    if len(np.unique(answers.groups)) < 2:
        raise UserError(f"{task}: all test examples are of one group, so nothing has an interval.")
    return Tested(
        labels=answers.labels,
        groups=answers.groups,
        floor=answers.of("floor"),
        ceiling=answers.of("ceiling"),
        students={method: answers.of("student", method) for method in config.methods},
        probe=None if rows.filter(role="probe").is_empty() else answers.one("probe", "", -1),
        difficulty=_difficulty(rows),
        weights=group_weights(answers.groups, REPLICATES, np.random.default_rng([0, 0])).astype(
            float
        ),
    )


def _difficulty(rows: pl.DataFrame) -> np.ndarray | None:
    """Of the examples in the order of their ids; None where some have none."""
    if "difficulty" not in rows.columns:
        return None
    one = rows.filter(role="floor", seed=0).sort("id")["difficulty"]
    return None if one.null_count() else one.to_numpy()
