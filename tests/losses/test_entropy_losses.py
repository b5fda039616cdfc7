"""Entropy as meant, and as public code has it: only the first has a gradient."""

import pytest
import torch

from weak2strong.ground.errors import UserError
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.entropy import Entropy
from weak2strong.losses.entropy_eleuther_code import EntropyEleutherCode

BOTH = pytest.mark.parametrize("kind", [Entropy, EntropyEleutherCode])


def draw(b, k):
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(b, k, generator=generator)
    return logits, torch.softmax(torch.randn(b, k, generator=generator), dim=1)


def slope(loss, logits, targets, fraction):
    logits = logits.clone().requires_grad_()
    loss.per_example(logits, targets, fraction, None).sum().backward()
    assert logits.grad is not None
    return logits.grad


@pytest.mark.parametrize("k", [2, 4])
def test_entropy_pushes_by_its_own_gradient(k):
    logits, targets = draw(6, k)
    found = slope(Entropy(maximum=1.0, warmup=0.0), logits, targets, 0.0)
    f = torch.softmax(logits, dim=1)
    doubt = -(f * f.log()).sum(dim=1, keepdim=True)
    torch.testing.assert_close(found, -f * (f.log() + doubt))
    uniform = slope(Entropy(maximum=1.0, warmup=0.0), torch.zeros(1, k), targets[:1], 0.0)
    torch.testing.assert_close(uniform, torch.zeros(1, k))


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("k", [2, 4])
def test_the_public_code_is_cross_entropy_scaled_down(k, fraction):
    logits, targets = draw(6, k)
    code, meant = EntropyEleutherCode(maximum=0.8), Entropy(maximum=0.8)
    a = code.weight(fraction)
    naive = slope(CrossEntropy(), logits, targets, fraction)
    torch.testing.assert_close(slope(code, logits, targets, fraction), (1 - a) * naive)
    # Though a plot of the loss shows the entropy.
    values = (x.per_example(logits, targets, fraction, None) for x in (code, meant))
    torch.testing.assert_close(*values)
    if fraction:
        assert not torch.allclose(slope(meant, logits, targets, fraction), (1 - a) * naive)


@BOTH
@pytest.mark.parametrize(
    ("fraction", "weight"), [(0.0, 0.0), (0.1, 0.3), (0.2, 0.6), (0.5, 0.6), (0.99, 0.6)]
)
def test_the_weight_rises_linearly_and_stays(kind, fraction, weight):
    assert kind(maximum=0.6, warmup=0.2).weight(fraction) == pytest.approx(weight)
    assert kind(maximum=0.6, warmup=0.0).weight(fraction) == 0.6


@BOTH
@pytest.mark.parametrize("name", ["maximum", "warmup"])
def test_settings_out_of_range_are_refused(kind, name):
    with pytest.raises(UserError, match=f"{name} must be (at|a )"):
        kind(**{name: -0.1})
