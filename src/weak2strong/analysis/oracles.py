"""Which methods of a run see ground truth, as the run tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.methods.reference import is_oracle

if TYPE_CHECKING:
    import polars as pl


def oracles(predictions: pl.DataFrame) -> frozenset[str]:
    """The methods of a run that see ground truth.

    Args:
        predictions: the predictions of the run (see `weak2strong.engine.record`). Those of an older
            run do not say which methods see ground truth; then the names of the methods decide.
    """
    students = predictions.filter(role="student")
    if "oracle" in students.columns:
        return frozenset(students.filter(oracle=True)["method"].unique())
    return frozenset(filter(is_oracle, students["method"].unique()))
