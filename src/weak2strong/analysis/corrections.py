"""Why students correct supervisors: overlap and expansion of several tasks, as two tidy tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.expansion import NUMBERS, expansion_rows
from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.overlap import CHANGES, StudentExamples, overlap_rows
from weak2strong.analysis.tested import REPLICATES
from weak2strong.config.study import StudyConfig
from weak2strong.ground.table import Row
from weak2strong.methods.reference import is_oracle

if TYPE_CHECKING:
    import polars as pl


def overlap_tables(
    config: StudyConfig, tasks: Iterable[StudentExamples], k: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Overlap density and expansion of the tasks of a study.

    Args:
        config: the study.
        tasks: the examples of every task, one after the other.
        k: neighbours of each example.

    Returns:
        Rows of `overlap_rows` and of `expansion_rows`, with models and layer; the first has none of
        a task without regions.
    """
    overlap, expansion = list[dict[str, Any]](), list[dict[str, Any]]()
    stopped = config.strong_training.stopping == "oracle"
    for examples in tasks:
        draws = group_weights(examples.groups, REPLICATES, np.random.default_rng([0, 0]))
        weights = draws.astype(float)
        setting = {
            "task": examples.task,
            "weak": config.weak_name,
            "strong": config.strong.name,
            "layer": examples.layer,
        }
        for row in overlap_rows(examples, weights):
            overlap.append({**setting, **row, "oracle": stopped or is_oracle(row["method"])})
        for row in expansion_rows(examples, k, weights):
            oracle = stopped or is_oracle(row["method"])
            expansion.append({**setting, **row, "oracle": oracle, "k": k})
    shares = ("share", "weak_right", "student_right")
    return (
        _frame(overlap, {"region": str}, shares, CHANGES),
        _frame(expansion, {"k": int, "class": str, "examples": int}, tuple(NUMBERS), ()),
    )


def _frame(
    rows: Sequence[Row],
    keys: Mapping[str, type],
    estimates: Sequence[str],
    numbers: Sequence[str],
) -> pl.DataFrame:
    """The rows as a table whose columns have the same types whatever the rows hold."""
    import polars as pl

    types: dict[str, Any] = {
        "task": str,
        "weak": str,
        "strong": str,
        "layer": int,
        "method": str,
        "oracle": bool,
        "seed": int,
        **keys,
        **{f"{name}{end}": float for name in estimates for end in ("", "_low", "_high")},
        **dict.fromkeys(numbers, float),
    }
    return pl.DataFrame(rows, schema=types)
