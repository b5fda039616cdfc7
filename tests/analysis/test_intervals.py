"""The parts of the intervals, each against an independent way to the same number."""

import numpy as np
import pytest
from scipy.stats import t

from weak2strong.analysis import intervals
from weak2strong.analysis.intervals import (
    Measured,
    apart_interval,
    at_hand_interval,
    bootstrap_interval,
    bootstrap_ratio,
    crossed_means,
    fieller_bounds,
    fieller_interval,
    group_weights,
    replicate_scores,
    squared_margin,
    t_interval,
    variance_parts,
)
from weak2strong.ground.metrics import accuracy, roc_auc

GAIN, GAP = np.array([-1.0, 1.0, 0.0]), np.array([-1.0, 0.0, 1.0])


def effects(seed, seeds, n, example, by_seed, both):
    """Values ``(S, 3, n)`` with crossed effects of these standard deviations."""
    rng = np.random.default_rng(seed)
    return (
        np.array([0.5, 0.6, 0.8])[:, None]
        + example * rng.normal(size=(3, n))
        + by_seed * rng.normal(size=(seeds, 3, 1))
        + both * rng.normal(size=(seeds, 3, n))
    )


def measured_from(values, replicates=2000, seed=0):
    """Mean scores of the values, every example its own group."""
    seeds, roles, n = values.shape
    weights = group_weights(np.arange(n), replicates, np.random.default_rng(seed))
    scores = (weights @ values.reshape(-1, n).T / n).reshape(replicates, seeds, roles)
    return Measured(values.mean(axis=2), scores, n)


def test_a_group_is_drawn_as_one_and_as_many_groups_as_there_are():
    groups = np.array(["b", "a", "b", "c", "c", "c"])
    weights = group_weights(groups, 500, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, [0, 1, 3]].mean(axis=0) == pytest.approx([1, 1, 1], abs=0.12)
    # Drawn with replacement: the count of one of 3 groups is binomial, of variance 2/3.
    assert weights[:, 0].var() == pytest.approx(2 / 3, abs=0.12)


@pytest.mark.parametrize(("groups", "at_once"), [(1, 7), (3, 7), (40, 7), (40, 130)])
def test_draws_are_those_of_one_replicate_after_another(groups, at_once, monkeypatch):
    monkeypatch.setattr(intervals, "AT_ONCE", at_once)
    of, rng, one_by_one = np.arange(2 * groups) % groups, *map(np.random.default_rng, (5, 5))
    weights = group_weights(of, 11, rng)
    drawn = [one_by_one.integers(groups, size=groups) for _ in range(11)]
    expected = [[(row == group).sum() for group in of] for row in drawn]
    np.testing.assert_array_equal(weights, expected)
    assert rng.random() == one_by_one.random(), "whatever is drawn after them is the same too"


def test_tasks_that_share_groups_draw_them_together():
    universe = ["d", "c", "b", "a"]
    first = group_weights(["a", "b", "c"], 50, np.random.default_rng(3), universe)
    second = group_weights(["c", "d", "a"], 50, np.random.default_rng(3), sorted(universe))
    assert (first[:, 0] == second[:, 2]).all()
    assert (first[:, 2] == second[:, 0]).all()
    assert (first[:, 0] != first[:, 2]).any()
    with pytest.raises(ValueError, match="lacks 1 of the examples' groups, such as z"):
        group_weights(["a", "z"], 50, np.random.default_rng(3), universe)


@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_replicate_scores_are_the_metric_of_each_seed_and_role(metric):
    rng = np.random.default_rng(0)
    roles = rng.dirichlet([1, 1], size=(3, 4, 30))
    labels = rng.integers(2, size=30)
    weights = rng.integers(1, 5, size=(7, 30))
    scores = replicate_scores(list(roles), labels, metric, weights)
    assert scores.shape == (7, 4, 3)
    for b, s, r in np.ndindex(7, 4, 3):
        repeated = np.repeat(np.arange(30), weights[b])
        expected = metric(roles[r, s, repeated], labels[repeated])
        assert scores[b, s, r] == pytest.approx(expected)


