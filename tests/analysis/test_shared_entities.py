"""A short run of benchmarks/shared_entities.py: `w2s compare` where tasks share entities."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

TRIALS = 150


def test_methods_are_as_good_as_the_baseline_in_expectation(shared_entities):
    regime, rng = shared_entities.REGIMES["some"], np.random.default_rng(0)
    right, truth = shared_entities.draw(replace(regime, entities=2000), 3, 12, 4, rng)
    assert right.shape == (3, 12, 4, 2000)
    assert np.mean(truth) == pytest.approx(shared_entities.RIGHT, abs=0.01)
    # Beyond luck with examples and seeds, students score what they are said to.
    assert np.abs(right.mean(axis=(0, 3)) - truth).max() < 0.09


def test_luck_in_common_makes_tests_too_sure_and_is_counted(shared_entities):
    """Taken for independent, tasks reject a third of true nulls; counted, no more than .05."""
    regime = replace(shared_entities.REGIMES["much"], entities=200)
    found = shared_entities.simulate(regime, 2, 21, 1, TRIALS, np.random.default_rng(0))
    assert found["Wilcoxon alone 2"] > 0.2
    assert found["over tasks alone"] < 0.8
    most = binom.ppf(1 - 1e-3, TRIALS, 0.05) / TRIALS
    for name in ("Wilcoxon counted 1", "Wilcoxon counted 2", "t counted 2", "family counted"):
        assert found[name] <= most, name
    assert found["over tasks counted"] >= 1 - most
    assert found["these"] >= 1 - most
    assert 0.05 < found["share"] < 0.4


def test_where_nothing_is_in_common_nothing_is_lost(shared_entities):
    regime = replace(shared_entities.REGIMES["nothing"], entities=100)
    found = shared_entities.simulate(regime, 2, 8, 1, 60, np.random.default_rng(0))
    assert found["share"] < 0.02
    for name in ("Wilcoxon", "t"):
        assert found[f"{name} counted 2"] == pytest.approx(found[f"{name} alone 2"], abs=0.02)
