"""The product loss: its exponents, and where it comes to rest."""

import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.product import Product


def draw(b, k):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(b, k, generator=generator)
    return logits, torch.softmax(torch.randn(b, k, generator=generator), dim=1)


def slope(loss, logits, targets):
    logits = logits.clone().requires_grad_()
    loss.per_example(logits, targets, 0.5, None).sum().backward()
    assert logits.grad is not None
    return logits.grad


@pytest.mark.parametrize("k", [2, 4])
def test_the_gradient_is_f_minus_the_normalised_product(k):
    logits, targets = draw(6, k)
    f = torch.softmax(logits, dim=1)
    q = f**0.5 * targets**2
    expected = f - q / q.sum(dim=1, keepdim=True)
    torch.testing.assert_close(slope(Product(alpha=2.0, beta=0.5), logits, targets), expected)


def test_without_the_student_it_is_cross_entropy_and_without_the_supervisor_nothing():
    logits, targets = draw(6, 3)
    naive = CrossEntropy().per_example(logits, targets, 0.5, None)
    torch.testing.assert_close(Product(beta=0.0).per_example(logits, targets, 0.5, None), naive)
    hard = torch.eye(3)[[0, 1, 2, 0, 1, 2]]  # 0 to the power of 0 is 1
    for w in (targets, hard):
        torch.testing.assert_close(slope(Product(alpha=0.0), logits, w), torch.zeros(6, 3))


def test_with_a_small_beta_it_rests_at_sharpened_odds_and_with_beta_1_never():
    weak = torch.tensor([[0.3, 0.7]])
    odds = (weak[:, 1] / weak[:, 0]).log()
    rest = torch.stack([torch.zeros(1), odds / (1 - 0.5)], dim=1)
    found = slope(Product(beta=0.5), rest, weak)
    torch.testing.assert_close(found, torch.zeros(1, 2), rtol=0, atol=1e-6)
    for at in (-3.0, 0.0, 3.0):
        assert slope(Product(), torch.tensor([[0.0, at]]), weak)[0, 1] < 0


def test_a_certain_label_against_a_certain_student_is_the_label():
    loss = Product().per_example(torch.tensor([[-300.0, 300.0]]), torch.eye(2)[:1], 0.5, None)
    assert loss.item() == 600.0  # as probabilities in float32 the product is 0 / 0


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan"), None])
@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_exponents_out_of_range_are_refused(name, value):
    with pytest.raises(UserError, match=f"Product: {name} must be (at least 0|a )"):
        Product(**{name: value})
