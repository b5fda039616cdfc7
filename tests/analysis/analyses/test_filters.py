"""What filters drop, counted from the rows of a run, and what its figure and sentences say."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from weak2strong.analysis.analyses.filters import filter_rows, said_of
from weak2strong.report.figures.filters import FILTERS
from weak2strong.report.figures.style import method_styles, styled

TASKS = {"one": (10, 90), "two": (30, 70), "three": (20, 80), "four": (5, 95)}
"""How many examples are dropped and kept with the first seed; one more is dropped with the next."""


def wrong(task: str, part: str, seed: int) -> int:
    """How many weak labels of a part are wrong."""
    dropped, kept = TASKS[task]
    return dropped // 2 + seed if part == "left_out" else kept // 10


def agreement() -> pl.DataFrame:
    """The table of a run with a filter, and with a method that drops nothing."""
    rows = []
    for task, (dropped, kept) in TASKS.items():
        for seed in range(2):
            for part, n in (("left_out", dropped + seed), ("strong_train", kept - seed)):
                right = 1 - wrong(task, part, seed) / n
                about = {"task": task, "seed": seed, "split": part, "examples": n}
                rows.append(about | {"method": "filter", "agreement": 1.0, "weak_right": right})
            about = {"task": task, "seed": seed, "split": "strong_train", "examples": 100}
            rows.append(about | {"method": "naive", "agreement": 1.0, "weak_right": 0.8})
    return pl.DataFrame(rows)


def test_shares_are_those_of_all_examples_of_all_seeds():
    rows = list(filter_rows(agreement()))
    assert [(r["task"], r["method"]) for r in rows] == [(task, "filter") for task in TASKS]
    for row, (task, (dropped, kept)) in zip(rows, TASKS.items(), strict=True):
        assert row["dropped"] == pytest.approx(dropped + 0.5)
        assert row["dropped_share"] == pytest.approx((2 * dropped + 1) / 200)
        of_dropped = sum(wrong(task, "left_out", s) for s in (0, 1)) / (2 * dropped + 1)
        of_kept = sum(wrong(task, "strong_train", s) for s in (0, 1)) / (2 * kept - 1)
        assert (row["wrong_dropped"], row["wrong_kept"]) == pytest.approx((of_dropped, of_kept))
        assert row["difference"] == pytest.approx(of_dropped - of_kept)


def test_a_sentence_says_the_mean_difference_over_tasks_with_its_interval():
    rows = list(filter_rows(agreement()))
    every, much = said_of(rows)
    by = np.array([row["difference"] for row in rows])
    low, high = stats.t.interval(0.95, 3, by.mean(), stats.sem(by))
    assert f"is {by.mean():+.3f} (95% t interval over tasks {low:+.3f} to {high:+.3f})." in every
    assert every.startswith("filter, on 4 tasks: of the ")
    # Of 100 examples 10.5, 30.5, 20.5 and 5.5 are dropped.
    assert much.startswith("filter, on the 3 tasks where it drops more than 10%: of the 20.5% that")
    assert said_of(rows[:1]) == []


def test_runs_without_a_filter_and_older_runs_have_no_rows():
    old = agreement().drop("weak_right").filter(pl.col("split") != "left_out")
    assert not any(map(list, map(filter_rows, (None, old, agreement().filter(method="naive")))))


def test_the_figure_names_tasks_and_methods():
    frame = pl.DataFrame(list(filter_rows(agreement()))).with_columns(oracle=pl.lit(False))
    with styled():
        figure = FILTERS.draw(frame, method_styles(["filter"]))
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == list(TASKS)
    assert axes.get_title(loc="left") == "filter"
    marks = [line for line in axes.lines if line.get_marker() == "X"]
    assert [line.get_xdata()[0] for line in marks] == pytest.approx(frame["wrong_dropped"])
    assert "filter on 4 of 4" in FILTERS.describe(frame).title
