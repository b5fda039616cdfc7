"""Which methods of a run see ground truth, as the run tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weak2strong.methods.reference import is_oracle

if TYPE_CHECKING:
    import polars as pl


def oracles(predictions: pl.DataFrame) -> frozenset[str]:
    """The methods of a run that see ground truth.

    Args:
        predictions: of the run (see `weak2strong.engine.record`); of one that was made before
            they said so, methods are known by their names, as far as these are known.
    """
    students = predictions.filter(role="student")
    if "oracle" in students.columns:
        return frozenset(students.filter(oracle=True)["method"].unique())
    return frozenset(filter(is_oracle, students["method"].unique()))
