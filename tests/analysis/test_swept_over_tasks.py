"""Sweeps over many tasks: differences from weak labels and ranks of layers, against SciPy."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from weak2strong.analysis.swept import Swept
from weak2strong.analysis.swept_over_tasks import (
    FEWEST,
    over_tasks_table,
    rank_interval,
    said_of_layers,
    swept_over_tasks,
)
from weak2strong.report.figures.drawing import spread
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


def framed(rows) -> pl.DataFrame:
    """The data of the figure."""
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(metric=pl.lit("roc_auc"))


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
    spread = np.std([*expected[2], 1, 3], ddof=1) / np.sqrt(7)
    low, high = stats.t.interval(0.95, 4, 1.2, spread)
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


def test_few_tasks_say_that_their_ranks_have_no_interval():
    rows = swept_over_tasks(GRIDS[:2])
    assert {row["rank_low"] for row in rows} == {row["rank_high"] for row in rows} == {None}
    table = over_tasks_table(rows, "roc_auc")
    assert f"Mean ranks have an interval from {FEWEST} tasks on: 2 tasks say" in table.notes[0]
    (said,) = said_of_layers(rows)
    assert said.endswith("over 2 tasks, 1.0; the last, layer 4, has 2.0.")
    with styled():
        figure = SWEEP_OVER_TASKS.draw(framed(rows), {})
    assert not figure.axes[1].collections[0].get_segments()


@pytest.mark.parametrize("clear", [0, 1, 4])
def test_intervals_of_mean_ranks_hold_what_further_tasks_give(clear):
    """Also where all of the tasks at hand rank the layers alike, which t intervals do not."""
    rng, layers, tasks = np.random.default_rng(0), 4, 5

    def ranks(n):
        scores = clear * np.arange(layers) + rng.normal(size=(n, layers))
        return (-scores).argsort(axis=1).argsort(axis=1) + 1

    truth, held, by_t = ranks(20_000).mean(axis=0)[0], 0, 0
    for _ in range(300):
        of_first = ranks(tasks)[:, 0]
        low, high = rank_interval(of_first, layers)
        assert 1 <= low <= of_first.mean() <= high <= layers
        held += low <= truth <= high
        low, high = interval(of_first) if np.ptp(of_first) else of_first[:2]
        by_t += low <= truth <= high
    assert held >= 0.94 * 300
    assert clear < 4 or by_t < 0.5 * 300


def test_one_task_has_no_summary():
    assert swept_over_tasks(GRIDS[:1]) == []


def test_the_figure_has_a_line_a_setting_and_ranks_with_the_best_on_top():
    rows = swept_over_tasks(GRIDS)
    frame = framed(rows)
    with styled():
        figure = SWEEP_OVER_TASKS.draw(frame, {})
    lines, ranks = figure.axes
    assert len([line for line in lines.lines if len(line.get_xdata()) == 3]) == 3
    assert list(ranks.lines[0].get_ydata()) == [3, 1, 2]
    bottom, top = ranks.get_ylim()
    assert bottom > top
    # Lines take most of the height, also where two tasks give a wide interval.
    with styled():
        (two, _) = SWEEP_OVER_TASKS.draw(framed(swept_over_tasks(GRIDS[:2])), {}).axes
    ends = [y for line in two.lines for y in line.get_ydata()]
    assert np.ptp(ends) > 0.7 * np.ptp(two.get_ylim())
    words = SWEEP_OVER_TASKS.describe(frame)
    assert "layer 2 has the best mean rank over 4 tasks" in words.title
    assert over_tasks_table(rows, "roc_auc").notes[-1].removesuffix(".") == words.title


@pytest.mark.parametrize("settings", [(5, 10, 20, 50, 100, 200), range(5, 45)])
def test_names_of_lines_that_end_together_do_not_overlap(settings):
    """Six lines each have a name, and of many the first and the last."""
    rows = swept_over_tasks([swept(i, tuple(settings)) for i in range(4)])
    with styled():
        figure = SWEEP_OVER_TASKS.draw(framed(rows), {})
        figure.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in figure.axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == (6 if len(settings) == 6 else 2)
    assert all(above.y0 >= below.y1 for below, above in pairwise(boxes))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8), st.floats(0.01, 1))
def test_values_are_spread_in_their_order_and_no_farther_than_they_must(values, least):
    placed = spread(values, least)
    order = sorted(range(len(values)), key=lambda i: values[i])
    gaps = np.diff([placed[i] for i in order])
    assert (gaps >= least - 1e-9).all()
    assert np.mean(placed) == pytest.approx(np.mean(values), abs=1e-9)
    if (np.diff(sorted(values)) > least).all():
        assert placed == pytest.approx(values)
