"""What an answer says, and whether it is right: read here for every analysis, table and figure.

Of probabilities it says the most probable class, the first of equals, and is right if that is the
label. A text says what the study's metric compares (`weak2strong.ground.metrics.FORMS`), and is
right if some text that counts says the same. So two answers are the same if what they say is equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.metrics import FORMS, usual_metric
from weak2strong.ground.predictions import WRITTEN, texts, values_in
from weak2strong.tasks.kinds import labels_again

if TYPE_CHECKING:
    import polars as pl


def said(values: np.ndarray, kind: str, on: str | None = None) -> np.ndarray:
    """What answers say.

    Args:
        values: probabilities ``(..., n, classes)``; of the kinds in `WRITTEN` texts ``(..., n)``.
        kind: of the task.
        on: name of the metric, which decides how texts are compared; the usual one if None.

    Returns:
        Class indices, or texts in their form, ``(..., n)``.
    """
    if kind not in WRITTEN:
        return values.argmax(axis=-1)
    return texts(map(_form(kind, on), values.ravel())).reshape(values.shape)


def _form(kind: str, on: str | None) -> Callable[[str], str]:
    return FORMS[on or usual_metric(kind)]


def right(values: np.ndarray, labels: np.ndarray, kind: str, on: str | None = None) -> np.ndarray:
    """Whether answers are right, booleans ``(..., n)``.

    Args:
        values: as for `said`.
        labels: ground truth as `weak2strong.tasks.kinds.true_labels` has it, ``(n,)``.
        kind: of the task.
        on: as for `said`.
    """
    answers = said(values, kind, on)
    if kind not in WRITTEN:
        return answers == labels
    form, rows = _form(kind, on), answers.reshape(-1, len(labels))
    accepted = [set(map(form, label)) for label in labels]
    found = [[text in ok for text, ok in zip(row, accepted, strict=True)] for row in rows]
    return np.array(found, dtype=bool).reshape(answers.shape)


def by_weak_label(supervisor_right: np.ndarray) -> dict[str, np.ndarray]:
    """Which answers have any weak label beside them, a right one, and a wrong one."""
    return {
        "all": np.ones_like(supervisor_right),
        "right": supervisor_right,
        "wrong": ~supervisor_right,
    }


def judged(predictions: pl.DataFrame, on: str | None = None) -> pl.DataFrame:
    """Rows of a run's predictions with two more columns, what each ``said`` and if it is ``right``.

    Tasks may have different numbers of classes, which arrays cannot: so these are read here as
    `said` and `right` read them.
    """
    import polars as pl

    if "probabilities" in predictions.columns:
        first = pl.col("probabilities").list.arg_max().cast(pl.Int64)
        return predictions.with_columns(said=first).with_columns(
            right=pl.col("said") == pl.col("label")
        )
    kind = predictions["kind"][0]
    values = values_in(predictions, kind)
    labels = labels_again(kind, predictions["label"].to_list())
    return predictions.with_columns(
        pl.Series("said", said(values, kind, on).tolist(), dtype=pl.String),
        pl.Series("right", right(values, labels, kind, on)),
    )
