"""Cross-entropy against torch and against a loop."""

import math

import numpy as np
import torch

from weak2strong.losses.cross_entropy import CrossEntropy


def test_equals_torch_and_a_loop_with_soft_labels():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(7, 3, generator=generator) * 5
    targets = torch.softmax(torch.randn(7, 3, generator=generator), dim=1)
    losses = CrossEntropy().per_example(logits, targets, 0.5, None)
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(losses, expected)
    for i in range(7):
        z = logits[i].double().numpy()
        by_hand = sum(targets[i, c].item() * (np.log(np.exp(z).sum()) - z[c]) for c in range(3))
        assert math.isclose(losses[i].item(), by_hand, rel_tol=1e-5)


def test_needs_nothing_of_the_batch():
    assert CrossEntropy().statistics(torch.zeros(3, 2), torch.zeros(3, 2), 0.0) is None
    assert not CrossEntropy.needs_batch


def test_certain_labels_and_extreme_logits_stay_finite():
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    losses = CrossEntropy().per_example(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]]), 0.0, None)
    assert losses.tolist() == [0.0, 400.0]
    losses.sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[0.0, 0.0], [-1.0, 1.0]]))


def test_bf16_logits_are_scored_in_float32():
    logits = torch.tensor([[1.0, 3.0], [0.5, -0.25]])  # exact in bf16
    targets = torch.tensor([[0.3, 0.7], [0.6, 0.4]])
    exact = CrossEntropy().per_example(logits, targets, 0.0, None)
    rounded = CrossEntropy().per_example(logits.bfloat16(), targets, 0.0, None)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0)


def test_no_gradient_reaches_the_targets():
    logits = torch.zeros(1, 2, requires_grad=True)
    targets = torch.full((1, 2), 0.5, requires_grad=True)
    CrossEntropy().per_example(logits, targets, 0.0, None).sum().backward()
    assert targets.grad is None
