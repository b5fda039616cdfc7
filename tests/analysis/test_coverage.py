"""A short run of benchmarks/coverage.py: the intervals cover, and the usual one does not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from weak2strong.analysis import BOOTSTRAP_SEEDS, HONEST_SEEDS

TRIALS = 400


def simulate(coverage, name, seeds, examples, trials=TRIALS):
    """For each method, how many printed intervals hold the truth, and how many were printed."""
    regime = replace(coverage.REGIMES[name], examples=examples)
    rng = np.random.default_rng(0)
    found = coverage.simulate(regime, seeds, trials, 200, rng)
    counts = {}
    for method, bounds in found.items():
        printed = [b for b in bounds if b is not None]
        counts[method] = (sum(low <= regime.truth <= high for low, high in printed), len(printed))
    return counts


def consistent(counts, share):
    """Whether that many covered would not surprise (1 in 1000) if the share were true."""
    covered, printed = counts
    return covered >= binom.ppf(1e-3, printed, share)


def test_the_truth_of_the_simulation_is_what_its_draws_show(coverage):
    for name, tolerance in (("mixed", 0.01), ("inherited", 0.01), ("failures", 0.01)):
        regime = replace(coverage.REGIMES[name], examples=4000)
        rng = np.random.default_rng(0)
        floor, student, ceiling = np.mean(
            [coverage.draw(regime, 200, rng).mean(axis=(0, 2)) for _ in range(3)], axis=0
        )
        assert (floor, ceiling) == pytest.approx(regime.accuracies[::2], abs=tolerance)
        truth = floor + regime.truth * (ceiling - floor)
        assert student == pytest.approx(truth, abs=tolerance)


@pytest.mark.parametrize(("regime", "examples"), [("examples", 300), ("mixed", 300)])
def test_fieller_covers_from_the_smallest_honest_number_of_seeds(coverage, regime, examples):
    counts = simulate(coverage, regime, HONEST_SEEDS, examples)
    assert consistent(counts["fieller"], 0.95)
    assert counts["fieller"][1] > 0.8 * TRIALS


@pytest.mark.parametrize(("seeds", "regime"), [(2, "examples"), (3, "mixed")])
def test_the_gap_covers_with_two_and_three_seeds_whatever_students_do(coverage, seeds, regime):
    regime = replace(coverage.REGIMES[regime], examples=300)
    rng, covered = np.random.default_rng(0), 0
    for _ in range(TRIALS):
        measured = coverage.measure(coverage.draw(regime, seeds, rng), 200, rng)
        low, high = coverage.gap_interval(measured, rng)
        covered += low <= regime.gap <= high
    assert consistent((covered, TRIALS), 0.95)


def test_at_three_seeds_fieller_covers_where_seeds_dominate_and_bootstraps_do_not(coverage):
    counts = simulate(coverage, "seeds", 3, 600)
    assert consistent(counts["fieller"], 0.95)
    assert not consistent(counts["nested"], 0.93)
    assert not consistent(counts["crossed"], 0.93)


def test_where_examples_dominate_more_seeds_do_not_save_the_nested_bootstrap(coverage):
    counts = simulate(coverage, "examples", 10, 300)
    assert consistent(counts["fieller"], 0.95)
    assert consistent(counts["crossed"], 0.95)
    assert not consistent(counts["nested"], 0.93)


def test_the_crossed_bootstrap_covers_from_the_number_of_seeds_at_which_it_is_used(coverage):
    counts = simulate(coverage, "mixed", BOOTSTRAP_SEEDS, 300, trials=300)
    assert consistent(counts["crossed"], 0.95)
    assert not consistent(counts["nested"], 0.93)
