"""Every weaker model of a ladder with every stronger one, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weak2strong.analysis.summary import Line


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
