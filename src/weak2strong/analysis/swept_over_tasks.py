"""A sweep of probes over many tasks: probes minus weak labels, and which layers are better.

EleutherAI 2024 looks at the difference of ROC AUC between probes and weak labels by layer and k,
and finds that middle layers are better. Here a layer's rank on a task is that of its mean score
over all settings, 1 for the best; its mean over tasks has an interval from `FEWEST` tasks on.

Ranks are few whole numbers, which all tasks at hand may share: their t interval would then have no
width, though a further task may rank otherwise. So the spread of the ranks is that with the best
and the worst rank as two more tasks, as intervals of a share add a success and a failure (Agresti
and Coull 1998, The American Statistician 52, 119-126).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from weak2strong.analysis.paired import effect
from weak2strong.analysis.swept import Swept
from weak2strong.ground.metrics import less_is_better, metric_title
from weak2strong.ground.table import Row, Table, estimate, estimate_text, words

FEWEST = 4
"""Over so many tasks a mean rank has an interval; of fewer it would hold every rank."""


def swept_over_tasks(grids: Sequence[Swept]) -> list[dict[str, Any]]:
    """A row for each probe, layer and setting, and one for each layer over all settings.

    ``setting`` is None in rows over all settings, which alone have a ``rank``. ``difference`` is
    the probe's score minus that of the weak labels on the same test (the other way round where
    less is better), a mean over tasks with a t interval. Ends of a rank are None of fewer than
    `FEWEST` tasks.

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
                no_rank = dict.fromkeys(("rank", "rank_low", "rank_high"))
                rows.append(about | of | _difference(found) | no_rank)
            every = _difference([float(above[i].mean()) for above in by_task])
            low, high = rank_interval(ranks[:, i], len(layers)) or (None, None)
            rank = {"rank": float(ranks[:, i].mean()), "rank_low": low, "rank_high": high}
            rows.append(about | {"setting": None} | every | rank)
    return rows


def _above(grid: Swept) -> np.ndarray:
    """How far each probe of a grid is above the weak labels, ``(layers, settings)``."""
    return (grid.floor - grid.score) if less_is_better(grid.metric) else (grid.score - grid.floor)


def _ranks(values: np.ndarray) -> np.ndarray:
    """1 for the largest value; equal ones share their mean rank."""
    from scipy.stats import rankdata

    return rankdata(-np.round(values, 12))


def _difference(values: Sequence[float]) -> dict[str, float | None]:
    """A mean over tasks and the ends of its t interval, which one task has none of."""
    found = effect(values)
    low, high = (None if math.isnan(end) else end for end in (found.low, found.high))
    return {"difference": found.mean, "difference_low": low, "difference_high": high}


def rank_interval(
    ranks: Sequence[float] | np.ndarray, worst: int, level: float = 0.95
) -> tuple[float, float] | None:
    """The ends of an interval of a mean rank over n tasks, ``mean +- t(n - 1) sd / sqrt(n + 2)``.

    The standard deviation is that of n + 2 ranks, the best and the worst one being added, so that
    ranks which are all the same have an interval, too. None of fewer than `FEWEST` tasks.

    Args:
        ranks: of one layer, ``(n,)``, from 1 to ``worst``.
        worst: the worst rank, which is the number of layers.
        level: of the interval.
    """
    from scipy.stats import t

    ranks, n = np.asarray(ranks, dtype=float), len(ranks)
    if n < FEWEST:
        return None
    spread = float(np.std([*ranks, 1, worst], ddof=1)) / math.sqrt(n + 2)
    half = float(t.ppf((1 + level) / 2, n - 1)) * spread
    return max(1.0, ranks.mean() - half), min(float(worst), ranks.mean() + half)


def said_of_layers(rows: Sequence[Row]) -> list[str]:
    """A sentence for each probe: the layer with the best mean rank, beside the last layer."""
    sentences = []
    for probe in dict.fromkeys(row["probe"] for row in rows):
        whole = [row for row in rows if row["probe"] == probe and row["setting"] is None]
        best, last = min(whole, key=lambda row: row["rank"]), whole[-1]
        known = " (95% interval)" if best["rank_low"] is not None else ""
        text = (
            f"{probe}: of {len(whole)} layers, layer {best['layer']} has the best mean rank over "
            f"{best['tasks']} tasks{known}, {_rank(best)}"
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
    notes = [f"Rank 1 is the best layer of a task. {said_of_intervals(rows)}"]
    return Table("over_tasks", title, columns, whole, notes + said_of_layers(rows))


def said_of_intervals(rows: Sequence[Row]) -> str:
    """What the intervals are, or that so few tasks give ranks none."""
    tasks = max(row["tasks"] for row in rows)
    if tasks < FEWEST:
        return (
            "The intervals of differences are t intervals over tasks. Mean ranks have an interval "
            f"from {FEWEST} tasks on: {tasks} tasks say too little of how other tasks would rank "
            "the layers."
        )
    return (
        "Intervals are over tasks: t intervals of differences, and of ranks with the best and the "
        "worst rank as two more tasks, since tasks that all rank a layer alike may do so by chance."
    )
