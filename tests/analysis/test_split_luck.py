"""What benchmarks/split_luck.py computes: how much of a score's variance is the split's."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def split_luck():
    path = Path(__file__).parents[2] / "benchmarks" / "split_luck.py"
    spec = importlib.util.spec_from_file_location("split_luck_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_parts_are_those_that_scores_were_made_of(split_luck):
    rng = np.random.default_rng(0)
    scores = 0.8 + 0.03 * rng.normal(size=(4000, 1)) + 0.02 * rng.normal(size=(4000, 2))
    assert split_luck.parts(scores) == pytest.approx((0.02, 0.03), rel=0.05)


def test_seeds_that_explain_all_leave_nothing_to_splits(split_luck):
    within, between = split_luck.parts(np.array([[0.7, 0.9], [0.9, 0.7], [0.8, 0.8]]))
    assert (within, between) == (pytest.approx((0.04 / 3) ** 0.5), 0.0)