def test_the_parts_are_the_covariances_over_seeds_and_between_seeds():
    seeds, n = 3, 40
    values = effects(0, seeds, n, example=0.2, by_seed=0.1, both=0.3)
    seed_part, example_part = variance_parts(measured_from(values, replicates=40_000))
    assert seed_part == pytest.approx(np.cov(values.mean(axis=2).T) / seeds)
    # Over examples, every pair of different seeds: (role of one) with (role of the other).
    joint = np.cov(values.reshape(-1, n)).reshape(seeds, 3, seeds, 3) / n
    pairs = [joint[a, :, b] for a in range(seeds) for b in range(seeds) if a != b]
    expected = np.mean(pairs, axis=0)
    assert np.linalg.eigvalsh(expected).min() > 0
    assert example_part == pytest.approx(expected, abs=0.03 * joint.max())


def test_variance_is_neither_missed_nor_counted_twice():
    """Over many data sets, the two parts add up to how far the mean really moves."""
    example, by_seed, both, seeds, n = 0.2, 0.02, 0.4, 3, 50
    total, means = [], []
    for seed in range(400):
        measured = measured_from(effects(seed, seeds, n, example, by_seed, both), 200, seed)
        seed_part, example_part = variance_parts(measured)
        total.append(GAP @ (seed_part + example_part) @ GAP)
        means.append(GAP @ measured.mean)
    truth = 2 * (example**2 / n + by_seed**2 / seeds + both**2 / (n * seeds))
    counted_twice = 2 * both**2 / (n * seeds)
    assert np.var(means) == pytest.approx(truth, rel=0.2)
    assert np.mean(total) == pytest.approx(truth, abs=0.25 * counted_twice)


def test_with_one_seed_the_variance_is_the_examples_own():
    values = effects(0, 1, 60, example=0.2, by_seed=0, both=0)
    measured = measured_from(values, replicates=20_000)
    seed_part, example_part = variance_parts(measured)
    assert (seed_part == 0).all()
    assert example_part == pytest.approx(np.cov(values[0]) / 60, abs=3e-5)
    half = t.ppf(0.975, 59) * np.sqrt(GAP @ np.cov(values[0]) @ GAP / 60)
    interval = t_interval(measured, GAP, 0.95)
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.03)
    assert interval.covers == "test examples only, one seed"


def test_few_groups_do_not_make_the_variance_too_small():
    values = effects(0, 1, 4, example=0.2, by_seed=0, both=0)
    _, example_part = variance_parts(measured_from(values, replicates=100_000))
    assert np.diag(example_part) == pytest.approx(values[0].var(axis=1, ddof=1) / 4, rel=0.03)


def test_no_contrast_has_a_variance_below_zero():
    """Seeds that contradict each other have a negative covariance over examples."""
    values = effects(0, 1, 50, example=0.2, by_seed=0, both=0)
    mean = values.mean(axis=2, keepdims=True)
    measured = measured_from(np.concatenate([values, 2 * mean - values]))
    _, example_part = variance_parts(measured)
    assert np.linalg.eigvalsh(example_part).max() < 0
    assert np.abs(squared_margin(measured, np.stack([GAIN, GAP]), 0.95)).max() < 1e-12
    # What other seeds vary by is all that is left.
    apart = measured.scores + np.array([[0.01], [-0.01]]) * [0, 1, 3]
    varied = Measured(apart, measured.replicates, measured.groups)
    expected = t.interval(0.95, 1, GAP @ varied.mean, np.std(apart @ GAP, ddof=1) / np.sqrt(2))
    found = t_interval(varied, GAP, 0.95)
    assert (found.low, found.high) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_the_gap_does_not_depend_on_the_student_and_no_combination_is_below_zero(seed):
    """With 2 seeds and 12 examples, many an estimate of a variance is below zero."""
    measured = measured_from(effects(seed, 2, 12, 0.03, 0.01, 0.2), 200, seed)
    contrasts = np.stack([GAIN, GAP])
    margin = squared_margin(measured, contrasts, 0.95)
    at_hand = t.ppf(0.975, 11) ** 2 * contrasts @ measured.example_covariance @ contrasts.T
    assert np.linalg.eigvalsh(margin - at_hand).min() > -1e-12
    of_seeds, of_examples = (contrasts @ part @ contrasts.T for part in measured.parts)
    raw = t.ppf(0.975, 1) ** 2 * of_seeds + t.ppf(0.975, 11) ** 2 * of_examples
    if min(np.linalg.eigvalsh(x).min() for x in (of_examples, raw - at_hand)) > 0:
        assert margin == pytest.approx(raw)
    half = np.sqrt(margin[1, 1])
    for other in range(3):
        values = effects(100 + other, 2, 12, 0.3, 0.2, 0.2)
        student = measured_from(values, 200, seed)
        scores, replicates = measured.scores.copy(), measured.replicates.copy()
        scores[:, 1], replicates[:, :, 1] = student.scores[:, 1], student.replicates[:, :, 1]
        changed = Measured(scores, replicates, measured.groups)
        assert squared_margin(changed, contrasts, 0.95)[1, 1] == margin[1, 1]
        interval = t_interval(changed, GAP, 0.95)
        assert interval.high - interval.low == pytest.approx(2 * half)
        bounded = fieller_interval(changed, GAIN, GAP, 0.95) is not None
        assert bounded == (not interval.low <= 0 <= interval.high)


