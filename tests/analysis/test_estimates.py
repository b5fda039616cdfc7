"""Means over seeds with intervals: where they lie, what they cover, and when there is none."""

import numpy as np
import pytest
from scipy.stats import t

from weak2strong.analysis.estimates import SHARE, estimated, mean_estimate, score_estimate
from weak2strong.analysis.intervals import group_weights
from weak2strong.ground.metrics import roc_auc

RNG = np.random.default_rng(0)
N = 400
WEIGHTS = group_weights(np.arange(N), 4000, RNG).astype(float)


def test_without_seed_variance_the_interval_is_that_of_a_mean():
    """Two seeds that agree everywhere: only test examples vary, and the textbook has the answer."""
    one = RNG.random(N)
    found = mean_estimate(np.stack([one, one]), WEIGHTS, N)
    half = t.ppf(0.975, N - 1) * one.std(ddof=1) / np.sqrt(N)
    assert found is not None
    assert found.value == pytest.approx(one.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)
    # The same with the mean over a part of the examples.
    part = np.arange(N) < 100
    found = mean_estimate(one[None], WEIGHTS, N, part[None])
    half = t.ppf(0.975, N - 1) * one[:100].std(ddof=1) / np.sqrt(100)
    assert found is not None
    assert found.value == pytest.approx(one[:100].mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.08)


def test_without_example_variance_it_is_that_of_the_seeds():
    values = np.repeat([[0.1], [0.2], [0.6]], N, axis=1)
    found = mean_estimate(values, WEIGHTS, N)
    half = t.ppf(0.975, 2) * np.std([0.1, 0.2, 0.6], ddof=1) / np.sqrt(3)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.3 - half, 0.3 + half))
    cut = mean_estimate(values, WEIGHTS, N, within=SHARE)
    assert cut is not None
    assert (cut.low, cut.high) == pytest.approx((0.0, 0.3 + half))


def test_there_is_none_where_a_seed_has_nothing_to_average():
    among = np.ones((2, N), dtype=bool)
    among[1] = False
    assert mean_estimate(np.ones((2, N)), WEIGHTS, N, among) is None
    assert estimated(np.ones(2), np.ones((100, 2)), groups=1) is None
    assert estimated(np.ones(2), np.ones((100, 2)), groups=2) is not None
    labels = np.ones(N, dtype=int)
    assert score_estimate(np.full((1, N, 2), 0.5), labels, roc_auc, WEIGHTS, N) is None


def test_many_seeds_have_percentiles():
    values = RNG.normal(0.5, 0.1, (30, 1)) + np.zeros((30, N))
    found = mean_estimate(values, WEIGHTS, N)
    half = 1.96 * values[:, 0].std() / np.sqrt(30)
    assert found is not None
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_there_is_none_where_most_replicates_have_no_score():
    replicates = RNG.normal(0.5, 0.1, (100, 2))
    for undefined, there in ((0, True), (50, True), (51, False)):
        some = replicates.copy()
        some[:undefined, 1] = np.nan
        found = estimated(np.array([0.5, 0.6]), some, groups=40)
        assert (found is not None) == there
    assert found is None
    whole = estimated(np.array([0.5, 0.6]), replicates[50:], groups=40)
    some = np.concatenate([np.full((50, 2), np.nan), replicates[50:]])
    assert estimated(np.array([0.5, 0.6]), some, groups=40) == whole
