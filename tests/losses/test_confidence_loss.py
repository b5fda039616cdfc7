"""The confidence loss against a slow recomputation, and the invariants that training rests on."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.hardened import threshold


def draw(seed, b, k=2):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(b, k, generator=generator) * 3
    targets = torch.softmax(torch.randn(b, k, generator=generator) * 2, dim=1)
    return logits, targets


def whole(loss, logits, targets, fraction):
    with torch.no_grad():
        statistics = loss.statistics(logits.detach(), targets, fraction)
    return loss.per_example(logits, targets, fraction, statistics)


def hardened_by_hand(f, w):
    """h for every row: ranks counted one by one."""
    b, k = f.shape
    if k > 2:
        return [max(range(k), key=lambda c: (f[i, c], -c)) for i in range(b)]
    called_positive = 0
    for i in range(b):
        if w[i, 1] > 0.5:
            called_positive += 1
    if called_positive == b:
        threshold = -math.inf
    else:
        threshold = sorted((f[i, 1] for i in range(b)), reverse=True)[called_positive]
    return [1 if f[i, 1] > threshold else 0 for i in range(b)]


def losses_by_hand(logits, w, a):
    """The equation of the docstring, in float64."""
    z = logits.double().numpy()
    f = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    w = w.double().numpy()
    h = hardened_by_hand(f, w)
    losses = []
    for i in range(len(f)):
        imitation = -sum(w[i, c] * math.log(f[i, c]) for c in range(f.shape[1]))
        losses.append((1 - a) * imitation - a * math.log(f[i, h[i]]))
    return torch.tensor(losses, dtype=torch.float32), h


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("b", [1, 2, 33])
@pytest.mark.parametrize("fraction", [0.0, 0.05, 0.6])
def test_equals_the_equation_row_by_row(k, b, fraction):
    for seed in range(5):
        logits, targets = draw(seed, b, k)
        expected, _ = losses_by_hand(logits, targets, a=0.5 * min(1, fraction / 0.2))
        torch.testing.assert_close(whole(Confidence(), logits, targets, fraction), expected)


@settings(deadline=None)
@given(
    odds=st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=20, unique=True),
    positive=st.integers(0, 20),
)
def test_as_many_rows_are_called_positive_as_the_weak_labels_call(odds, positive):
    b = len(odds)
    positive = min(positive, b)
    logits = torch.stack([torch.zeros(b), torch.tensor(odds)], dim=1)
    targets = torch.eye(2)[[1] * positive + [0] * (b - positive)]
    loss = Confidence(maximum=1.0, warmup=0.0)
    log_f = torch.log_softmax(logits, dim=1)
    called = torch.isclose(whole(loss, logits, targets, 0.0), -log_f[:, 1], rtol=0, atol=0)
    ambiguous = logits[:, 1] == 0  # f = 1/2 costs the same either way
    top = set(sorted(range(b), key=lambda i: -odds[i])[:positive])
    for i in range(b):
        if not ambiguous[i] and log_f[i, 0] != log_f[i, 1]:
            assert called[i].item() == (i in top)


@pytest.mark.parametrize("name", ["positive", "negative"])
def test_labels_of_one_class_call_every_row_that_class(name):
    logits, _ = draw(0, 6)
    targets = torch.eye(2)[[int(name == "positive")] * 6]
    expected = CrossEntropy().per_example(logits, targets, 0.0, None)  # h = w, so both terms agree
    torch.testing.assert_close(whole(Confidence(), logits, targets, 0.9), expected)


def test_rows_that_tie_across_the_threshold_are_all_negative():
    targets = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.4, 0.6], [0.5, 0.5]])
    loss = Confidence(maximum=1.0, warmup=0.0)
    logits = torch.tensor([[0.0, 1.0]]).repeat(4, 1)
    negative = -torch.log_softmax(logits, dim=1)[:, 0]
    torch.testing.assert_close(whole(loss, logits, targets, 0.0), negative)


def test_neighbours_in_float32_are_told_apart():
    """Halfway between them there is no number: the middle is rounded to one of them."""
    for start in (1.0, 1.0 + 2**-23, 3.0, -2.0):
        low = torch.tensor(start)
        high = torch.nextafter(low, torch.tensor(torch.inf))
        found = threshold(torch.stack([low, high]), 1)
        assert low <= found < high


def test_nearly_certain_rows_are_still_told_apart():
    logits = torch.tensor([[0.0, 40.0], [0.0, 90.0]])  # both probabilities are 1 in float32
    targets = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    losses = whole(Confidence(maximum=1.0, warmup=0.0), logits, targets, 0.0)
    assert losses.tolist() == [40.0, 0.0]


@pytest.mark.parametrize("k", [2, 4])
def test_the_gradient_is_that_of_a_constant_h(k):
    logits, targets = draw(3, 9, k)
    logits.requires_grad_()
    targets.requires_grad_()
    loss, fraction = Confidence(maximum=0.8, warmup=0.5), 0.25
    whole(loss, logits, targets, fraction).sum().backward()
    _, h = losses_by_hand(logits.detach(), targets.detach(), a=0.4)
    f = torch.softmax(logits.detach(), dim=1)
    expected = f - 0.6 * targets.detach() - 0.4 * torch.eye(k)[h]
    torch.testing.assert_close(logits.grad, expected)
    assert targets.grad is None


@pytest.mark.parametrize(
    ("fraction", "weight"), [(0.0, 0.0), (0.1, 0.3), (0.2, 0.6), (0.5, 0.6), (0.99, 0.6)]
)
def test_the_weight_rises_linearly_and_stays(fraction, weight):
    assert Confidence(maximum=0.6, warmup=0.2).weight(fraction) == pytest.approx(weight)
    assert Confidence(maximum=0.6, warmup=0.0).weight(fraction) == 0.6


def test_without_its_auxiliary_term_it_is_cross_entropy():
    logits, targets = draw(4, 8)
    expected = CrossEntropy().per_example(logits, targets, 0.0, None)
    torch.testing.assert_close(whole(Confidence(maximum=0.0), logits, targets, 0.9), expected)
    torch.testing.assert_close(whole(Confidence(), logits, targets, 0.0), expected)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_micro_batches_give_the_gradient_of_the_batch(k, size):
    logits, targets = draw(5, 8, k)
    loss, fraction = Confidence(), 0.4
    together = logits.clone().requires_grad_()
    (whole(loss, together, targets, fraction).sum() / 8).backward()
    apart = logits.clone().requires_grad_()
    statistics = loss.statistics(logits, targets, fraction)
    for rows in torch.arange(8).split(size):
        (loss.per_example(apart[rows], targets[rows], fraction, statistics).sum() / 8).backward()
    torch.testing.assert_close(apart.grad, together.grad)


def test_rounding_between_the_two_passes_moves_no_row_across_the_threshold():
    logits, targets = draw(6, 32)
    loss = Confidence(maximum=1.0, warmup=0.0)
    threshold = loss.statistics(logits, targets, 0.0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        noisy = logits + 1e-5 * torch.randn(logits.shape, generator=generator)
        torch.testing.assert_close(
            loss.per_example(noisy, targets, 0.0, threshold),
            loss.per_example(logits, targets, 0.0, threshold),
            rtol=0,
            atol=1e-4,
        )


def test_bf16_logits_are_scored_in_float32():
    logits, targets = draw(7, 16)
    logits = logits.bfloat16()
    rounded = whole(Confidence(), logits, targets, 0.9)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, whole(Confidence(), logits.float(), targets, 0.9))


def test_the_order_of_the_batch_plays_no_part():
    logits, targets = draw(8, 16)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    expected = whole(Confidence(), logits, targets, 0.9)[order]
    torch.testing.assert_close(whole(Confidence(), logits[order], targets[order], 0.9), expected)


def test_two_classes_without_a_threshold_are_refused():
    logits, targets = draw(9, 4)
    with pytest.raises(ValueError, match="statistics"):
        Confidence().per_example(logits, targets, 0.5, None)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "0.5", None])
@pytest.mark.parametrize("name", ["maximum", "warmup"])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(UserError, match=f"{name} must be (at|a )"):
        Confidence(**{name: value})
