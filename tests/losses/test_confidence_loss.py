"""The confidence loss against a slow recomputation, and the invariants that training rests on."""

import json
import math
from itertools import product
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.confidence_openai_code import ConfidenceOpenaiCode
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.hardened import ABOVE, Threshold
from weak2strong.training.loss import seen_of_batch, shown_of_part
from weak2strong.training.record import Memory

THRESHOLDS = ("median", "soft-mean", "hard-share", "recent-32")


def draw(seed, b, k=2):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(b, k, generator=generator) * 3
    targets = torch.softmax(torch.randn(b, k, generator=generator) * 2, dim=1)
    return logits, targets


def whole(loss, logits, targets, fraction, before=None):
    with torch.no_grad():
        classes = loss.statistics(logits.detach(), targets, fraction, before).rows
    return loss.per_example(logits, targets, fraction, classes)


def classes_of(threshold, logits, targets, before=None):
    loss = Confidence(threshold=threshold)
    return loss.statistics(logits, targets, 0.5, before).rows.tolist()


def hardened_by_hand(threshold, f, w, earlier=()):
    """h for every row as the sources say it, in float64; earlier answers are (n,) of class 1."""
    b, k = f.shape
    if k > 2:
        return [max(range(k), key=lambda c: (f[i, c], -c)) for i in range(b)]
    if threshold == "median":
        return [int(f[i, 1] > np.median(f[:, 1])) for i in range(b)]
    if threshold == "soft-mean":
        t = np.quantile(f[:, 0], sum(w[:, 1]) / b)
        return [0 if f[i, 0] >= t else 1 for i in range(b)]
    if threshold == "recent-32":
        answers, h = list(earlier), []
        for i in range(b):
            answers.append(f[i, 1])
            h.append(int(f[i, 1] > np.median(answers[-32:])))
        return h
    called_positive = 0
    for i in range(b):
        if w[i, 1] > 0.5:
            called_positive += 1
    if called_positive == b:
        return [1] * b
    bound = sorted((f[i, 1] for i in range(b)), reverse=True)[called_positive]
    return [1 if f[i, 1] > bound else 0 for i in range(b)]


def probabilities(logits):
    z = np.exp(logits.double().numpy())
    return z / z.sum(axis=1, keepdims=True)


def losses_by_hand(logits, w, a, threshold="median", earlier=()):
    """The equation of the docstring, in float64."""
    f, w = probabilities(logits), w.double().numpy()
    h = hardened_by_hand(threshold, f, w, earlier)
    losses = []
    for i in range(len(f)):
        imitation = -sum(w[i, c] * math.log(f[i, c]) for c in range(f.shape[1]))
        losses.append((1 - a) * imitation - a * math.log(f[i, h[i]]))
    return torch.tensor(losses, dtype=torch.float32), h


every_threshold = pytest.mark.parametrize("threshold", THRESHOLDS)


def test_every_threshold_is_tested_here():
    assert set(THRESHOLDS) == set(ABOVE) == set(get_args(Threshold))


def test_the_papers_threshold_is_the_default():
    assert Confidence().threshold == "median"
    assert ConfidenceOpenaiCode().threshold == "soft-mean"


@every_threshold
@pytest.mark.parametrize("k", [2, 3, 5])
def test_equals_the_equation_row_by_row(threshold, k):
    for b, fraction, seed in product([1, 2, 5, 32, 33, 70], [0.0, 0.05, 0.6], range(5)):
        logits, targets = draw(seed, b, k)
        a = 0.5 * min(1, fraction / 0.2)
        expected, _ = losses_by_hand(logits, targets, a, threshold)
        found = whole(Confidence(threshold=threshold), logits, targets, fraction)
        of = f"{b} rows of seed {seed} at {fraction}"
        torch.testing.assert_close(found, expected, msg=lambda told, of=of: f"{of}: {told}")


