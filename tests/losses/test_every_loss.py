"""Every loss against its equation, written out row by row in NumPy, and what all must keep.

An equation has four arguments: logits ``z``, labels ``w``, the share of training
done, and ``held``, logits too, of which it computes whatever is not
differentiated. With ``held = z`` it gives the value; its differences in z with
``held`` unmoved give the gradient.
"""

import itertools
import math

import numpy as np
import pytest
import torch

from weak2strong.losses import LOSSES, loss
from weak2strong.training.loss import seen_of_batch, shown_of_part

FRACTIONS = [0.0, 0.05, 0.1, 0.15, 0.6]


def probabilities(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def ce(target, f):
    return -sum(t * math.log(p) for t, p in zip(target, f, strict=True) if t > 0)


def one_hot(c, k):
    return [float(c == j) for j in range(k)]


def rises(fraction, warmup):
    return min(fraction / warmup, 1)


def cross_entropy(z, w, fraction, held):
    return [ce(w[i], f) for i, f in enumerate(probabilities(z))]


def kl(z, w, fraction, held):
    f = probabilities(z)
    rows, classes = range(len(w)), range(w.shape[1])
    return [sum(w[i, c] * math.log(w[i, c] / f[i, c]) for c in classes if w[i, c]) for i in rows]


def mixed(z, w, h, a):
    f, k = probabilities(z), w.shape[1]
    return [(1 - a) * ce(w[i], f[i]) + a * ce(one_hot(h[i], k), f[i]) for i in range(len(f))]


def confidence(z, w, fraction, held):
    f = probabilities(held)
    if w.shape[1] > 2:
        h = [int(np.argmax(row)) for row in f]
    else:
        h = [int(row[1] > np.median(f[:, 1])) for row in f]
    return mixed(z, w, h, 0.5 * rises(fraction, 0.2))


def confidence_openai_code(z, w, fraction, held):
    f = probabilities(held)
    t = np.quantile(f[:, 0], w[:, 1].mean())
    h = [0 if row[0] >= t else 1 for row in f]
    return mixed(z, w, h, 0.5 * (1 if fraction > 0.1 else fraction))


def entropy(z, w, fraction, held):
    a = 0.5 * rises(fraction, 0.2)
    return [(1 - a) * ce(w[i], f) + a * ce(f, f) for i, f in enumerate(probabilities(z))]


def entropy_eleuther_code(z, w, fraction, held):
    a, still = 0.5 * rises(fraction, 0.2), probabilities(held)
    return [(1 - a) * ce(w[i], f) + a * ce(still[i], f) for i, f in enumerate(probabilities(z))]


def window(z, w, fraction, held):
    f, still = probabilities(z), probabilities(held)
    return [ce(w[i], f[i]) if max(still[i]) <= 0.65 else 0.0 for i in range(len(f))]


def product(z, w, fraction, held):
    f, still, losses = probabilities(z), probabilities(held), []
    for i in range(len(f)):
        together = [p * x for p, x in zip(still[i], w[i], strict=True)]
        losses.append(ce([t / sum(together) for t in together], f[i]))
    return losses


def adaptive_confidence(z, w, fraction, held):
    f, still, k, losses = probabilities(z), probabilities(held), w.shape[1], []
    for i in range(len(f)):
        own, weak = one_hot(np.argmax(still[i]), k), one_hot(np.argmax(w[i]), k)
        from_weak, from_own = math.exp(ce(weak, still[i])), math.exp(ce(own, still[i]))
        b = rises(fraction, 0.25) * from_weak / (from_weak + from_own)
        losses.append((1 - b) * ce(w[i], f[i]) + b * ce(own, f[i]))
    return losses


EQUATIONS = {
    "cross-entropy": cross_entropy,
    "kl": kl,
    "confidence": confidence,
    "confidence-openai-code": confidence_openai_code,
    "entropy": entropy,
    "entropy-eleuther-code": entropy_eleuther_code,
    "window": window,
    "product": product,
    "adaptive-confidence": adaptive_confidence,
}
CASES = [(n, k) for n in EQUATIONS for k in (2, 3) if (n, k) != ("confidence-openai-code", 3)]
every_loss = pytest.mark.parametrize(("name", "k"), CASES)


def draw(seed, b, k):
    rng = np.random.default_rng(seed)
    z = (3 * rng.normal(size=(b, k))).astype(np.float32)
    return z, probabilities(2 * rng.normal(size=(b, k))).astype(np.float32)


def losses_of(name, logits, targets, fraction):
    return losses_of_rows(name, logits, targets, fraction, torch.arange(len(logits)))


def losses_of_rows(name, logits, targets, fraction, rows):
    """The losses of some rows, with the statistics of all."""
    of, found = loss(name), None
    if of.needs_batch:
        found, carried = seen_of_batch(of, logits.detach(), targets, fraction, [])
        assert carried == [], "with its usual settings, no loss looks back"
        found = shown_of_part(found, rows)
    return of.per_example(logits[rows], targets[rows], fraction, found)


def test_every_loss_has_its_equation_here():
    assert set(EQUATIONS) == set(LOSSES)


def assert_equal_to_the_equation(name, z, w, fraction, about, **tolerance):
    """That losses of float32 logits and labels are those of the equation in float64."""
    found = losses_of(name, torch.tensor(z), torch.tensor(w), fraction)
    z, w = z.astype(np.float64), w.astype(np.float64)
    tolerance = tolerance or {"rtol": 1e-4, "atol": 1e-5}
    expected = EQUATIONS[name](z, w, fraction, z)
    np.testing.assert_allclose(found, expected, **tolerance, err_msg=str(about))


@every_loss
def test_equals_the_equation(name, k):
    for b, fraction, seed in itertools.product([1, 2, 33], FRACTIONS, range(5)):
        z, w = draw(seed, b, k)
        assert_equal_to_the_equation(name, z, w, fraction, (b, fraction, seed))


@every_loss
def test_the_gradient_is_that_of_the_equation(name, k):
    for fraction in FRACTIONS:
        assert_the_gradient_is_that_of_the_equation(name, k, fraction)


def assert_the_gradient_is_that_of_the_equation(name, k, fraction):
    z, w = draw(6, 9, k)
    logits, targets = torch.tensor(z, requires_grad=True), torch.tensor(w, requires_grad=True)
    losses_of(name, logits, targets, fraction).sum().backward()
    assert targets.grad is None
    z, w = z.astype(np.float64), w.astype(np.float64)
    slopes = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[place] = 1e-5
        up, down = (sum(EQUATIONS[name](z + s, w, fraction, z)) for s in (step, -step))
        slopes[place] = (up - down) / 2e-5
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad, slopes, rtol=1e-3, atol=1e-5, err_msg=str(fraction))


