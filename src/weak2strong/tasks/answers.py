"""What an answer says, and whether it is right: read here for every analysis, table and figure.

Probabilities say the most probable class, the first of several equal ones, and are right if that
class is the label. A text says what the metric of the study compares (`ground.written`), and is
right if it says the same as one of the texts that count. Two answers are the same if what
they say is equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.metrics import scorer_of
from weak2strong.ground.predictions import WRITTEN, texts, values_in
from weak2strong.tasks.kinds import labels_from_lists

if TYPE_CHECKING:
    import polars as pl


def comparable(values: np.ndarray, kind: str, metric: str | None = None) -> np.ndarray:
    """Answers in the form in which they are compared.

    Args:
        values: probabilities ``(..., n, classes)``; of the kinds in `WRITTEN` texts ``(..., n)``.
        kind: of the task.
        metric: its name decides how texts are compared; the usual one of the kind if None.

    Returns:
        Class indices, or texts, ``(..., n)``.
    """
    if kind not in WRITTEN:
        return values.argmax(axis=-1)
    return texts(map(scorer_of(kind, metric).said, values.ravel())).reshape(values.shape)


def is_right(
    values: np.ndarray, labels: np.ndarray, kind: str, metric: str | None = None
) -> np.ndarray:
    """Whether answers are right, booleans ``(..., n)``.

    Args:
        values: as for `comparable`.
        labels: ground truth as `weak2strong.tasks.kinds.true_labels` has it, ``(n,)``.
        kind: of the task.
        metric: as for `comparable`.
    """
    answers = comparable(values, kind, metric)
    if kind not in WRITTEN:
        return answers == labels
    rows = answers.reshape(-1, len(labels))
    accepted = list(map(scorer_of(kind, metric).accepted, labels))
    hits = [[text in texts for text, texts in zip(row, accepted, strict=True)] for row in rows]
    return np.array(hits, dtype=bool).reshape(answers.shape)


def by_weak_label(supervisor_right: np.ndarray) -> dict[str, np.ndarray]:
    """Which answers have any weak label beside them, a right one, and a wrong one."""
    return {
        "all": np.ones_like(supervisor_right),
        "right": supervisor_right,
        "wrong": ~supervisor_right,
    }


def with_correctness(predictions: pl.DataFrame, metric: str | None = None) -> pl.DataFrame:
    """Rows of a run's predictions with two more columns: what each ``said``, and if that is right.

    These are read as `comparable` and `is_right` read them, and not by these two functions: tasks
    may have different numbers of classes, and an array has one.
    """
    import polars as pl

    if "probabilities" in predictions.columns:
        first = pl.col("probabilities").list.arg_max().cast(pl.Int64)
        return predictions.with_columns(said=first).with_columns(
            right=pl.col("said") == pl.col("label")
        )
    kind = predictions["kind"][0]
    values = values_in(predictions, kind)
    labels = labels_from_lists(kind, predictions["label"].to_list())
    return predictions.with_columns(
        pl.Series("said", comparable(values, kind, metric).tolist(), dtype=pl.String),
        pl.Series("right", is_right(values, labels, kind, metric)),
    )
