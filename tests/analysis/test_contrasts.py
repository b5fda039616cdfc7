"""Paired differences against formulas by hand, a slow bootstrap, and studies that are simulated."""

import numpy as np
import pytest
from scipy.stats import t

from weak2strong.analysis.aggregate import Answered
from weak2strong.analysis.contrasts import Paired
from weak2strong.ground.metrics import accuracy

A, B = ("student", "a"), ("student", "b")


def right_answers(seeds, examples, rng, means=(0.7, 0.75), by_example=0.3, by_seed=0.03):
    """Whether A and B are right, ``(2, seeds, examples)``; both have luck with examples and seeds
    in common, and some of their own."""
    ease, luck = rng.normal(size=examples), rng.normal(size=(seeds, 1))
    found = []
    for mean in means:
        own = rng.normal(size=examples), rng.normal(size=(seeds, 1))
        chance = mean + by_example * (ease + 0.5 * own[0]) / 3 + by_seed * (luck + own[1])
        found.append(rng.random((seeds, examples)) < chance.clip(0.02, 0.98))
    return np.array(found)


def answered(right):
    """A task on which each role is right just there; ``right`` is (roles, seeds, examples)."""
    n = right.shape[-1]
    labels, groups = np.arange(n) % 2, np.array([f"g{i:04}" for i in range(n)])
    p = np.where(right, labels, 1 - labels).astype(float)
    return Answered([np.stack([1 - x, x], axis=-1) for x in p], labels, groups, accuracy)


def by_hand(right):
    """The difference B - A and the half-width of its interval, written out for single examples."""
    d = right[1].astype(float) - right[0]
    seeds, n = d.shape
    apart = d - d.mean(axis=1, keepdims=True)
    pairs = [
        (apart[s] * apart[other]).sum() / (n - 1) / n
        for s in range(seeds)
        for other in range(seeds)
        if s != other
    ]
    example_part = max(np.mean(pairs), 0)
    seed_part = d.mean(axis=1).var(ddof=1) / seeds
    of_examples = t.ppf(0.975, n - 1) ** 2
    squared = t.ppf(0.975, seeds - 1) ** 2 * seed_part + of_examples * example_part
    # Never less than what other test examples alone would change.
    return d.mean(), np.sqrt(max(squared, of_examples * d.mean(axis=0).var(ddof=1) / n))


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_a_difference_and_its_interval_are_those_of_the_formula(seeds):
    right = right_answers(seeds, 500, np.random.default_rng(seeds))
    found = Paired({"task": answered(right)}, [A, B]).difference(B, A)
    value, half = by_hand(right)
    assert found.value == pytest.approx(value)
    assert found.by_task == {"task": pytest.approx(value)}
    assert (found.interval.low + found.interval.high) / 2 == pytest.approx(value)
    # 1,000 draws of examples estimate a standard deviation to 2 or 3 in 100.
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(half, rel=0.08)


def test_pairing_takes_out_what_both_have_in_common():
    rng = np.random.default_rng(0)
    right = right_answers(3, 600, rng, means=(0.7, 0.7), by_example=2.0)
    right[1] = right[0] ^ (rng.random(right[0].shape) < 0.02)
    paired = Paired({"task": answered(right)}, [A, B]).difference(B, A)
    width = paired.interval.high - paired.interval.low
    shuffled = np.array([right[0], right[1][:, rng.permutation(600)]])
    apart = Paired({"task": answered(shuffled)}, [A, B]).difference(B, A)
    assert apart.value == pytest.approx(paired.value)
    assert width < 0.6 * (apart.interval.high - apart.interval.low)


def test_nobody_elses_scores_play_a_part():
    rng = np.random.default_rng(1)
    right = right_answers(2, 300, rng)
    more = np.concatenate([right, right_answers(2, 300, rng, by_seed=0.3)])
    alone = Paired({"task": answered(right)}, [A, B]).difference(B, A)
    four = Paired({"task": answered(more)}, [A, B, ("x", ""), ("y", "")]).difference(B, A)
    assert four.interval == alone.interval


def test_the_interval_of_a_mean_over_tasks_holds_the_truth_as_often_as_it_says():
    """Two tasks about the same entities, 3 seeds, 150 examples a task."""
    trials, held, truth = 300, 0, 0.05
    for trial in range(trials):
        rng = np.random.default_rng([5, trial])
        tasks = {}
        for name in ("one", "other"):
            right = right_answers(3, 150, rng, means=(0.5, 0.5 + truth), by_example=0.25)
            tasks[name] = answered(right)
        x = Paired(tasks, [A, B]).difference(B, A).interval
        held += x.low < truth < x.high
    # The t intervals of few seeds are a little wide; .93 is three standard errors below .95.
    assert 0.91 <= held / trials <= 0.995


def test_the_interval_of_a_difference_of_pgrs_is_that_of_a_slow_bootstrap():
    """Many seeds and examples, where a crossed bootstrap of both is right, too."""
    rng = np.random.default_rng(3)
    seeds, n = 40, 400
    who = [(run, role) for run in "ab" for role in ("floor", "student", "ceiling")]
    means = (0.6, 0.72, 0.85, 0.6, 0.76, 0.87)
    right = right_answers(seeds, n, rng, means)
    paired = Paired({"task": answered(right)}, who)
    found = paired.recovered_difference(who[3:], who[:3], ["task"])

    def pgr(x):
        floor, student, ceiling = x
        return (student - floor) / (ceiling - floor)

    exact = right.mean(axis=(1, 2))
    assert found.value == pytest.approx(pgr(exact[3:]) - pgr(exact[:3]))
    draws = []
    for _ in range(2000):
        s, i = rng.integers(seeds, size=seeds), rng.integers(n, size=n)
        scores = right[:, s][:, :, i].mean(axis=(1, 2))
        draws.append(pgr(scores[3:]) - pgr(scores[:3]))
    low, high = np.quantile(draws, [0.025, 0.975])
    width = high - low
    # A crossed bootstrap counts what seed and example do together up to three times.
    assert 0.75 * width < found.interval.high - found.interval.low < 1.1 * width
    assert found.interval.low < np.mean(draws) < found.interval.high