@every_loss
def test_equal_predictions(name, k):
    for b, hard in itertools.product([1, 4], [False, True]):
        z, (_, w) = np.full((b, k), 0.25, dtype=np.float32), draw(0, b, k)
        if hard:
            w = np.eye(k, dtype=np.float32)[w.argmax(axis=1)]
        assert_equal_to_the_equation(name, z, w, 0.6, (b, hard), rtol=1e-5)


@every_loss
def test_some_predictions_are_equal(name, k):
    """So that thresholds lie on rows, and the most probable class has company."""
    for seed in range(40):
        z, w = draw(seed, 2 + seed % 5, k)
        assert_equal_to_the_equation(name, z.round().clip(-1, 1), w, 0.6, seed)


@every_loss
def test_labels_of_exactly_0_and_1(name, k):
    z, _ = draw(1, 8, k)
    for classes in ([0] * 8, [k - 1] * 8, [0, k - 1] * 4):
        w = np.eye(k, dtype=np.float32)[classes]
        assert_equal_to_the_equation(name, z, w, 0.6, classes)


@every_loss
def test_labels_without_a_preference(name, k):
    """All classes as likely, in some rows or in all: for two classes, exactly one half."""
    for fraction, rows in itertools.product(FRACTIONS, (1, 4, 8)):
        z, w = draw(7, 8, k)
        w[:rows] = 1 / k
        assert_equal_to_the_equation(name, z, w, fraction, (fraction, rows))


@every_loss
def test_certain_answers_stay_finite(name, k):
    logits = torch.full((4, k), -200.0)
    logits[[0, 1, 2, 3], [0, 0, 1, 1]] = 200.0
    logits.requires_grad_()
    targets = torch.eye(k)[[0, 1, 0, 1]]
    found = losses_of(name, logits, targets, 0.6)
    found.sum().backward()
    assert found.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@every_loss
def test_micro_batches_give_the_gradient_of_the_batch(name, k):
    logits, targets = map(torch.tensor, draw(2, 8, k))
    together = logits.clone().requires_grad_()
    (losses_of(name, together, targets, 0.4).sum() / 8).backward()
    for size in (1, 3, 8):
        apart = logits.clone().requires_grad_()
        for rows in torch.arange(8).split(size):
            (losses_of_rows(name, apart, targets, 0.4, rows).sum() / 8).backward()
        torch.testing.assert_close(apart.grad, together.grad)


@every_loss
def test_the_order_of_the_batch_plays_no_part(name, k):
    logits, targets = map(torch.tensor, draw(3, 16, k))
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    expected = losses_of(name, logits, targets, 0.6)[order]
    torch.testing.assert_close(losses_of(name, logits[order], targets[order], 0.6), expected)


@every_loss
def test_bf16_logits_are_scored_in_float32(name, k):
    logits, targets = map(torch.tensor, draw(4, 16, k))
    rounded = logits.bfloat16()
    found = losses_of(name, rounded, targets, 0.6)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, losses_of(name, rounded.float(), targets, 0.6))
