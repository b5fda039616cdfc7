"""Sweeps over many tasks: differences from weak labels and ranks of layers, against SciPy."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from weak2strong.analysis.swept import Swept
from weak2strong.analysis.swept_over_tasks import (
    over_tasks_table,
    said_of_layers,
    swept_over_tasks,
)
from weak2strong.report.figures.style import styled
from weak2strong.report.figures.sweep_over_tasks import SWEEP_OVER_TASKS

LAYERS, SETTINGS = (0, 2, 4), (5, 50)


def swept(task: int, settings=SETTINGS, metric: str = "roc_auc") -> Swept:
    """A sweep in which the middle layer is best, by more than tasks differ."""
    rng = np.random.default_rng(task)
    grid = np.array([[0.6], [0.8], [0.7]]) + 0.02 * rng.random((3, len(settings)))
    truth = np.ones_like(grid)
    floor = 0.65 + 0.01 * task
    return Swept(f"t{task}", "knn", metric, LAYERS, settings, 1, grid, grid, truth, floor, None)


GRIDS = [swept(0), swept(1), swept(2), swept(3, settings=(5,))]
"""The last task has too few examples for 50 neighbours."""


def interval(values) -> tuple[float, float]:
    """The t interval of a mean, by SciPy."""
    return stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))


def test_differences_are_means_over_the_tasks_that_have_a_setting():
    rows = swept_over_tasks(GRIDS)
    assert len(rows) == 3 * (2 + 1)
    for row in rows:
        i = LAYERS.index(row["layer"])
        if row["setting"] is None:
            by_task = [grid.score[i].mean() - grid.floor for grid in GRIDS]
        else:
            j = SETTINGS.index(row["setting"])
            by_task = [g.score[i, j] - g.floor for g in GRIDS if row["setting"] in g.settings]
        assert row["tasks"] == len(by_task)
        assert row["difference"] == pytest.approx(np.mean(by_task))
        ends = (row["difference_low"], row["difference_high"])
        assert ends == pytest.approx(interval(by_task))


def test_a_layers_rank_is_its_mean_over_tasks_with_an_interval():
    # On one task the last layer is the best one, and the middle one the second.
    grid = swept(4)
    turned = Swept(**{**vars(grid), "score": grid.score[[0, 2, 1]]})
    rows = {r["layer"]: r for r in swept_over_tasks([*GRIDS, turned]) if r["setting"] is None}
    expected = {0: [3] * 5, 2: [1, 1, 1, 1, 2], 4: [2, 2, 2, 2, 1]}
    for layer, ranks in expected.items():
        assert rows[layer]["rank"] == pytest.approx(np.mean(ranks))
    low, high = interval(expected[2])
    assert rows[2]["rank_low"] == pytest.approx(max(low, 1))
    assert rows[2]["rank_high"] == pytest.approx(high)
    (said,) = said_of_layers(list(rows.values()))
    assert said.startswith("knn: of 3 layers, layer 2 has the best mean rank over 5 tasks")
    assert f"1.2 [1.0, {high:.1f}]; the last, layer 4, has 1.8 [" in said


def test_where_less_is_better_the_least_score_is_the_best_layer():
    rows = swept_over_tasks([swept(i, metric="brier") for i in range(3)])
    whole = {row["layer"]: row for row in rows if row["setting"] is None}
    assert min(whole, key=lambda layer: whole[layer]["rank"]) == 0
    assert whole[0]["difference"] > whole[2]["difference"]


def test_one_task_has_no_summary():
    assert swept_over_tasks(GRIDS[:1]) == []


def test_the_figure_has_a_line_a_setting_and_ranks_with_the_best_on_top():
    rows = swept_over_tasks(GRIDS)
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(metric=pl.lit("roc_auc"))
    with styled():
        figure = SWEEP_OVER_TASKS.draw(frame, {})
    lines, ranks = figure.axes
    assert len([line for line in lines.lines if len(line.get_xdata()) == 3]) == 3
    assert list(ranks.lines[0].get_ydata()) == [3, 1, 2]
    bottom, top = ranks.get_ylim()
    assert bottom > top
    words = SWEEP_OVER_TASKS.describe(frame)
    assert "layer 2 has the best mean rank over 4 tasks" in words.title
    assert over_tasks_table(rows, "roc_auc").notes[-1].removesuffix(".") == words.title
