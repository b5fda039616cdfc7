"""A sweep of probes as grids, layers by settings, and the two positions that are chosen in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.ground.errors import unknown_name
from weak2strong.ground.metrics import less_is_better

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Swept:
    """One probe on one task; the arrays are ``(layers, settings)`` and means over seeds.

    Attributes:
        task: its name.
        probe: its name.
        metric: of all scores.
        layers: numbers of the rows, rising.
        settings: numbers of neighbours or penalties of the columns, rising.
        seeds: how many there are.
        score: on ``test``, of probes that learned weak labels.
        agreement: the same with the classes of the weak labels on ``validation``.
        truth: on ``test``, of probes that learned ground truth: what the layer holds.
        floor: the supervisor's score on ``test``.
        ceiling: that of the finetuned strong model; None where not every seed's is known.
    """

    task: str
    probe: str
    metric: str
    layers: tuple[int, ...]
    settings: tuple[float, ...]
    seeds: int
    score: np.ndarray
    agreement: np.ndarray
    truth: np.ndarray
    floor: float
    ceiling: float | None

    @property
    def chosen(self) -> tuple[int, int]:
        """Row and column that one would choose without ground truth: of the best agreement."""
        return self._best(self.agreement)

    @property
    def oracle(self) -> tuple[int, int]:
        """Row and column of the best score on ``test``, which nobody can choose fairly."""
        return self._best(self.score)

    def _best(self, grid: np.ndarray) -> tuple[int, int]:
        """The best position; of equals the lowest layer, and there the lowest setting."""
        signed = -grid if less_is_better(self.metric) else grid
        ranked = np.where(np.isnan(signed), -np.inf, signed)
        row, column = np.unravel_index(ranked.argmax(), grid.shape)
        return int(row), int(column)


def summarise_sweep(scores: pl.DataFrame, metric: str) -> list[Swept]:
    """A summary a task and probe, from the table of scores (see `weak2strong.experiments.sweep`).

    Args:
        scores: of all metrics.
        metric: the one that the grids have.

    Raises:
        UserError: for a metric that was not scored.
    """
    known = scores["metric"].unique().to_list()
    if metric not in known:
        raise unknown_name("metric of this sweep", metric, known)
    scores = scores.filter(metric=metric)
    probes = scores.filter(role="probe")
    grids = []
    for (task, probe), rows in probes.group_by("task", "probe", maintain_order=True):
        of_task, weak = scores.filter(task=task, split="test"), rows.filter(learned="weak")
        layers, settings = (tuple(sorted(rows[name].unique())) for name in ("layer", "setting"))
        seeds = weak["seed"].n_unique()
        ceilings = of_task.filter(role="ceiling")["score"].to_list()

        def grid(kept: pl.DataFrame, layers=layers, settings=settings) -> np.ndarray:
            return _grid(kept, layers, settings)

        grids.append(
            Swept(
                str(task),
                str(probe),
                metric,
                layers,
                settings,
                seeds,
                score=grid(weak.filter(split="test", against="truth")),
                agreement=grid(weak.filter(split="validation", against="weak")),
                truth=grid(rows.filter(learned="truth", split="test")),
                floor=float(np.mean(of_task.filter(role="floor")["score"].to_list())),
                ceiling=float(np.mean(ceilings)) if len(ceilings) == seeds else None,
            )
        )
    return grids


def _grid(rows: pl.DataFrame, layers: tuple[int, ...], settings: tuple[float, ...]) -> np.ndarray:
    """Means over seeds, ``(layers, settings)``."""
    values = dict[tuple[int, float], list[float]]()
    for layer, setting, score in rows.select("layer", "setting", "score").iter_rows():
        values.setdefault((layer, setting), []).append(score)
    return np.array([[np.mean(values[layer, s]) for s in settings] for layer in layers])