def test_roles_that_are_trained_apart_need_no_pairs_of_seeds():
    scores = np.array([[0.50, 0.61, 0.7], [0.52, 0.6, 0.74], [0.47, 0.66, 0.72]])
    measured = Measured(scores, np.broadcast_to(scores, (100, 3, 3)), 50)
    interval = apart_interval(measured, GAP.clip(0), -GAP.clip(None, 0), 0.9)
    square = (scores[:, 0].var(ddof=1) + scores[:, 2].var(ddof=1)) / 3
    half = t.ppf(0.95, 4) * np.sqrt(square)
    gap = GAP @ scores.mean(axis=0)
    assert (interval.low, interval.high) == pytest.approx((gap - half, gap + half))
    scores[:, 2] = scores[[1, 2, 0], 2]
    again = Measured(scores, np.broadcast_to(scores, (100, 3, 3)), 50)
    same = apart_interval(again, GAP.clip(0), -GAP.clip(None, 0), 0.9)
    assert (same.low, same.high) == pytest.approx((interval.low, interval.high))


def test_models_at_hand_vary_with_the_test_examples_alone():
    values = effects(3, 3, 80, example=0.2, by_seed=0.3, both=0.2)
    measured = measured_from(values, 20_000)
    interval = at_hand_interval(measured, GAP, 0.95)
    of_each = GAP @ values.mean(axis=0)
    expected = t.interval(0.95, 79, of_each.mean(), of_each.std(ddof=1) / np.sqrt(80))
    assert (interval.low, interval.high) == pytest.approx(expected, abs=2e-3)
    assert interval.covers == "test examples only, for the models at hand"
    middle = float(GAP @ measured.mean)
    cut = interval.within(middle, 1.0)
    assert (cut.low, cut.high) == (middle, interval.high)


def test_where_only_seeds_vary_the_interval_is_students():
    scores = np.array([[0.50, 0.61, 0.7], [0.52, 0.6, 0.74], [0.47, 0.66, 0.72]])
    measured = Measured(scores, np.broadcast_to(scores, (100, 3, 3)), 50)
    interval = t_interval(measured, GAP, 0.9)
    gaps = scores @ GAP
    expected = t.interval(0.9, 2, gaps.mean(), gaps.std(ddof=1) / np.sqrt(3))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert (interval.level, interval.method) == (0.9, "t")
    assert interval.covers == "seeds and test examples"


@pytest.mark.parametrize("seed", range(8))
def test_fieller_bounds_are_where_a_grid_search_rejects(seed):
    rng = np.random.default_rng(seed)
    mean = np.array([0.5, rng.uniform(0.4, 0.9), 0.8])
    root = rng.normal(size=(3, 3)) * 0.05
    margin = root @ root.T
    bounds = fieller_bounds(mean, margin, GAIN, GAP)
    grid = np.linspace(-20, 20, 400_001)
    contrasts = GAIN - grid[:, None] * GAP
    accepted = (contrasts @ mean) ** 2 <= np.einsum("gi,ij,gj->g", contrasts, margin, contrasts)
    if (GAP @ mean) ** 2 <= GAP @ margin @ GAP:
        assert bounds is None
        assert accepted[0]
        assert accepted[-1]
        return
    assert bounds is not None
    assert bounds[0] == pytest.approx(grid[accepted].min(), abs=2e-4)
    assert bounds[1] == pytest.approx(grid[accepted].max(), abs=2e-4)
    assert accepted.sum() == pytest.approx((bounds[1] - bounds[0]) / 1e-4, abs=3)


