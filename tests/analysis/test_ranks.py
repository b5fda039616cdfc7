"""Rank correlations over tasks: SciPy's correlation, its p-values by permutations, coverage."""

import numpy as np
import pytest
from scipy.stats import permutation_test, spearmanr

from weak2strong.analysis.ranks import FEWEST, ORDERS, least_clear, rank_correlation


def test_the_correlation_is_scipys_also_with_ties():
    rng = np.random.default_rng(0)
    for n in (5, 8, 20):
        x, y = rng.integers(6, size=(2, n)).astype(float)
        found = rank_correlation(x, y)
        assert found is not None
        assert found.value == pytest.approx(spearmanr(x, y).statistic)
        assert found.tasks == n
        assert found.low < found.value < found.high


def test_p_is_that_of_all_permutations():
    rng = np.random.default_rng(1)
    x = rng.normal(size=6)
    for noise in (0.3, 1.0):
        y = x + noise * rng.normal(size=6)

        def of(x, y=y):
            return spearmanr(x, y).statistic

        exact = permutation_test((x,), of, permutation_type="pairings", n_resamples=np.inf)
        assert rank_correlation(x, y).p == pytest.approx(exact.pvalue, abs=0.012)


def test_p_is_near_that_of_the_t_distribution_for_many_tasks():
    rng = np.random.default_rng(2)
    x = rng.normal(size=40)
    y = 0.35 * x + rng.normal(size=40)
    assert rank_correlation(x, y).p == pytest.approx(spearmanr(x, y).pvalue, abs=0.01)


def test_tasks_in_one_order_have_no_interval():
    found = rank_correlation(np.arange(7.0), np.arange(7.0) ** 3)
    assert found.value == pytest.approx(1)
    assert (found.low, found.high) == (None, None)
    # Two of the 5,040 orders are as far from 0.
    assert found.p == pytest.approx(2 / 5040, abs=4e-4)


def test_too_few_tasks_and_equal_numbers_have_none():
    few = np.arange(FEWEST - 1.0)
    assert rank_correlation(few, few) is None
    assert rank_correlation(np.ones(9), np.arange(9.0)) is None


def test_intervals_hold_the_correlation_of_the_population():
    rng, rho, inside = np.random.default_rng(3), 0.6, 0
    # Spearman's correlation of a normal pair with Pearson's rho.
    truth = 6 / np.pi * np.arcsin(rho / 2)
    for _ in range(200):
        x, z = rng.normal(size=(2, 20))
        found = rank_correlation(x, rho * x + np.sqrt(1 - rho**2) * z)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 200 <= 0.98


def test_what_it_takes_to_be_clear_is_at_the_edge():
    for tasks, family in ((8, 4), (20, 30)):
        least = least_clear(tasks, family)
        rng = np.random.default_rng([0, tasks])
        x = np.arange(float(tasks))
        found = [rank_correlation(x, rng.permutation(x) + 2 * i * x) for i in np.arange(0, 1, 0.02)]
        assert any(abs(f.value) < least for f in found)
        for f in found:
            assert (f.p <= 0.05 / family) == (abs(f.value) >= least - 1e-9)


def test_five_tasks_are_clear_of_no_family_of_ten():
    assert least_clear(5, 10) is None
    assert 0.05 / 10 < 2 / 120
    assert ORDERS > 10_000
