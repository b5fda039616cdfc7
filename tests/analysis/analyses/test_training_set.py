"""PGR on the examples that students learned from, against a t test over seeds."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from weak2strong.analysis.analyses.training_set import pgr_over_seeds, training_rows

SHARES = np.array([[0.70, 0.74, 0.95], [0.72, 0.75, 0.97], [0.69, 0.76, 0.94]])
"""Of three seeds: weak labels, student, ceiling."""

RIGHT = ("weak_right", "student_right", "ceiling_right")


def test_the_interval_holds_the_ratios_that_a_t_test_over_seeds_does_not_reject():
    found = pgr_over_seeds(SHARES)
    weak, student, ceiling = SHARES.T
    assert found["pgr"] == pytest.approx((student - weak).mean() / (ceiling - weak).mean())
    for end in ("pgr_low", "pgr_high"):
        at = (student - weak) - found[end] * (ceiling - weak)
        assert stats.ttest_1samp(at, 0).pvalue == pytest.approx(0.05)
    assert found["pgr_low"] < found["pgr"] < found["pgr_high"]


def test_without_a_gap_or_with_one_seed_it_is_undefined():
    assert "One seed" in pgr_over_seeds(SHARES[:1])["undefined"]
    flat = SHARES.copy()
    flat[:, 2] = [0.80, 0.70, 0.68]
    found = pgr_over_seeds(flat)
    assert (found["pgr"], found["pgr_low"]) == (None, None)
    assert "not clearly above" in found["undefined"]
    assert pgr_over_seeds(SHARES - [0, 0, 0.5])["pgr"] is None


def test_what_a_filter_left_out_counts_too_and_other_splits_do_not():
    rows = []
    parts = (("strong_train", 30, 0.01), ("left_out", 10, -0.03), ("test", 99, 1.0))
    for seed, shares in enumerate(SHARES):
        for part, n, shift in parts:
            about = {"task": "a", "method": "m", "seed": seed, "split": part, "examples": n}
            values = dict(zip(RIGHT, (shares + shift).tolist(), strict=True))
            rows.append(about | {"agreement": 1.0} | values)
    (row,) = training_rows(pl.DataFrame(rows))
    assert [row[name] for name in RIGHT] == pytest.approx(SHARES.mean(axis=0))
    assert row["pgr_low"] == pytest.approx(pgr_over_seeds(SHARES)["pgr_low"])
    assert list(training_rows(None)) == []
