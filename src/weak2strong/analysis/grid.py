"""Every weaker model of a ladder with every stronger one, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.analysis.summary import Line
from weak2strong.ground.errors import UserError

if TYPE_CHECKING:
    import polars as pl

FILE = "grid.parquet"
"""Beside the runs of all pairs."""


def grid_rows(lines: Sequence[Line], parameters: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """A row a line of the runs of all pairs: the data of "score and PGR against student size".

    Args:
        lines: of all runs.
        parameters: of each model's trunk, by name.
    """
    for line in lines:
        r = line.recovered
        row: dict[str, Any] = {
            "task": line.task,
            "method": line.method,
            "metric": line.metric,
            "weak": line.weak,
            "weak_parameters": parameters[line.weak],
            "strong": line.strong,
            "strong_parameters": parameters[line.strong],
        }
        for role in ("floor", "student", "ceiling"):
            interval = getattr(r, f"{role}_interval")
            row |= {role: getattr(r, role), f"{role}_low": interval.low}
            row[f"{role}_high"] = interval.high
        yield row | {
            **r.pgr,
            "seeds": r.seeds,
            "examples": r.examples,
        }


def models_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the models of a grid, the smallest first."""
    sizes = {x[role]: x[f"{role}_parameters"] for x in rows for role in ("weak", "strong")}
    return sorted(sizes, key=sizes.__getitem__)


def read_grid(folder: Path) -> pl.DataFrame:
    """The rows that `w2s grid` wrote.

    Raises:
        UserError: where the folder holds none.
    """
    import polars as pl

    try:
        return pl.read_parquet(folder / FILE)
    except (OSError, pl.exceptions.PolarsError) as e:
        raise UserError(f"{folder} holds no grid: make one with `w2s grid --out {folder}`.") from e