@every_threshold
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("labels", ["soft", "hard", "halves"])
def test_where_answers_tie_the_classes_are_those_of_the_equation(threshold, k, labels):
    for b, seed in product([1, 2, 3, 4, 8, 31, 40], range(20)):
        logits, targets = draw(seed, b, k)
        logits = logits.round().clamp(-1, 1)
        if labels == "hard":
            targets = torch.eye(k)[targets.argmax(dim=1)]
        if labels == "halves":
            targets[::2] = 1 / k
        before = draw(seed + 100, seed % 40, k)[0].round().clamp(-1, 1)
        earlier = probabilities(before)[:, 1] if k == 2 else ()
        f, w = probabilities(logits), targets.double().numpy()
        expected = hardened_by_hand(threshold, f, w, earlier)
        assert classes_of(threshold, logits, targets, before) == expected, (b, seed)


@pytest.mark.parametrize("threshold", [*THRESHOLDS[:3]])
def test_all_but_the_most_recent_look_at_the_batch_alone(threshold):
    logits, targets = draw(0, 9)
    expected = classes_of(threshold, logits, targets)
    assert Confidence(threshold=threshold).look_back == 0
    assert classes_of(threshold, logits, targets, draw(1, 31)[0]) == expected


@pytest.mark.parametrize("sizes", [[1] * 60, [7] * 8 + [4], [32, 28], [60]])
def test_the_most_recent_answers_go_on_over_the_cut_into_batches(sizes):
    """Where answers do not change meanwhile, batches of any size give the classes of one."""
    logits, targets = draw(2, 60)
    loss, found, carried = Confidence(threshold="recent-32"), [], []
    for rows in torch.arange(60).split(sizes):
        of_batch, carried = seen_of_batch(loss, logits[rows], targets[rows], 0.5, carried)
        assert len(carried) == min(31, len(found) + len(rows))
        found += of_batch.rows.tolist()
    f = probabilities(logits)
    assert found == hardened_by_hand("recent-32", f, targets.numpy())
    forgetful = [
        c
        for rows in torch.arange(60).split(7)
        for c in classes_of("recent-32", logits[rows], targets[rows])
    ]
    assert found != forgetful


def test_no_more_than_31_answers_before_an_example_count():
    logits, targets = draw(3, 5)
    before, further = draw(4, 31)[0], torch.tensor([[0.0, 50.0]]).repeat(200, 1)
    expected = classes_of("recent-32", logits, targets, before)
    assert classes_of("recent-32", logits, targets, torch.cat([further, before])) == expected


def test_what_is_carried_is_exact_in_json():
    logits, targets = draw(5, 40)
    logits[-1] = torch.tensor([-torch.inf, 1e-45])
    loss = Confidence(threshold="recent-32")
    _, carried = seen_of_batch(loss, logits, targets, 0.5, [])
    noted = json.loads(json.dumps(Memory(carried=carried).notes()))["carried"]
    assert torch.equal(torch.tensor(noted), logits[-31:])
    _, after_a_break = seen_of_batch(loss, logits[:3], targets[:3], 0.5, noted)
    assert torch.equal(after_a_break, torch.cat([logits[-28:], logits[:3]]))


