"""The AUC and its interval, against scikit-learn, a bootstrap, and simulation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from weak2strong.analysis.audit.auc import LEAST, against_rest, auc


@pytest.mark.parametrize("ties", [False, True])
def test_the_value_is_scikit_learns(ties):
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.4
    scores = rng.normal(size=300) + positive
    if ties:
        scores = scores.round()
    assert auc(scores, positive).value == pytest.approx(roc_auc_score(positive, scores))
    # The order of the classes turns it round.
    one, other = auc(scores, positive), auc(scores, ~positive)
    assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low))
    assert one.strength == pytest.approx(other.strength)


def test_a_bootstrap_of_groups_has_the_same_spread():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(80), 5)
    positive = rng.random(400) < 0.5
    # Scores of a group go together, and so do its labels: examples say less than they seem to.
    positive = np.where(rng.random(400) < 0.7, (groups % 2).astype(bool), positive)
    scores = rng.normal(size=80)[groups] + 0.5 * positive + 0.3 * rng.normal(size=400)
    members = [np.flatnonzero(groups == g) for g in range(80)]
    draws = []
    for _ in range(1000):
        rows = np.concatenate([members[g] for g in rng.integers(80, size=80)])
        draws.append(roc_auc_score(positive[rows], scores[rows]))
    found, naive = auc(scores, positive, groups), auc(scores, positive)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)
    assert found.low == pytest.approx(low, abs=0.02)
    assert naive.high - naive.low < 0.7 * (high - low)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    from scipy.stats import norm

    rng, truth, hits = np.random.default_rng(2), norm.cdf(1 / np.sqrt(2)), 0
    positive = np.arange(80) < 40
    for _ in range(500):
        found = auc(rng.normal(size=80) + positive, positive)
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 500 <= 0.98


def test_no_exception_among_n_is_no_certainty():
    positive = np.arange(60) < 30
    found = auc(-np.arange(60.0), positive)
    assert (found.value, found.low, found.high) == (1, 0.9, 1)
    assert auc(np.arange(60.0), positive).high == pytest.approx(0.1)
    same = auc(np.zeros(60), positive)
    assert (same.value, same.strength) == (0.5, 0.5)


def test_of_several_classes_the_clearest_is_told():
    labels = np.repeat([0, 1, 2], 50)
    rng = np.random.default_rng(3)
    label, found = against_rest(rng.normal(size=150) + 3 * (labels == 2), labels)
    assert label == 2
    assert found.low > 0.9
    label, _ = against_rest(rng.normal(size=150), np.repeat([0, 1], 75))
    assert label == 1
    rare = np.r_[np.zeros(100, dtype=int), np.ones(LEAST - 1, dtype=int)]
    assert against_rest(np.arange(len(rare)), rare) is None
