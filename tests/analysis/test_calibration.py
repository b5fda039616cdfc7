"""A short run of benchmarks/calibration.py: tests keep their level, intervals cover."""

import numpy as np
import pytest
from scipy.stats import binom

TRIALS = 1000


def within(count: float, trials: int, low: float, high: float) -> bool:
    """Whether the count would not surprise (1 in 1000 a side) for some chance in the range."""
    return binom.ppf(1e-3, trials, low) <= count <= binom.ppf(1 - 1e-3, trials, high)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "heavy", "skewed", "counts"])
@pytest.mark.parametrize("tasks", [8, 21])
def test_no_test_rejects_more_than_its_level_and_the_exact_ones_what_they_can(
    calibration, kind, tasks
):
    rng = np.random.default_rng(tasks)
    found = calibration.false_positives(kind, tasks, 5, TRIALS, rng)
    for name, share in found.items():
        assert within(share * TRIALS, TRIALS, 0, 0.05), name
    if kind != "counts":
        for name, sides in (("Wilcoxon one-sided", 1), ("Wilcoxon two-sided", 2)):
            can = calibration.attainable(tasks, sides)
            assert within(found[name] * TRIALS, TRIALS, can, can), name
    if kind == "normal":
        assert within(found["t one-sided"] * TRIALS, TRIALS, 0.05, 0.05)
        assert within(found["t two-sided"] * TRIALS, TRIALS, 0.05, 0.05)


def test_the_attainable_level_is_counted_right(calibration):
    """Of 5 tasks: 1/32, since the next outcome has 2/32; two-sided nothing is below .05."""
    assert calibration.attainable(5, 1) == 1 / 32
    assert calibration.attainable(5, 2) == 0
    assert calibration.attainable(8, 1) == 10 / 256


def test_the_truth_of_the_simulation_is_what_its_draws_show(calibration):
    regime, rng = calibration.REGIMES["mixed"], np.random.default_rng(0)
    means = calibration.truths(regime, 3)
    drawn = [calibration.draw(regime, 40, means, rng).mean(axis=(0, 3)) for _ in range(20)]
    np.testing.assert_allclose(np.mean(drawn, axis=0), means, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["seeds", "examples", "mixed", "narrow gap"])
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_over_tasks_cover_from_three_seeds_on(calibration, regime, seeds):
    rng = np.random.default_rng(seeds)
    found = calibration.coverage(calibration.REGIMES[regime], 8, seeds, 400, 200, rng)
    for name, (covered, printed) in found.items():
        assert printed > 100, name
        assert covered >= binom.ppf(1e-3, printed, 0.95), name


@pytest.mark.parametrize("labels", [10, 30])
def test_trusted_labels_keep_their_level(calibration, labels):
    least, mean, level = calibration.trusted(labels)
    assert least >= 0.93
    assert 0.95 <= mean < 0.99
    assert 0 < level <= 0.05
