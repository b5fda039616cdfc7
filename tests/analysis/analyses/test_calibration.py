"""ECE, Brier score, log loss and reliability, by hand and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics
from sklearn.calibration import calibration_curve

from weak2strong.analysis.analyses.calibration import (
    BINS,
    calibration_error,
    calibration_row,
    equal_mass_bins,
    error_if_calibrated,
    log_loss,
    reliability_rows,
)
from weak2strong.ground.metrics import brier

RNG = np.random.default_rng(0)


def test_an_error_by_hand():
    """Two bins of two: |0.6 + 0.7 - 1| and |0.8 + 0.9 - 2|, over 4."""
    confidence, right = np.array([0.9, 0.6, 0.8, 0.7]), np.array([1.0, 1.0, 1.0, 0.0])
    assert calibration_error(confidence, right, bins=2) == pytest.approx((0.3 + 0.3) / 4)
    assert calibration_error(right, right) == 0
    assert calibration_error(np.ones(5), np.zeros(5)) == 1


def test_bins_of_equal_mass_are_those_of_scikit_learn():
    confidence = RNG.uniform(0.5, 1, 200)
    right = (RNG.random(200) < confidence**2).astype(float)
    share, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="quantile")
    assert calibration_error(confidence, right) == pytest.approx(np.abs(share - mean).mean())


def test_the_order_of_examples_does_not_matter_where_confidences_are_equal():
    confidence, right = np.repeat([0.6, 0.8, 0.9], 7), RNG.integers(2, size=21).astype(float)
    order = RNG.permutation(21)
    assert len(np.unique(equal_mass_bins(confidence))) == 3
    assert calibration_error(confidence[order], right[order]) == pytest.approx(
        calibration_error(confidence, right)
    )


def test_weights_count_examples():
    """Counts of a replicate are examples so many times, in the bins of the original."""
    confidence = np.sort(RNG.uniform(0.5, 1, 40))
    right, counts = RNG.integers(2, size=40).astype(float), RNG.integers(3, size=(2, 40))
    found = calibration_error(confidence, right, counts.astype(float))
    of = equal_mass_bins(confidence)
    for i, n in enumerate(counts):
        c, r, b = (np.repeat(x, n) for x in (confidence, right, of))
        parts = [abs((r - c)[b == at].sum()) for at in range(BINS)]
        assert np.asarray(found)[i] == pytest.approx(sum(parts) / n.sum())


def test_what_chance_gives_a_calibrated_model_is_its_mean_error():
    confidence = RNG.uniform(0.5, 1, 300)
    drawn = (RNG.random((2000, 300)) < confidence).astype(float)
    mean = np.mean([calibration_error(confidence, right) for right in drawn])
    assert error_if_calibrated(confidence) == pytest.approx(mean, rel=0.03)


def test_log_loss_is_that_of_scikit_learn_at_the_ends_too():
    p, labels = RNG.dirichlet(np.ones(3), 50), RNG.integers(3, size=50)
    p[0], labels[0] = (1, 0, 0), 1
    expected = sklearn.metrics.log_loss(labels, p, labels=[0, 1, 2])
    assert log_loss(p, labels).mean() == pytest.approx(expected)


def test_a_row_has_means_over_seeds(tested):
    labels, p = RNG.integers(2, size=100), RNG.random((3, 100))
    test = tested(labels, floor=p)
    row = calibration_row(test, test.floor)
    errors = [calibration_error(a.max(1), (a.argmax(1) == labels) * 1.0) for a in test.floor]
    assert row["ece"] == pytest.approx(np.mean(errors))
    assert row["brier"] == pytest.approx(np.mean([brier(a, labels) for a in test.floor]))
    expected = [sklearn.metrics.log_loss(labels, a) for a in test.floor]
    assert row["log_loss"] == pytest.approx(np.mean(expected))
    assert row["bins"] == BINS
    assert 0 <= row["ece_low"] < row["ece"] < row["ece_high"]


def test_the_reliability_curve_is_what_the_error_is_made_of(tested):
    labels, p = RNG.integers(2, size=100), RNG.random((2, 100))
    test = tested(labels, floor=p)
    rows = list(reliability_rows(test, test.floor))
    assert sum(r["examples"] for r in rows) == 200
    for seed in range(2):
        of = [r for r in rows if r["seed"] == seed]
        error = sum(r["examples"] * abs(r["accuracy"] - r["confidence"]) for r in of) / 100
        right = (test.floor[seed].argmax(1) == labels) * 1.0
        assert error == pytest.approx(calibration_error(test.floor[seed].max(1), right))


def test_scores_and_their_intervals_stay_within_what_is_possible(tested):
    """A role that is nearly always surely wrong, and one that is nearly always surely right."""
    labels = RNG.integers(2, size=60)
    wrong = np.tile(1.0 - labels, (2, 1))
    wrong[:, 0] = labels[0]
    test = tested(labels, floor=wrong, naive=1 - wrong)
    low, high = (calibration_row(test, a) for a in (test.students["naive"], test.floor))
    assert low["brier_low"] == 0 < low["brier"] < low["brier_high"] < 2
    assert 0 < high["brier_low"] < high["brier"] < high["brier_high"] == 2
    assert low["log_loss_low"] == 0 < low["log_loss"]
    assert high["log_loss"] < high["log_loss_high"]
    assert low["accuracy_high"] == 1 > low["accuracy"]
    assert high["accuracy_low"] == 0 < high["accuracy"]
    assert (high["ece_high"], high["confidence"]) == (1, 1)
