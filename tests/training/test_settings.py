"""Settings that cannot be right are refused in a sentence before anything is trained."""

import math
from dataclasses import replace

import pytest

from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError


@pytest.mark.parametrize("name", ["epochs", "batch_size", "evaluations"])
@pytest.mark.parametrize("value", [0, -1])
def test_counts_are_at_least_one(name, value):
    with pytest.raises(UserError, match=f"Training: {name} must be at least 1, not {value}"):
        Training(**{name: value})
    assert getattr(Training(**{name: 1}), name) == 1


@pytest.mark.parametrize("name", ["learning_rate", "head_rate"])
@pytest.mark.parametrize("value", [0.0, -1e-3, math.nan, math.inf])
def test_rates_are_above_zero(name, value):
    allowed = "above 0" if math.isfinite(value) else "a finite number"
    with pytest.raises(UserError, match=f"Training: {name} must be {allowed}.*, not {value}"):
        Training(**{name: value})


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ((None, None), (1e-4, 3e-3)),
        ((7e-5, None), (7e-5, 7e-5)),
        ((None, 2e-2), (1e-4, 2e-2)),
        ((7e-5, 2e-2), (7e-5, 2e-2)),
    ],
)
def test_rates_that_are_not_given_are_the_models_or_the_trunks(given, filled):
    before = Training(epochs=9, learning_rate=given[0], head_rate=given[1])
    after = before.with_rates((1e-4, 3e-3))
    assert (after.learning_rate, after.head_rate) == filled
    assert after == replace(before, learning_rate=filled[0], head_rate=filled[1])
    assert after.with_rates((1.0, 1.0)) == after


@pytest.mark.parametrize(
    ("value", "allowed"),
    [(-0.1, "at least 0"), (1.1, "at most 1"), (math.nan, "a finite number")],
)
def test_warm_up_is_a_share(value, allowed):
    with pytest.raises(UserError, match=f"Training: warmup must be {allowed}.*, not {value}"):
        Training(warmup=value)


def test_warm_up_may_be_given_in_steps():
    assert Training(warmup=0.1).warmup_share(200) == 0.1
    assert Training(warmup=0.1, warmup_steps=40).warmup_share(160) == 0.25
    assert Training(warmup_steps=40).warmup_share(20) == 2
    for wrong in (0, -1):
        with pytest.raises(UserError, match="Training: warmup_steps must be at least 1, not"):
            Training(warmup_steps=wrong)
    for wrong in (2.5, "40"):
        with pytest.raises(UserError, match="Training: warmup_steps must be a whole number, not"):
            Training(warmup_steps=wrong)


def test_the_ends_of_ranges_are_allowed():
    assert Training(warmup=0).warmup == 0
    assert Training(warmup=1).warmup == 1
    assert Training().learning_rate is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "cosin"},  # linear
        {"stopping": "never"},  # none
        {"stopping_metric": "brier"},  # keeps the worst evaluation
        {"clip": 0.0},  # no training
        {"clip": -1.0},  # uphill
        {"weight_decay": -0.1},
        {"beta2": 1.0},  # divides by zero
        {"epochs": 1.5},
        {"epochs": "3"},
    ],
    ids=str,
)
def test_other_nonsense_is_refused_too(wrong):
    with pytest.raises(UserError, match=f"Training: {next(iter(wrong))} "):
        Training(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"learning_rate": "1e-4"}, {"head_rate": "1e-4"}, {"clip": "1"}, {"warmup": None}],
    ids=str,
)
def test_what_is_no_number_is_refused_in_a_sentence(wrong):
    with pytest.raises(UserError, match=f"Training: {next(iter(wrong))} "):
        Training(**wrong)
