"""A sweep of probes over many tasks: probes minus weak labels, and which layers are better.

EleutherAI 2024 looks at the difference of ROC AUC between probes and weak labels by layer and k,
and finds that middle layers are better. Here a layer's rank on a task is that of its mean score
over all settings, 1 for the best; the mean of its ranks has a t interval over tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.paired import effect
from weak2strong.analysis.swept import Swept
from weak2strong.ground.metrics import less_is_better, metric_title
from weak2strong.ground.table import Row, Table, estimate, estimate_text, words


def swept_over_tasks(grids: Sequence[Swept]) -> list[dict[str, Any]]:
    """A row for each probe, layer and setting, and one for each layer over all settings.

    ``setting`` is None in rows over all settings, which alone have a ``rank``. ``difference`` is
    the probe's score minus that of the weak labels on the same test (the other way round where
    less is better), a mean over tasks. Ends are those of t intervals over tasks.

    Args:
        grids: of all tasks on one metric; nothing comes of fewer than two tasks.
    """
    rows = []
    for probe in dict.fromkeys(grid.probe for grid in grids):
        of_probe = [grid for grid in grids if grid.probe == probe]
        if len(of_probe) < 2:
            continue
        by_task = [_above(grid) for grid in of_probe]
        ranks = np.array([_ranks(above.mean(axis=1)) for above in by_task])
        layers = of_probe[0].layers
        for i, layer in enumerate(layers):
            about = {"probe": probe, "layer": layer, "tasks": len(of_probe)}
            for setting in sorted({s for grid in of_probe for s in grid.settings}):
                found = [
                    float(above[i, grid.settings.index(setting)])
                    for grid, above in zip(of_probe, by_task, strict=True)
                    if setting in grid.settings
                ]
                of = {"setting": float(setting), "tasks": len(found)}
                rows.append(about | of | _mean("difference", found) | _mean("rank", []))
            every = _mean("difference", [float(above[i].mean()) for above in by_task])
            rank = _mean("rank", ranks[:, i].tolist(), 1, len(layers))
            rows.append(about | {"setting": None} | every | rank)
    return rows


def _above(grid: Swept) -> np.ndarray:
    """How far each probe of a grid is above the weak labels, ``(layers, settings)``."""
    return (grid.floor - grid.score) if less_is_better(grid.metric) else (grid.score - grid.floor)


def _ranks(values: np.ndarray) -> np.ndarray:
    """1 for the largest value; equal ones share their mean rank."""
    from scipy.stats import rankdata

    return rankdata(-np.round(values, 12))


def _mean(
    name: str, values: Sequence[float], low: float = -np.inf, high: float = np.inf
) -> dict[str, float | None]:
    """A mean over tasks and the ends of its t interval, as far as there are any."""
    names = (name, f"{name}_low", f"{name}_high")
    if not values:
        return dict.fromkeys(names)
    found = effect(values)
    ends = (None if np.isnan(x) else float(np.clip(x, low, high)) for x in (found.low, found.high))
    return dict(zip(names, (found.mean, *ends), strict=True))


def said_of_layers(rows: Sequence[Row]) -> list[str]:
    """A sentence for each probe: the layer with the best mean rank, beside the last layer."""
    sentences = []
    for probe in dict.fromkeys(row["probe"] for row in rows):
        whole = [row for row in rows if row["probe"] == probe and row["setting"] is None]
        best, last = min(whole, key=lambda row: row["rank"]), whole[-1]
        text = (
            f"{probe}: of {len(whole)} layers, layer {best['layer']} has the best mean rank over "
            f"{best['tasks']} tasks (95% t interval), {_rank(best)}"
        )
        if best is not last:
            text += f"; the last, layer {last['layer']}, has {_rank(last)}"
        sentences.append(f"{text}.")
    return sentences


def _rank(row: Row) -> str:
    return estimate_text(row, "rank", 1)


def over_tasks_table(rows: Sequence[Row], metric: str) -> Table:
    """A row for each probe and layer: its difference from weak labels, and its rank over tasks."""
    title = (
        f"Probes minus weak labels: {metric_title(metric)} on test, means over "
        f"{max(row['tasks'] for row in rows)} tasks and all settings"
    )
    columns = [
        words("probe"),
        words("layer", align="right"),
        estimate("difference", "difference [95%]", sign=True),
        estimate("rank", "mean rank [95%]", digits=1),
    ]
    whole = [row for row in rows if row["setting"] is None]
    notes = ["Rank 1 is the best layer of a task. Intervals are t intervals over tasks."]
    return Table("over_tasks", title, columns, whole, notes + said_of_layers(rows))
