"""The five bars: each from its place, and none where the run lacks it."""

import numpy as np
import pytest

from weak2strong.analysis.analyses.saliency import saliency_rows
from weak2strong.ground.metrics import accuracy


def right_on(share: float) -> list[float]:
    """Answers to 20 examples of class 1, right on that share."""
    return [0.9 if i < 20 * share else 0.1 for i in range(20)]


def test_every_bar_has_the_score_of_its_place(tested):
    students = {"linear-probe": 0.6, "naive": 0.7, "finetune-then-probe": 0.8, "confidence": 0.1}
    test = tested(
        [1] * 20,
        floor=[right_on(0.5)] * 2,
        ceiling=[right_on(0.9), right_on(1)],
        probe=[right_on(0.75)],
        **{name: [right_on(share)] * 2 for name, share in students.items()},
    )
    found = {row["bar"]: row["score"] for row in saliency_rows(test, accuracy)}
    expected = {
        "lp(weak)": 0.6,
        "lp(gt)": 0.75,
        "ft(weak)": 0.7,
        "ft(weak)+lp(gt)": 0.8,
        "ft(gt)": 0.95,
    }
    assert found == pytest.approx(expected)


def test_bars_that_the_run_lacks_are_null(tested):
    test = tested(np.ones(20, dtype=int), floor=[right_on(0.5)], confidence=[right_on(0.6)])
    rows = list(saliency_rows(test, accuracy))
    assert [row["bar"] for row in rows if row["score"] is not None] == ["ft(gt)"]
    assert len(rows) == 5
