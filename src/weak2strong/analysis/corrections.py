"""Why students correct supervisors: overlap and expansion of a run, as two tidy tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from weak2strong.analysis.expansion import NUMBERS, expansion_rows
from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.overlap import CHANGES, overlap_rows
from weak2strong.analysis.tested import REPLICATES
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.overlap import Learned
from weak2strong.methods.reference import is_oracle

if TYPE_CHECKING:
    import polars as pl

TABLES = {
    "overlap": "a row a method, region and seed, and one for the mean over seeds",
    "expansion": "a row a method, class and seed, and one for the mean over seeds",
}


@dataclass(frozen=True)
class Corrections:
    """What the examples that students learned from say of the corrections.

    Attributes:
        overlap: rows of `overlap_rows`, with the setting; empty where no task has regions.
        expansion: rows of `expansion_rows`, likewise.
        left_out: what could not be told and why, one sentence each.
    """

    overlap: pl.DataFrame
    expansion: pl.DataFrame
    left_out: tuple[str, ...]


def corrections(config: StudyConfig, found: Iterable[Learned], k: int) -> Corrections:
    """Both tables for the tasks of a study.

    Args:
        config: the study.
        found: the examples of every task, as `weak2strong.experiments.overlap.read_learned` gives
            them.
        k: neighbours of each example.
    """
    overlap, expansion, left_out = list[dict[str, Any]](), list[dict[str, Any]](), list[str]()
    stopped = config.strong_training.stopping == "oracle"
    for learned in found:
        draws = group_weights(learned.groups, REPLICATES, np.random.default_rng([0, 0]))
        weights = draws.astype(float)
        setting = {
            "task": learned.task,
            "weak": config.weak_name,
            "strong": config.strong.name,
            "layer": learned.layer,
        }

        def told(row: Mapping[str, Any], setting: Mapping[str, Any] = setting) -> dict[str, Any]:
            return {**setting, **row, "oracle": stopped or is_oracle(row["method"])}

        rows = [told(row) for row in overlap_rows(learned, weights)]
        if not rows:
            left_out.append(
                f"{learned.task}: the weak labels are all as confident, or all examples as like "
                "the hard ones, so there is no overlap density."
            )
        overlap += rows
        expansion += [told(row) | {"k": k} for row in expansion_rows(learned, k, weights)]
    return Corrections(
        _frame(overlap, ("region",), ("share", "weak_right", "student_right"), CHANGES),
        _frame(expansion, ("k", "class", "examples"), tuple(NUMBERS), ()),
        tuple(left_out),
    )


def _frame(
    rows: Sequence[Mapping[str, Any]],
    of: Sequence[str],
    numbers: Sequence[str],
    plain: Sequence[str],
) -> pl.DataFrame:
    """The rows as a table whose columns have the same kinds whatever is in them."""
    import polars as pl

    kinds: dict[str, Any] = {
        "task": str,
        "weak": str,
        "strong": str,
        "layer": int,
        "method": str,
        "oracle": bool,
        "seed": int,
        **{name: int if name in ("k", "examples") else str for name in of},
        **{f"{name}{end}": float for name in numbers for end in ("", "_low", "_high")},
        **dict.fromkeys(plain, float),
    }
    return pl.DataFrame(rows, schema=kinds)
