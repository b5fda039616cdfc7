"""The figure of shifted tokens has the shares of the table, by writer and by place."""

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.shifts import BANDS, shift_rows
from weak2strong.experiments.shift import FinishedShift
from weak2strong.report.figures.shift import SHIFT
from weak2strong.report.figures.style import method_styles, styled


@pytest.fixture
def frame(made_run, tmp_path):
    """Ranks that are drawn at random, of characters in place of tokens."""
    made_run(tmp_path / "run", ("a-task", "b-task"), ("naive", "few-shot"), 2, 40, written=True)
    run, rng, rows = FinishedRun(tmp_path / "run"), np.random.default_rng(0), []
    for task, tested in run.tested.items():
        every = {(i, str(x)) for w in tested.roles.values() for s in w for i, x in enumerate(s)}
        ranks = {k: (tuple(k[1]), tuple(rng.integers(1, 7, len(k[1])))) for k in sorted(every)}
        rows += [
            {"task": task, **row, "oracle": row["method"] == "few-shot"}
            for row in shift_rows(tested, ranks)
        ]
    pl.DataFrame(rows).write_parquet(tmp_path / "run" / "shift.parquet")
    return SHIFT.data(FinishedShift(tmp_path / "run"))


def test_bars_and_curves_are_those_of_the_table(frame):
    with styled():
        figure = SHIFT.draw(frame, method_styles(["naive", "few-shot"]))
    bars, places = figure.axes[:2]
    whole = frame.filter(pl.col("first").is_null(), task="a-task")
    assert [label.get_text() for label in bars.get_yticklabels()] == whole["writer"].to_list()
    assert whole["writer"].to_list() == ["naive", "few-shot *", "ceiling"]
    widths = [patch.get_width() for patch in bars.patches]
    assert widths == pytest.approx([x for band in BANDS for x in whole[band]])
    curve = places.lines[0]
    naive = frame.filter(pl.col("first").is_not_null(), task="a-task", writer="naive")
    assert [round(x) for x in curve.get_xdata()] == list(range(len(naive)))
    assert list(curve.get_ydata()) == naive["shifted"].to_list()
    assert SHIFT.describe(frame).title.startswith("Shifted tokens: naive ")
