"""Students of supervisors that are equally accurate and err in different places, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.analyses.agreement import agreement_rows
from weak2strong.analysis.summary import Line
from weak2strong.analysis.tested import Tested, read_tested
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError

if TYPE_CHECKING:
    import polars as pl

FILE = "simulated.parquet"
"""Beside the runs of all supervisors."""

REAL = "real"
"""What rows call the supervisor that is not simulated."""


def supervised_rows(
    config: StudyConfig, predictions: pl.DataFrame, lines: Sequence[Line]
) -> Iterator[dict[str, Any]]:
    """A row a task and method of the run of one supervisor.

    ``floor`` is the score of its labels on the test; agreement, with intervals, is that of
    `weak2strong.analysis.analyses.agreement`.
    """
    tested = dict[str, Tested]()
    for line in lines:
        r = line.recovered
        if line.task not in tested:
            tested[line.task] = read_tested(config, predictions, line.task)
        yield {
            "supervisor": config.simulated or REAL,
            "task": line.task,
            "weak": config.weak.name,
            "strong": line.strong,
            "method": line.method,
            "metric": line.metric,
            "floor": r.floor,
            "student": r.student,
            "ceiling": r.ceiling,
            **r.pgr,
            **_agreement(tested[line.task], line.method),
            "seeds": r.seeds,
            "examples": r.examples,
        }


def read_simulated(folder: Path) -> pl.DataFrame:
    """The rows that `w2s simulate` wrote.

    Raises:
        UserError: where the folder holds none.
    """
    import polars as pl

    try:
        return pl.read_parquet(folder / FILE)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(
            f"{folder} holds no simulated supervisors: make some with "
            f"`w2s simulate --out {folder}`."
        ) from e


def _agreement(tested: Tested, method: str) -> dict[str, float | None]:
    """Agreement with all, right and wrong labels, as columns with their intervals."""
    return {
        f"agreement_{row['weak_label']}{end}": row[f"agreement{end}"]
        for row in agreement_rows(tested, method)
        for end in ("", "_low", "_high")
    }
