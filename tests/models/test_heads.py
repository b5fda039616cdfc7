"""Pooling sees real tokens only, and a fresh head depends on its seed alone."""

import numpy as np
import pytest
import torch

from weak2strong.models.heads import HEAD_SCALE, new_head, pool_last, pool_mean, read_outputs


def batch(side, lengths=(1, 3, 5), width=4):
    """States where every real token is a vector of its own and padding is NaN."""
    t = max(lengths)
    states = torch.full((len(lengths), t, width), float("nan"))
    mask = torch.zeros(len(lengths), t, dtype=torch.int64)
    for row, n in enumerate(lengths):
        at = range(n) if side == "right" else range(t - n, t)
        for k, position in enumerate(at):
            states[row, position] = torch.arange(width) + 100.0 * row + 10 * k
            mask[row, position] = 1
    return states, mask


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_last_real_token_is_pooled_whatever_the_padding_side(side):
    states, mask = batch(side)
    expected = torch.stack(
        [torch.arange(4) + 100.0 * row + 10 * (n - 1) for row, n in enumerate((1, 3, 5))]
    )
    torch.testing.assert_close(pool_last(states, mask), expected, rtol=0, atol=0)


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_mean_is_that_of_the_real_tokens(side):
    states, mask = batch(side)
    states = states.nan_to_num(1e6)
    expected = torch.stack(
        [torch.arange(4) + 100.0 * row + 10 * (n - 1) / 2 for row, n in enumerate((1, 3, 5))]
    )
    torch.testing.assert_close(pool_mean(states, mask), expected)


def test_no_gradient_reaches_padding():
    for pool in (pool_last, pool_mean):
        states, mask = batch("right")
        states = states.nan_to_num(0.0).requires_grad_()
        pool(states, mask).sum().backward()
        reached = states.grad.abs().sum(-1) > 0
        assert not reached[mask == 0].any()
        assert reached.sum() == (3 if pool is pool_last else 9)


def test_a_head_is_a_function_of_its_generator():
    def draw(seed):
        return new_head("classification", 16, 3, False, torch.Generator().manual_seed(seed))

    one, two, other = draw(0), draw(0), draw(1)
    assert torch.equal(one.weight, two.weight)
    assert not torch.equal(one.weight, other.weight)
    assert one.weight.shape == (3, 16)
    assert one.bias.abs().max() == 0


def test_the_global_generator_neither_decides_nor_is_read():
    torch.manual_seed(1)
    one = new_head("classification", 8, 2, True, torch.Generator().manual_seed(0))
    torch.manual_seed(2)
    two = new_head("classification", 8, 2, True, torch.Generator().manual_seed(0))
    assert torch.equal(one.weight, two.weight)


def test_initial_weights_are_the_usual_uniform_ones_scaled_down():
    head = new_head("classification", 400, 50, True, torch.Generator().manual_seed(0))
    weights = head.weight.detach().numpy() / HEAD_SCALE
    bound = 1 / 20
    assert np.abs(weights).max() <= bound
    assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert abs(weights.mean()) < 4 * bound / 3**0.5 / weights.size**0.5


def test_outputs_are_read_as_float64_probabilities():
    logits = torch.tensor([[0.0, 1.0, -1.0], [90.0, 0.0, 0.0]])
    found = read_outputs(logits)
    e = np.exp([0.0, 1.0, -1.0])
    np.testing.assert_allclose(found[0], e / e.sum(), rtol=1e-14)
    assert found.dtype == np.float64
    assert 0 < found[1, 1] < 1e-38  # float32 would say 0
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-15)


def test_a_mean_of_half_precision_states_is_that_of_the_same_numbers_in_float32():
    states = torch.randn(2, 301, 4).bfloat16()
    mask = torch.ones(2, 301, dtype=torch.long)
    torch.testing.assert_close(pool_mean(states, mask), states.float().mean(1), rtol=0, atol=1e-6)
