"""The confidence window: its threshold, its edge, and what is left outside."""

import numpy as np
import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.window import Window


def test_the_threshold_is_the_median_over_all_labels():
    one = np.array([0.9, 0.2, 0.45, 0.05, 0.5])  # confidences .9 .8 .55 .95 .5
    found = Window.from_labels(np.stack([1 - one, one], axis=1))
    assert found.threshold == pytest.approx(0.8)
    assert found.threshold == pytest.approx(0.5 + np.median(abs(one - 0.5)))
    assert Window.from_labels(np.stack([1 - one, one], axis=1)[:2]).threshold == pytest.approx(0.85)
    three = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.0, 0.9]])
    assert Window.from_labels(three).threshold == pytest.approx(0.5)


def test_two_classes_follow_the_rule_of_the_post():
    rng = np.random.default_rng(0)
    z, w = rng.normal(size=41) * 2, rng.uniform(size=41)
    logits = torch.tensor(np.stack([np.zeros(41), z], axis=1))
    labels = np.stack([1 - w, w], axis=1)
    found = Window.from_labels(labels).per_example(logits, torch.tensor(labels), 0.0, None)
    f = 1 / (1 + np.exp(-z))
    inside = abs(f - 0.5) <= np.median(abs(w - 0.5))
    assert 5 < inside.sum() < 36
    expected = np.where(inside, -(w * np.log(f) + (1 - w) * np.log(1 - f)), 0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_row_on_the_edge_is_inside():
    logits, targets = torch.tensor([[0.0, 0.0], [0.0, 0.01]]), torch.tensor([[0.5, 0.5]] * 2)
    found = Window(threshold=0.5).per_example(logits, targets, 0.0, None)
    assert found.tolist() == [pytest.approx(np.log(2)), 0.0]


def test_rows_outside_have_no_gradient_and_still_count_in_the_mean():
    logits = torch.tensor([[0.0, 0.1], [0.0, 9.0], [5.0, 0.0]], requires_grad=True)
    targets = torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.9, 0.1]])
    found = Window(threshold=0.8).per_example(logits, targets, 0.0, None)
    found.mean().backward()
    naive = torch.softmax(logits.detach(), dim=1)[0] - targets[0]
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad[0], naive / 3)
    assert not logits.grad[1:].any()


def test_hard_labels_open_the_window():
    labels = np.eye(2)[[0, 1, 1]]
    logits = torch.tensor([[0.0, 90.0], [0.0, 0.3], [3.0, 0.0]])
    found = Window.from_labels(labels).per_example(logits, torch.tensor(labels), 0.0, None)
    expected = CrossEntropy().per_example(logits, torch.tensor(labels), 0.0, None)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "median"])
def test_thresholds_that_are_no_share_are_refused(value):
    with pytest.raises(UserError, match=r"Window: threshold must be (at|a )"):
        Window(threshold=value)
