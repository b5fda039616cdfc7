"""The learning rate at points computed by hand, and its shape everywhere."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.training.schedule import rate_factor


@pytest.mark.parametrize(
    ("schedule", "warmup", "floor", "expected"),
    [
        ("cosine", 0.0, 0.0, [1, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4]),
        ("cosine", 0.5, 0.0, [0.5, 1, 1, 0.5]),
        ("cosine", 0.0, 0.2, [1, 0.2 + 0.8 * (2 + 2**0.5) / 4, 0.6, 0.2 + 0.8 * (2 - 2**0.5) / 4]),
        ("linear", 0.0, 0.0, [1, 0.75, 0.5, 0.25]),
        ("linear", 0.25, 0.0, [1, 1, 2 / 3, 1 / 3]),
        ("linear", 0.0, 0.5, [1, 0.875, 0.75, 0.625]),
        ("constant", 0.0, 0.0, [1, 1, 1, 1]),
        ("constant", 0.75, 0.0, [1 / 3, 2 / 3, 1, 1]),
        ("cosine", 1.0, 0.0, [0.25, 0.5, 0.75, 1]),
        ("cosine", 2.0, 0.0, [1 / 8, 2 / 8, 3 / 8, 4 / 8]),
    ],
)
def test_four_steps_by_hand(schedule, warmup, floor, expected):
    found = [rate_factor(step, 4, schedule, warmup, floor) for step in range(4)]
    assert found == pytest.approx(expected, abs=1e-15)


def test_one_step_is_taken_at_the_peak():
    assert rate_factor(0, 1, "cosine", warmup=0.1) == 1


@given(
    st.integers(1, 300),
    st.sampled_from(["cosine", "linear", "constant"]),
    st.floats(0, 1),
    st.floats(0, 0.9),
)
def test_it_rises_then_falls_and_is_never_zero(steps, schedule, warmup, floor):
    rates = [rate_factor(step, steps, schedule, warmup, floor) for step in range(steps)]
    warm = round(warmup * steps)
    assert all(0 < r <= 1 for r in rates)
    assert all(a < b for a, b in pairwise(rates[:warm]))
    assert max(rates) == pytest.approx(1)
    tail = rates[max(warm - 1, 0) :]
    assert all(a >= b for a, b in pairwise(tail))
    assert all(r >= floor for r in rates[warm:])


def test_the_mean_rate_of_a_long_cosine_is_one_half():
    rates = [rate_factor(step, 10_000, "cosine") for step in range(10_000)]
    assert math.fsum(rates) / 10_000 == pytest.approx(0.5, abs=1e-4)
