"""Trusted labels: the exact test, the interval, and how many labels settle it."""

import numpy as np
import pytest
from scipy import stats

from weak2strong.analysis.verify import (
    difference_interval,
    draw_trusted,
    labels_needed,
    mcnemar,
    mcnemar_power,
    verified,
)
from weak2strong.ground.errors import UserError


def test_by_hand():
    """Of 10, the student alone has 5 right, the supervisor alone 1: p = 2 (1 + 6) / 64."""
    student = np.array([1, 1, 1, 1, 1, 0, 1, 1, 0, 0], dtype=bool)
    supervisor = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 0], dtype=bool)
    found = verified(student, supervisor)
    assert (found.student_only, found.supervisor_only, found.labels) == (5, 1, 10)
    assert (found.student, found.supervisor) == (0.7, 0.3)
    assert found.difference == pytest.approx(0.4)
    assert found.p == pytest.approx(14 / 64)
    assert found.low < 0 < 0.4 < found.high


def test_nobody_apart_is_no_evidence():
    same = np.array([True, False, True])
    found = verified(same, same)
    assert found.p == 1
    assert found.settled_by is None
    # D^2 n <= z^2 D (1 - D), so D <= z^2 / (n + z^2).
    z2 = stats.norm.ppf(0.975) ** 2
    assert (found.low, found.high) == pytest.approx((-z2 / (3 + z2), z2 / (3 + z2)))


@pytest.mark.parametrize(("b", "c", "n"), [(5, 1, 10), (0, 3, 20), (12, 30, 100), (10, 0, 10)])
def test_the_interval_ends_where_the_score_test_just_rejects(b, c, n):
    """The nuisance chance is found here by maximising the likelihood, not by the formula."""
    from scipy.optimize import minimize_scalar

    def statistic(d):
        def loss(q):
            parts = np.clip([q + d, q, 1 - 2 * q - d], 1e-12, None)
            return -(np.array([b, c, n - b - c]) @ np.log(parts))

        bounds = (max(0.0, -d), (1 - d) / 2)
        q = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        return (b - c - n * d) ** 2 / (n * (2 * q + d - d * d))

    for end in difference_interval(b, c, n):
        if abs(end) < 1:
            assert statistic(end) == pytest.approx(stats.norm.ppf(0.975) ** 2, rel=1e-3)


def test_a_difference_of_all_labels_ends_at_1():
    low, high = difference_interval(12, 0, 12)
    assert 0 < low < high == 1
    assert difference_interval(0, 12, 12) == pytest.approx((-1, -low))


def test_swapping_the_two_turns_the_interval_around():
    low, high = difference_interval(9, 4, 30)
    assert difference_interval(4, 9, 30) == pytest.approx((-high, -low))


def test_mcnemar_is_the_binomial_test():
    for b, c in ((0, 0), (5, 1), (3, 3), (0, 6)):
        expected = stats.binomtest(b, b + c).pvalue if b + c else 1
        assert mcnemar(b, c) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "b", "c"), [(6, 0.5, 0.2), (30, 0.3, 0.1), (40, 0.05, 0.15)])
def test_power_is_the_sum_over_every_outcome(n, b, c):
    outcomes = [(i, j) for i in range(n + 1) for j in range(n + 1 - i) if mcnemar(i, j) <= 0.05]
    chances = [stats.multinomial.pmf([i, j, n - i - j], n, [b, c, 1 - b - c]) for i, j in outcomes]
    assert mcnemar_power(n, b, c, 0.05) == pytest.approx(sum(chances), abs=1e-7)


def test_labels_needed_reach_the_power_and_agree_with_the_approximation():
    n = labels_needed(0.2, 0.1)
    assert n is not None
    assert mcnemar_power(n, 0.2, 0.1, 0.05) >= 0.8 > mcnemar_power(n - 1, 0.2, 0.1, 0.05)
    apart, d = 0.3, 0.1
    rough = (1.96 * apart**0.5 + 0.8416 * (apart - d * d) ** 0.5) ** 2 / d**2
    assert n == pytest.approx(rough, rel=0.08)
    assert labels_needed(0.1, 0.2) == n
    assert labels_needed(0.1, 0.1) is None
    assert labels_needed(0.1001, 0.1) is None


def test_as_many_labels_as_the_approximation_says_where_it_takes_very_many():
    """Connor's formula with SciPy's quantiles; above a million nothing is searched for."""

    def rough(apart, d, level=0.05, power=0.8):
        z = stats.norm.isf(level / 2) * apart**0.5
        return (z + stats.norm.isf(1 - power) * (apart - d * d) ** 0.5) ** 2 / d**2

    found = labels_needed(0.30118, 0.29882)
    assert found == pytest.approx(rough(0.6, 0.00236), rel=0.01)
    assert 0.8e6 < rough(0.6, 0.00236) < 1e6 < rough(0.6, 0.00198) < 1.3e6
    assert labels_needed(0.30099, 0.29901) is None
    for level, power in ((0.01, 0.8), (0.05, 0.9), (0.01, 0.95)):
        found = labels_needed(0.2, 0.1, level, power)
        assert found == pytest.approx(rough(0.3, 0.1, level, power), rel=0.1)
        assert mcnemar_power(found, 0.2, 0.1, level) >= power


def test_trusted_examples_are_of_different_groups_and_drawn_at_random():
    groups = np.repeat(np.arange(30), 4)
    drawn = draw_trusted(groups, 20, np.random.default_rng(0))
    assert len(set(groups[drawn])) == len(set(drawn)) == 20
    again = [draw_trusted(groups, 1, np.random.default_rng(s))[0] for s in range(3000)]
    counts = np.bincount(again, minlength=120)
    assert stats.chisquare(counts).pvalue > 1e-3
    with pytest.raises(UserError, match="takes 1 to 30, not 31"):
        draw_trusted(groups, 31, np.random.default_rng(0))


@pytest.mark.parametrize(
    "chances", [(0.3, 0.1), (0.4, 0.1), (0.25, 0.05), (0.5, 0.2), (0.07, 0.03)]
)
def test_one_label_less_is_not_enough_where_few_are_needed(chances):
    n = labels_needed(*chances)
    assert mcnemar_power(n, *chances, 0.05) >= 0.8 > mcnemar_power(n - 1, *chances, 0.05)
