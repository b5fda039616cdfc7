"""A short run of benchmarks/few_seeds.py: what docs/statistics.md says of two seeds."""

import numpy as np
import pytest

from weak2strong.analysis.intervals import at_hand_interval


def test_the_simulated_scores_vary_over_test_examples_as_told(few_seeds):
    m = few_seeds.measured(np.array([[0.5, 0.6], [0.5, 0.8]]), 0.02)
    interval = at_hand_interval(m, few_seeds.CEILING - few_seeds.FLOOR, 0.95)
    assert (interval.low, interval.high) == pytest.approx((0.2 - 0.03929, 0.2 + 0.03929), abs=1e-4)


def test_the_gap_of_two_seeds_keeps_its_level_and_can_be_clear(few_seeds):
    shape = few_seeds.SHAPES["floor"]
    found = few_seeds.shares(np.random.default_rng(0), 2, shape, 0.8, 120)
    false, worst, power = found["apart"]
    assert false < 0.04
    assert worst < 0.06
    assert power > found["pairs"][2] + 0.2
    # The others are too sure: where tasks differ, on those that vary most; or everywhere.
    assert found["pooled"][1] > 0.08
    assert found["examples"][0] > 0.1


def test_supervisors_at_hand_are_told_from_chance_with_two_seeds(few_seeds):
    rng = np.random.default_rng(0)
    _, false = few_seeds.above_chance(rng, 2, 0.0, 0.0, 800)
    own, examples = few_seeds.above_chance(rng, 2, 0.05, 0.01, 800)
    assert false < 0.045
    assert examples > own + 0.3
