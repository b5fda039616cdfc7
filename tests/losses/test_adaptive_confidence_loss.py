"""The adaptive confidence loss: which sign trusts a sure student, and when."""

import math

import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.losses.adaptive_confidence import AdaptiveConfidence
from weak2strong.losses.cross_entropy import CrossEntropy

HARD = torch.tensor([[1.0, 0.0]])
"""A supervisor who says class 0; the students below are the surer of class 1."""


def trust(loss, odds, fraction=0.9):
    """The weight b, read off the loss of a label that is not the student's answer."""
    logits = torch.tensor([[0.0, odds]])
    ours, theirs = -torch.log_softmax(logits, dim=1)[0].flip(0)
    value = loss.per_example(logits, HARD, fraction, None)[0]
    return ((value - theirs) / (ours - theirs)).item()


def pull(loss, odds):
    """The gradient in the logit of the student's own answer, class 1."""
    logits = torch.tensor([[0.0, odds]], requires_grad=True)
    loss.per_example(logits, HARD, 0.9, None).sum().backward()
    assert logits.grad is not None
    return logits.grad[0, 1].item()


def test_a_student_is_trusted_the_more_the_surer_it_disagrees():
    found = [trust(AdaptiveConfidence(), odds) for odds in (0.5, 1.0, 3.0, 8.0)]
    assert found == sorted(found)
    expected = [1 / (1 + math.exp(-odds)) for odds in (0.5, 1.0, 3.0, 8.0)]
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_published_sign_trusts_it_the_less_and_never_more_than_half(temperature):
    loss = AdaptiveConfidence(temperature=temperature, published=True)
    for odds in (0.5, 1.0, 3.0, 8.0):
        own = math.exp(math.log1p(math.exp(-odds)) / temperature)
        weak = math.exp(math.log1p(math.exp(odds)) / temperature)
        assert trust(loss, odds) == pytest.approx(own / (own + weak), abs=1e-4)
        assert trust(loss, odds) < 0.5
    assert trust(loss, 8.0) < trust(loss, 0.5)


@pytest.mark.parametrize("published", [False, True])
def test_where_they_agree_half_of_the_target_is_the_students(published):
    loss = AdaptiveConfidence(published=published)
    logits, targets = torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([[0.5, 0.2, 0.3]])
    mixed = 0.5 * targets + 0.5 * torch.eye(3)[:1]
    expected = CrossEntropy().per_example(logits, mixed, 0.0, None)
    torch.testing.assert_close(loss.per_example(logits, targets, 0.9, None), expected)


def test_the_temperature_decides_where_a_disagreeing_student_goes():
    for odds in (0.5, 3.0):
        assert pull(AdaptiveConfidence(temperature=1.0), odds) == pytest.approx(0, abs=1e-6)
        assert pull(AdaptiveConfidence(temperature=0.5), odds) < 0  # surer still
        assert pull(AdaptiveConfidence(temperature=4.0), odds) > 0  # towards doubt
        assert pull(AdaptiveConfidence(temperature=0.5, published=True), odds) > 0.3


@pytest.mark.parametrize(("fraction", "share"), [(0.0, 0), (0.125, 0.5), (0.25, 1), (0.9, 1)])
def test_trust_rises_over_the_first_quarter(fraction, share):
    full = 1 / (1 + math.exp(-2.0))
    assert trust(AdaptiveConfidence(), 2.0, fraction) == pytest.approx(share * full, abs=1e-5)
    assert trust(AdaptiveConfidence(warmup=0.0), 2.0, fraction) == pytest.approx(full, abs=1e-5)


@pytest.mark.parametrize("published", [False, True])
def test_small_temperatures_do_not_overflow(published):
    loss = AdaptiveConfidence(temperature=1e-3, published=published)
    logits = torch.tensor([[0.0, 300.0]], requires_grad=True)
    value = loss.per_example(logits, HARD, 0.9, None)
    value.sum().backward()
    assert value.item() == pytest.approx(300.0 if published else 0.0)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "Adaptive-confidence: temperature must be above 0"),
        ({"temperature": float("nan")}, "temperature must be a finite number, not nan"),
        ({"warmup": 1.5}, "warmup must be at most 1, not 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        AdaptiveConfidence(**settings)