@settings(deadline=None)
@given(
    odds=st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=20, unique=True),
    positive=st.integers(0, 20),
)
def test_how_many_rows_are_called_class_1(odds, positive):
    """As many as weak labels are above 1/2, half of them, or about their mean label."""
    b = len(odds)
    positive = min(positive, b)
    logits = torch.stack([torch.zeros(b), torch.tensor(odds)], dim=1)
    targets = torch.eye(2)[[1] * positive + [0] * (b - positive)]
    order = sorted(range(b), key=lambda i: -odds[i])
    for threshold, count in (("hard-share", positive), ("median", b // 2)):
        called = classes_of(threshold, logits, targets)
        assert {i for i in range(b) if called[i]} == set(order[:count])


@pytest.mark.parametrize("half", [0, 1, 3])
def test_a_weak_label_of_one_half_is_on_the_side_of_class_0(half):
    logits, _ = draw(6, 6)
    targets = torch.tensor([[0.5, 0.5]] * half + [[0.4, 0.6]] * (6 - half))
    assert sum(classes_of("hard-share", logits, targets)) == 6 - half


@every_threshold
def test_an_answer_equal_to_its_threshold_is_class_0(threshold):
    """All answers are the same, and so is the threshold; but all labels call for class 1 in one."""
    logits = torch.tensor([[0.0, 1.0]]).repeat(5, 1)
    targets = torch.tensor([[0.3, 0.7]] * 4 + [[0.5, 0.5]])
    assert classes_of(threshold, logits, targets) == [0] * 5
    assert classes_of(threshold, logits[:1], targets[4:]) == [0]


@every_threshold
def test_neighbours_in_float32_are_told_apart(threshold):
    """Halfway between them there is no number."""
    for start in (1.0, 1.0 + 2**-23, 3.0, -2.0):
        low = torch.tensor(start)
        high = torch.nextafter(low, torch.tensor(torch.inf))
        logits = torch.stack([torch.zeros(2), torch.stack([low, high])], dim=1)
        targets = torch.tensor([[0.6, 0.4], [0.4, 0.6]])
        if threshold != "soft-mean":  # which compares probabilities, as that code does
            assert classes_of(threshold, logits, targets) == [0, 1]


@pytest.mark.parametrize("name", ["positive", "negative"])
def test_labels_of_one_class_call_every_row_that_class(name):
    logits, _ = draw(0, 6)
    targets = torch.eye(2)[[int(name == "positive")] * 6]
    expected = CrossEntropy().per_example(logits, targets, 0.0, None)  # h = w, so both terms agree
    loss = Confidence(threshold="hard-share")
    torch.testing.assert_close(whole(loss, logits, targets, 0.9), expected)


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


@every_threshold
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_micro_batches_give_the_gradient_of_the_batch(k, size, threshold):
    logits, targets = draw(5, 8, k)
    loss, fraction = Confidence(threshold=threshold), 0.4
    together = logits.clone().requires_grad_()
    (whole(loss, together, targets, fraction).sum() / 8).backward()
    apart = logits.clone().requires_grad_()
    statistics, _ = seen_of_batch(loss, logits, targets, fraction, [])
    for rows in torch.arange(8).split(size):
        shown = shown_of_part(statistics, rows)
        (loss.per_example(apart[rows], targets[rows], fraction, shown).sum() / 8).backward()
    torch.testing.assert_close(apart.grad, together.grad)


def test_bf16_logits_are_scored_in_float32():
    logits, targets = draw(7, 16)
    logits = logits.bfloat16()
    rounded = whole(Confidence(), logits, targets, 0.9)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, whole(Confidence(), logits.float(), targets, 0.9))


@pytest.mark.parametrize("threshold", [*THRESHOLDS[:3]])
def test_the_order_of_the_batch_plays_no_part_but_for_the_most_recent(threshold):
    logits, targets = draw(8, 16)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    loss = Confidence(threshold=threshold)
    expected = whole(loss, logits, targets, 0.9)[order]
    torch.testing.assert_close(whole(loss, logits[order], targets[order], 0.9), expected)


def test_a_pass_without_the_classes_of_the_batch_is_refused():
    logits, targets = draw(9, 4)
    with pytest.raises(ValueError, match="statistics"):
        Confidence().per_example(logits, targets, 0.5, None)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "0.5", None])
@pytest.mark.parametrize("name", ["maximum", "warmup"])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(UserError, match=f"{name} must be (at|a )"):
        Confidence(**{name: value})


@pytest.mark.parametrize("value", ["mean", "recent-16", None, 0.5])
def test_a_threshold_that_is_none_is_refused(value):
    with pytest.raises(UserError, match="threshold must be one of median, soft-mean, hard-share, "):
        Confidence(threshold=value)
