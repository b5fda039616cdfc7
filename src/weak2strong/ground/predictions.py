"""Answers of a model for examples, by id: the form in which stages hand them on.

Weak labels are predictions too. Rows are joined by id, never by position. An answer is
a row of probabilities, or for the kinds in `WRITTEN` a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.ids import check_ids, positions

if TYPE_CHECKING:
    import polars as pl


WRITTEN = frozenset({"generation"})
"""Kinds of task whose answers are texts; those of the others are probabilities."""


def texts(answers: Iterable[str]) -> np.ndarray:
    """Texts as `Predictions` holds them: an array of str objects, (n,)."""
    return np.array(list(answers), dtype=object)


@dataclass(frozen=True)
class Predictions:
    """Answers of a model for examples.

    Attributes:
        ids: of the examples, unique.
        values: float64 of shape (number of ids, classes), rows sum to one; of the kinds
            in `WRITTEN` an array of str objects, (number of ids,).
        kind: of the task.
    """

    ids: tuple[str, ...]
    values: np.ndarray
    kind: str = "classification"

    def __post_init__(self) -> None:
        check_ids(self.ids, self.values)

    @property
    def probabilities(self) -> np.ndarray:
        """The values where they are probabilities, (number of ids, classes).

        Raises:
            UserError: where the answers are texts.
        """
        if self.kind in WRITTEN:
            raise UserError(
                f"Answers of a {self.kind} task are texts without probabilities: "
                "what asks for these cannot be used on such a task."
            )
        return self.values

    def at(self, ids: Sequence[str]) -> np.ndarray:
        """Values for these ids, in their order.

        Raises:
            UserError: where an id has no prediction.
        """
        return self.values[positions(self.ids, ids, "prediction")]

    def only(self, ids: Sequence[str]) -> Predictions:
        """The predictions for these ids, in their order.

        Raises:
            UserError: where an id has no prediction.
        """
        return Predictions(tuple(ids), self.at(ids), self.kind)


def joined(*parts: Predictions) -> Predictions:
    """Predictions of one kind for different examples as one."""
    return Predictions(
        tuple(id for p in parts for id in p.ids),
        np.concatenate([p.values for p in parts]),
        parts[0].kind,
    )


def save_predictions(path: Path, splits: dict[str, Predictions]) -> None:
    """Write predictions of several splits as one parquet file: split, kind, id, and the answers.

    These are in the column ``probabilities`` or ``answer``.
    """
    import polars as pl

    frames = [
        pl.DataFrame(
            {"split": [split] * len(p.ids), "kind": [p.kind] * len(p.ids), "id": p.ids},
            schema={"split": pl.String, "kind": pl.String, "id": pl.String},
        ).with_columns(column(p.values, p.kind))
        for split, p in splits.items()
    ]
    pl.concat(frames).write_parquet(path)


def column(values: np.ndarray, kind: str) -> pl.Series:
    """Answers as a column: ``probabilities``, or ``answer`` for texts."""
    import polars as pl

    if kind in WRITTEN:
        return pl.Series("answer", values.tolist(), dtype=pl.String)
    # Row by row, Polars would make a series of each.
    return pl.Series("probabilities", values.astype(np.float64)).cast(pl.List(pl.Float64))


def values_in(frame: pl.DataFrame, kind: str) -> np.ndarray:
    """The answers of a frame with such a column, as `Predictions` holds them."""
    if kind in WRITTEN:
        return texts(frame["answer"])
    rows = frame["probabilities"]
    if rows.list.len().n_unique() > 1:
        raise ValueError("Rows of probabilities differ in their number of classes.")
    return rows.explode().to_numpy().astype(np.float64).reshape(len(rows), -1)


def load_predictions(path: Path) -> dict[str, Predictions]:
    """Read what `save_predictions` wrote, by split."""
    import polars as pl

    frame = pl.read_parquet(path)
    splits = {}
    for (split,), rows in frame.group_by("split", maintain_order=True):
        kind = rows["kind"][0]
        splits[str(split)] = Predictions(tuple(rows["id"]), values_in(rows, kind), kind)
    return splits