def test_fieller_without_variance_is_a_point_however_it_rounds():
    for mean in np.random.default_rng(0).uniform([0, 0, 1], [1, 1, 2], size=(200, 3)):
        expected = (mean[1] - mean[0]) / (mean[2] - mean[0])
        bounds = fieller_bounds(mean, np.zeros((3, 3)), GAIN, GAP)
        assert bounds == pytest.approx((expected, expected), abs=1e-6)


@pytest.mark.parametrize("by_seed", [0.02, 0.05, 0.2, 0.4])
def test_fieller_is_bounded_exactly_where_the_gap_is_clear_of_0(by_seed):
    measured = measured_from(effects(2, 4, 100, 0.1, by_seed, 0.1), 300)
    gap = t_interval(measured, GAP, 0.95)
    interval = fieller_interval(measured, GAIN, GAP, 0.95)
    assert (interval is None) == (gap.low <= 0 <= gap.high)
    assert (interval is None) == (by_seed >= 0.2)


def test_fieller_is_the_delta_method_where_variance_is_small():
    measured = measured_from(effects(0, 4, 200, 2e-3, 1e-4, 2e-3))
    gain, gap = GAIN @ measured.mean, GAP @ measured.mean
    gradient = GAIN / gap - gain / gap**2 * GAP
    half = float(np.sqrt(squared_margin(measured, gradient[None], 0.95)[0, 0]))
    interval = fieller_interval(measured, GAIN, GAP, 0.95)
    assert interval is not None
    assert interval.low == pytest.approx(gain / gap - half, abs=half / 100)
    assert interval.high == pytest.approx(gain / gap + half, abs=half / 100)


def test_exchanging_floor_and_ceiling_turns_a_ratio_into_one_minus_it():
    measured = measured_from(effects(0, 5, 100, 0.1, 0.05, 0.1))
    means = crossed_means(measured, np.random.default_rng(0))
    swapped = np.array([0.0, 1.0, -1.0]), np.array([1.0, 0.0, -1.0])
    there = fieller_interval(measured, GAIN, GAP, 0.95)
    back = fieller_interval(measured, *swapped, 0.95)
    assert there is not None
    assert back is not None
    assert (back.low, back.high) == pytest.approx((1 - there.high, 1 - there.low))
    # The bootstrap asks for a positive gap: exchange the contrasts' signs too.
    there = bootstrap_ratio(measured, means, GAIN, GAP, 0.95)
    back = bootstrap_ratio(measured, means, -swapped[0], -swapped[1], 0.95)
    assert there is not None
    assert back is not None
    assert (back.low, back.high) == pytest.approx((1 - there.high, 1 - there.low))


def test_the_crossed_bootstrap_draws_seeds_and_examples_separately():
    scores = np.random.default_rng(0).normal(0.7, 0.05, size=(6, 3))
    only_seeds = Measured(scores, np.broadcast_to(scores, (20_000, 6, 3)), 50)
    means = crossed_means(only_seeds, np.random.default_rng(1))
    assert means.std(axis=0) == pytest.approx(scores.std(axis=0) / np.sqrt(6), rel=0.03)
    # Seeds that agree draw the same examples: six of them narrow nothing.
    one = measured_from(effects(0, 1, 100, 0.3, 0, 0))
    six = Measured(np.repeat(one.scores, 6, 0), np.repeat(one.replicates, 6, 1), 100)
    means = crossed_means(six, np.random.default_rng(1))
    assert means == pytest.approx(one.replicates[:, 0])


def test_bootstrap_intervals_are_percentiles_and_infinite_replicates_count():
    scores = np.array([[0.5, 0.6, 0.7]])
    measured = Measured(scores, scores[None], 10)
    means = np.zeros((1000, 3))
    means[:, 1] = np.arange(1000) / 1000
    means[:, 2] = 1.0
    interval = bootstrap_interval(measured, means, GAIN, 0.9)
    assert (interval.low, interval.high) == pytest.approx((0.05, 0.95), abs=2e-3)
    means[-20:, 2] = 0.0
    ratio = bootstrap_ratio(measured, means, GAIN, GAP, 0.9)
    assert ratio is not None
    assert (ratio.low, ratio.high) == pytest.approx((0.05, 0.95), abs=2e-3)
    means[-60:, 2] = -0.001
    assert bootstrap_ratio(measured, means, GAIN, GAP, 0.9) is None
