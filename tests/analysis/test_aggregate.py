"""PGR over tasks: values by hand, and entities that are drawn once for all tasks."""

import numpy as np
import pytest

from weak2strong.analysis.aggregate import Answered, aggregate, measured_jointly
from weak2strong.analysis.intervals import Measured, fieller_interval, t_interval
from weak2strong.ground.metrics import accuracy

RNG = np.random.default_rng(0)


def measured(scores: list[list[float]], noise: float = 0.01) -> Measured:
    """Three seeds about these scores (tasks, 3), and 300 replicates about them."""
    flat = np.array(scores).ravel()
    apart = np.array([[-1.0], [0.0], [1.0]]) * noise * RNG.standard_normal(len(flat))
    drawn = noise * RNG.standard_normal((300, 1, len(flat)))
    return Measured(flat + apart, flat + apart + drawn, 200)


SCORES = [[0.5, 0.6, 0.7], [0.5, 0.54, 0.7], [0.6, 0.78, 0.8], [0.6, 0.62, 0.6]]


def test_mean_median_and_pooled_by_hand():
    found = aggregate(measured(SCORES), [True, True, True, False])
    assert found.mean == pytest.approx((0.5 + 0.2 + 0.9) / 3)
    assert found.median == pytest.approx(0.5)
    assert found.pooled == pytest.approx((0.1 + 0.04 + 0.18 + 0.02) / (0.2 + 0.2 + 0.2 + 0.0))
    for value, interval in (
        (found.mean, found.mean_interval),
        (found.median, found.median_interval),
        (found.pooled, found.pooled_interval),
    ):
        assert interval.low < value < interval.high


def test_the_mean_moves_as_its_first_order_says():
    """The interval is that of the numerical gradient of the mean of ratios."""
    m = measured(SCORES[:3], noise=0.003)

    def mean(scores):
        floor, student, ceiling = scores.reshape(3, 3).T
        return ((student - floor) / (ceiling - floor)).mean()

    steps = 1e-6 * np.eye(9)
    gradient = np.array([(mean(m.mean + s) - mean(m.mean - s)) / 2e-6 for s in steps])
    expected = t_interval(m, gradient, 0.95)
    found = aggregate(m, [True] * 3).mean_interval
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=1e-4)


def test_with_one_task_pooled_is_its_pgr_and_there_is_no_mean():
    m = measured(SCORES[:1])
    found = aggregate(m, [True])
    one = fieller_interval(m, np.array([-1.0, 1, 0]), np.array([-1.0, 0, 1]), 0.95)
    assert found.mean is None
    assert found.median_interval is None
    assert found.pooled_interval == one


def test_the_median_of_equal_tasks_has_the_interval_of_one():
    """Tasks that move as one: median, mean and each task are the same number."""
    one = measured(SCORES[:1])
    three = Measured(np.tile(one.scores, 3), np.tile(one.replicates, 3), one.groups)
    found = aggregate(three, [True] * 3)
    assert found.median == pytest.approx(found.mean)
    width = found.mean_interval.high - found.mean_interval.low
    assert found.median_interval.high - found.median_interval.low == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize("ceiling", [0.6, 0.3])
def test_without_any_gap_pooled_is_undefined(ceiling):
    """Also where the ceilings are clearly below the floors."""
    flat = [[0.6, 0.6, ceiling], [0.6, 0.61, ceiling]]
    found = aggregate(measured(flat), [False, False])
    assert found.pooled is None
    assert found.pooled_interval is None


def answered(right: np.ndarray, groups: list[str]) -> Answered:
    """A task with one role and one seed that is right where told."""
    probabilities = np.stack([1.0 - right, right], axis=-1)[None]
    return Answered([probabilities], np.ones(len(right), dtype=int), np.array(groups), accuracy)


def test_tasks_that_share_entities_move_together_and_others_do_not():
    right = (np.arange(100) % 3 > 0).astype(float)
    names = [f"city:{i:03}" for i in range(100)]
    others = [f"river:{i:03}" for i in range(100)]
    order = RNG.permutation(100)
    tasks = [
        answered(right, names),
        answered(right[order], [names[i] for i in order]),
        answered(right, others),
    ]
    m = measured_jointly(tasks, replicates=800)
    assert m.scores[0] == pytest.approx([right.mean()] * 3)
    first, second, third = m.replicates[:, 0].T
    np.testing.assert_allclose(first, second)
    assert abs(np.corrcoef(first, third)[0, 1]) < 0.15
    assert m.groups == 100


def test_too_few_groups_are_an_error():
    with pytest.raises(ValueError, match="too few groups"):
        measured_jointly([answered(np.ones(4), ["g"] * 4)])
    assert measured_jointly([answered(np.ones(4), ["g", "h"] * 2)]).groups == 2


def test_replicates_in_which_one_task_has_no_score_are_left_out():
    """The metric is not defined without the one example of the second task that counts."""

    def where_the_first_is_drawn(probabilities, labels, weights=None):
        scores = accuracy(probabilities, labels, weights)
        return scores if weights is None else np.where(weights[:, 0] > 0, scores, np.nan)

    right = (np.arange(60) % 3 > 0).astype(float)
    first = answered(right, [f"a{i}" for i in range(60)])
    second = answered(right, [f"b{i}" for i in range(60)])
    rare = Answered(second.roles, second.labels, second.groups, where_the_first_is_drawn)
    found = measured_jointly([first, rare], replicates=400)
    whole = measured_jointly([first, second], replicates=400)
    assert np.isfinite(found.replicates).all()
    # An example is drawn in 1 - 1/e of the replicates.
    assert len(found.replicates) == pytest.approx(400 * 0.632, abs=40)
    assert len(whole.replicates) == 400
    kept = {tuple(row) for row in whole.replicates[:, 0]}
    assert {tuple(row) for row in found.replicates[:, 0]} <= kept


def test_a_seed_says_which_entities_are_drawn():
    right = (np.arange(60) % 3 > 0).astype(float)
    task = answered(right, [f"a{i}" for i in range(60)])
    one, same, other = (measured_jointly([task], 200, seed).replicates for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_gaps_of_0_without_any_noise_are_no_gap():
    found = aggregate(measured([[0.6, 0.6, 0.6], [0.5, 0.6, 0.5]], noise=0), [False, False])
    assert found.pooled is None
    assert found.pooled_interval is None
