"""Which settings of a run have several values, and the figure of them."""

import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.report.figures.style import method_styles, styled
from weak2strong.report.figures.values import ENDS, VALUES, series_of

METHODS = ("naive", "strong-to-strong:1", "strong-to-strong", "strong-to-strong:3")


def test_a_series_is_of_methods_that_differ_in_one_number():
    assert series_of(METHODS) == {
        "strong-to-strong, iterations": [
            (1.0, "strong-to-strong:1"),
            (2.0, "strong-to-strong"),
            (3.0, "strong-to-strong:3"),
        ]
    }
    both = ("probe-filter:knn,k=5+confidence", "probe-filter:knn,k=9+confidence")
    assert list(series_of(both)) == ["probe-filter+confidence, k"]
    two = ("confidence:maximum=0.3", "confidence:maximum=0.4,warmup=0.1", "confidence:warmup=0.1")
    # The first and the last differ in two numbers.
    assert series_of(two) == {
        "confidence:warmup=0.1, maximum": [(0.4, two[1]), (0.5, two[2])],
    }
    assert series_of(("few-shot:calibrate=true", "few-shot", "of-a-plugin:k=1", "naive")) == {}


def test_the_figure_shows_the_scores_and_pgr_of_the_run(made_run, tmp_path):
    run = FinishedRun(made_run(tmp_path / "run", tasks=["a"], methods=METHODS))
    frame = VALUES.data(run)
    assert frame is not None
    lines = {line.method: line.recovered for line in run.lines()}
    for row in frame.to_dicts():
        r = lines[row["method"]]
        assert row["student"] == pytest.approx(r.student)
        assert (row["pgr"], row["floor"]) == (r.value, pytest.approx(r.floor))
    with styled():
        figure = VALUES.draw(frame, method_styles(METHODS))
    left, right = figure.axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["1", "2", "3"]
    assert right.get_xlabel() == "strong-to-strong, iterations"
    assert VALUES.describe(frame).title.startswith(
        "Scores of students by setting: strong-to-strong, iterations: "
    )


def test_where_no_pgr_is_known_there_is_no_panel_of_it(made_run, tmp_path):
    run = FinishedRun(made_run(tmp_path / "run", tasks=["a"], methods=METHODS))
    frame = VALUES.data(run)
    unknown = frame.with_columns(pl.lit(None, pl.Float64).alias(end) for end in ENDS)
    with styled():
        assert len(VALUES.draw(unknown, method_styles(METHODS)).axes) == 1
        other = unknown.with_columns(setting=pl.lit("another"))
        figure = VALUES.draw(pl.concat([frame, other]), method_styles(METHODS))
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts == [[], [], [], ["undefined"]]
    assert "PGR is undefined, or not known, at every value." in VALUES.describe(unknown).note
