"""KL divergence: another value than cross-entropy's, the same gradient."""

import torch

from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.losses.kl import Kl


def test_the_gradient_is_that_of_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    one, two = (torch.randn(9, 3, generator=generator) for _ in range(2))
    targets = torch.cat([torch.softmax(two[:6], dim=1), torch.eye(3)])
    slopes = []
    for loss in (Kl(), CrossEntropy()):
        logits = one.clone().requires_grad_()
        loss.per_example(logits, targets, 0.5, None).sum().backward()
        slopes.append(logits.grad)
    torch.testing.assert_close(*slopes, rtol=0, atol=0)


def test_it_is_torchs_divergence_and_0_at_the_label():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(9, 3, generator=generator)
    targets = torch.softmax(torch.randn(9, 3, generator=generator), dim=1)
    log_f = torch.log_softmax(logits, dim=1)
    expected = torch.nn.functional.kl_div(log_f, targets, reduction="none").sum(dim=1)
    torch.testing.assert_close(Kl().per_example(logits, targets, 0.5, None), expected)
    at_rest = Kl().per_example(targets.log(), targets, 0.5, None)
    torch.testing.assert_close(at_rest, torch.zeros(9), rtol=0, atol=1e-6)
