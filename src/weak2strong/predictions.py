"""What a model says of examples, by id: the one form in which stages hand on answers.

Weak labels are predictions too. Rows are joined by id, never by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weak2strong.errors import UserError
from weak2strong.ids import check_ids, places


@dataclass(frozen=True)
class Predictions:
    """Answers of a model for examples, of a kind whose answers are probabilities.

    Attributes:
        ids: of the examples, unique.
        probabilities: float64 of shape (number of ids, classes), rows sum to one.
        kind: of the task that was asked.
    """

    ids: tuple[str, ...]
    probabilities: np.ndarray
    kind: str = "classification"

    def __post_init__(self) -> None:
        check_ids(self.ids, self.probabilities)

    def at(self, ids: Sequence[str]) -> np.ndarray:
        """Rows for these ids, in their order, of shape (len(ids), classes).

        Raises:
            UserError: where an id has no prediction.
        """
        return self.probabilities[places(self.ids, ids, "prediction")]


def joined(*parts: Predictions) -> Predictions:
    """Predictions of one kind for different examples as one."""
    return Predictions(
        tuple(id for p in parts for id in p.ids),
        np.concatenate([p.probabilities for p in parts]),
        parts[0].kind,
    )


def save_predictions(path: Path, splits: dict[str, Predictions]) -> None:
    """Write predictions of several splits as one parquet file: split, kind, id, probabilities."""
    import polars as pl

    frames = [
        pl.DataFrame(
            {
                "split": [split] * len(p.ids),
                "kind": [p.kind] * len(p.ids),
                "id": p.ids,
                "probabilities": p.probabilities.tolist(),
            },
            schema={
                "split": pl.String,
                "kind": pl.String,
                "id": pl.String,
                "probabilities": pl.List(pl.Float64),
            },
        )
        for split, p in splits.items()
    ]
    pl.concat(frames).write_parquet(path)


def load_predictions(path: Path) -> dict[str, Predictions]:
    """Read what `save_predictions` wrote, by split."""
    import polars as pl

    frame = pl.read_parquet(path)
    found = {}
    for (split,), rows in frame.group_by("split", maintain_order=True):
        values = np.array(rows["probabilities"].to_list(), dtype=np.float64)
        found[str(split)] = Predictions(tuple(rows["id"]), values, rows["kind"][0])
    return found


def read_weak_labels(path: Path, classes: int) -> Predictions:
    """A user's own weak labels from a ``.csv``, ``.jsonl`` or ``.parquet`` file.

    The file has a column ``id`` and either ``probabilities`` (a list with one
    number a class), or ``probability`` (of class 1, for two classes), or
    ``label`` (a class index).

    Raises:
        UserError: for a file that cannot be read, lacks these columns, repeats
            an id or holds numbers that are no probabilities.
    """
    import polars as pl

    readers = {
        # An id such as 001 is no number.
        ".csv": lambda p: pl.read_csv(p, schema_overrides={"id": pl.String}),
        ".jsonl": pl.read_ndjson,
        ".parquet": pl.read_parquet,
    }
    if path.suffix not in readers:
        raise UserError(f"Weak labels {path}: the file must end in {', '.join(readers)}.")
    try:
        frame = readers[path.suffix](path)
    except (OSError, pl.exceptions.PolarsError) as e:
        reason = str(e).splitlines()[0]
        raise UserError(f"Weak labels {path} cannot be read: {reason}.") from e
    if "id" not in frame.columns:
        raise UserError(f"Weak labels {path}: there is no column 'id'.")
    try:
        values = _probabilities(frame, classes)
    except (pl.exceptions.PolarsError, ValueError, TypeError) as e:
        raise UserError(f"Weak labels {path}: {str(e).splitlines()[0]}.") from e
    if not np.isfinite(values).all() or (values < 0).any() or (values > 1).any():
        raise UserError(f"Weak labels {path}: probabilities must be numbers from 0 to 1.")
    if not np.allclose(values.sum(1), 1, atol=1e-3):
        raise UserError(f"Weak labels {path}: the probabilities of an id must add up to 1.")
    ids = tuple(str(i) for i in frame["id"])
    if len(set(ids)) != len(ids):
        raise UserError(f"Weak labels {path}: an id occurs more than once.")
    return Predictions(ids, values / values.sum(1, keepdims=True))


def _probabilities(frame, classes: int) -> np.ndarray:
    """The rows as probabilities over classes, from whichever column is there."""
    if "probabilities" in frame.columns:
        rows = frame["probabilities"].to_list()
        if not all(isinstance(row, list) and len(row) == classes for row in rows):
            raise ValueError(f"'probabilities' must hold {classes} numbers in every row")
        return np.array(rows, dtype=np.float64)
    if "probability" in frame.columns:
        if classes != 2:
            raise ValueError(f"'probability' is for two classes, the task has {classes}")
        one = frame["probability"].to_numpy().astype(np.float64)
        return np.stack([1 - one, one], axis=1)
    if "label" in frame.columns:
        labels = frame["label"].to_numpy()
        wrong = [x for x in labels.tolist() if x not in range(classes)]
        if wrong:
            raise ValueError(f"label {wrong[0]!r} is no class index from 0 to {classes - 1}")
        return np.eye(classes)[labels.astype(int)]
    raise ValueError("there is no column 'probabilities', 'probability' or 'label'")
