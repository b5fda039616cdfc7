"""Tests of paired differences agree with SciPy and with cases worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from weak2strong.analysis.paired import (
    PValues,
    effect,
    holm,
    paired_t,
    sign_test,
    smallest_p,
    units_needed,
    widened,
    wilcoxon,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 5, 8, 21])
def test_t_and_wilcoxon_are_scipys(n):
    a, b = RNG.normal(0.3, 1, n), RNG.normal(size=n)
    found = paired_t(a - b)
    assert found.one_sided == pytest.approx(stats.ttest_rel(a, b, alternative="greater").pvalue)
    assert found.two_sided == pytest.approx(stats.ttest_rel(a, b).pvalue)
    found = wilcoxon(a - b)
    for ours, side in ((found.one_sided, "greater"), (found.two_sided, "two-sided")):
        theirs = stats.wilcoxon(a - b, alternative=side, method="exact").pvalue
        assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("d", [[1, 1, 2, -1, 3, 3], [2, -2, 2, 2, 5], [1, 1, 1, 1, -1, -2, 4, 4]])
def test_wilcoxon_with_ties_is_scipys_enumeration_of_signs(d):
    d = np.array(d, dtype=float)
    every = stats.PermutationMethod(n_resamples=np.inf)
    found = wilcoxon(d)
    for ours, side in ((found.one_sided, "greater"), (found.two_sided, "two-sided")):
        assert ours == pytest.approx(stats.wilcoxon(d, alternative=side, method=every).pvalue)


def test_wilcoxon_drops_zeros_and_what_is_rounding():
    assert wilcoxon([0, 1, 2, -3, 0.0, 4]) == wilcoxon([1, 2, -3, 4])
    assert wilcoxon([0.3 - 0.1 - 0.2, 1, 2]) == wilcoxon([1, 2])
    assert wilcoxon([0, 0]).one_sided == 1
    by_rounding = [0.1 + 0.2 - 0.0, -0.3, 0.5]
    assert wilcoxon(by_rounding) == wilcoxon([0.3, -0.3, 0.5])


@pytest.mark.parametrize("mean", [-0.4, 0.0, 0.9])
def test_a_t_test_whose_error_is_larger_is_that_of_a_smaller_statistic(mean):
    d = RNG.normal(mean, 1, 9)
    found = widened(paired_t(d), 9, 1.7)
    statistic = stats.ttest_1samp(d, 0).statistic / 1.7
    assert found.one_sided == pytest.approx(stats.t.sf(statistic, 8))
    assert found.two_sided == pytest.approx(2 * stats.t.sf(abs(statistic), 8))
    by, alone = effect(d, factor=1.7), effect(d)
    assert by.high - by.low == pytest.approx(1.7 * (alone.high - alone.low))
    # The interval and the test are of one mind.
    assert (by.low <= 0 <= by.high) == (found.two_sided > 0.05)
    assert widened(wilcoxon(d), 9, 1.0) == wilcoxon(d)


def test_a_larger_error_keeps_p_values_that_say_nothing():
    assert widened(PValues(1.0, 1.0), 5, 2.0) == PValues(1.0, 1.0)
    assert widened(PValues(0.5, 1.0), 5, 2.0) == PValues(pytest.approx(0.5), 1.0)
    nothing = widened(PValues(math.nan, math.nan), 5, 2.0)
    assert math.isnan(nothing.one_sided)


def test_wilcoxon_of_many_is_scipys_approximation():
    d = RNG.normal(0.1, 1, 150)
    theirs = stats.wilcoxon(d, alternative="greater", method="asymptotic").pvalue
    assert wilcoxon(d).one_sided == pytest.approx(theirs)


def test_cases_by_hand():
    """Three signs alike: 1/8. Ranks 1 and 3 of three: sums of 4 or more are 4, 5, 6 (3 of 8)."""
    assert wilcoxon([1, 2, 3]).one_sided == 1 / 8
    assert wilcoxon([1, 2, 3]).two_sided == 1 / 4
    assert wilcoxon([1, -2, 3]).one_sided == 3 / 8
    assert sign_test([1, 1, 1, -1, 0]).one_sided == 5 / 16
    assert sign_test([1, 1, 1, -1, 0]).two_sided == 10 / 16
    # The 16 wins out of 21 of EleutherAI's 2024 post.
    assert sign_test([1] * 16 + [-1] * 5).one_sided == pytest.approx(0.0133, abs=1e-4)
    # Mean 2, deviation 1, three of them: t = 2 sqrt 3.
    assert paired_t([1, 2, 3]).two_sided == pytest.approx(2 * stats.t.sf(2 * math.sqrt(3), 2))


def test_a_t_test_without_spread_is_not_defined():
    assert math.isnan(paired_t([0.1, 0.1, 0.1]).one_sided)
    assert math.isnan(paired_t([0.1]).two_sided)


def test_effect_sizes():
    found = effect([1.0, 2.0, 3.0])
    low, high = stats.t.interval(0.95, 2, loc=2, scale=1 / math.sqrt(3))
    assert (found.mean, found.dz) == (2, 2)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert math.isnan(effect([0.1, 0.1]).dz)
    assert math.isnan(effect([0.1]).low)


def test_holm_by_hand():
    """0.01 x 3; 0.03 x 2 = 0.06; 0.04 x 1 may not be below the one before."""
    found = holm({"a": 0.04, "b": 0.01, "c": 0.03})
    assert found == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert list(found) == ["a", "b", "c"]
    assert holm({"a": 0.6, "b": math.nan}) == {"a": 1.0, "b": 1.0}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.01, 0.2))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values, level):
    adjusted = holm({str(i): p for i, p in enumerate(p_values)})
    rejected, m = set(), len(p_values)
    for step, i in enumerate(np.argsort(p_values, kind="stable")):
        if (m - step) * p_values[i] > level:
            break
        rejected.add(str(i))
    assert {name for name, p in adjusted.items() if p <= level} == rejected


def test_the_smallest_p_is_that_of_all_signs_alike():
    for n in (3, 8):
        alike = np.arange(1, n + 1)
        assert wilcoxon(alike).one_sided == sign_test(alike).one_sided == smallest_p(n)
        assert wilcoxon(alike).two_sided == sign_test(alike).two_sided == smallest_p(n, True)
    assert smallest_p(8) == pytest.approx(0.0039, abs=1e-4)


def test_units_needed_are_the_fewest_that_can_reach_the_level():
    for family in (1, 2, 12, 20):
        for two_sided in (False, True):
            n = units_needed(family, 0.05, two_sided)
            assert smallest_p(n, two_sided) * family <= 0.05
            assert smallest_p(n - 1, two_sided) * family > 0.05


def test_without_any_difference_nothing_is_seen():
    for test in (wilcoxon, sign_test):
        assert test([0.0, 0.0, 1e-15]) == PValues(1.0, 1.0)


def test_dz_is_the_mean_over_the_standard_deviation():
    d = RNG.normal(0.3, 2.0, 9)
    found = effect(d)
    assert found.dz == pytest.approx(d.mean() / d.std(ddof=1))
    half = stats.t.ppf(0.975, 8) * stats.sem(d)
    assert (found.low, found.high) == pytest.approx((d.mean() - half, d.mean() + half))
    assert effect(100 * d).dz == pytest.approx(found.dz)


def test_differences_that_are_one_apart_vary():
    assert effect([0.0, 1.0]).dz == pytest.approx(0.5 / math.sqrt(0.5))
