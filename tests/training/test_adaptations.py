"""LoRA and head-only training: the same invariants as full training, and what stays frozen."""

import math

import numpy as np
import pytest
import torch

from weak2strong.config.training import Training
from weak2strong.ground.metrics import accuracy
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.training import passes
from weak2strong.training.fit import fit
from weak2strong.training.predict import pooled_activations, predict

NAMES = ["llama", "gpt2", "bert"]
LOSSES = [CrossEntropy(), Confidence(maximum=0.9, warmup=0.3)]
RATE = 3e-3


def settings(rate=RATE, **others):
    plain = {"learning_rate": rate, "head_rate": rate, "batch_size": 14, "stopping": "none"}
    return Training(**plain | others)


def trained(model):
    """All that is trained, but for the pooler of BERT, which nothing reads."""
    named = model.network.named_parameters()
    return {n: p.detach().clone() for n, p in named if p.requires_grad and "pooler" not in n}


def frozen(model):
    return {n: p.clone() for n, p in model.network.named_parameters() if not p.requires_grad}


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("loss", LOSSES, ids=["cross-entropy", "confidence"])
@pytest.mark.parametrize("name", NAMES)
def test_one_seven_or_all_examples_at_a_time(
    load, soft_lesson, monkeypatch, name, loss, adaptation
):
    """The split into micro-batches of 1, of 7 and of all 14 gives the same losses and weights."""

    train, found = soft_lesson(14), []
    for size in (1, 7, 14):
        monkeypatch.setattr(
            passes,
            "cut",
            lambda lengths, budget, launch, floor, size=size: [
                list(range(len(lengths)))[i : i + size] for i in range(0, len(lengths), size)
            ],
        )
        model = load(name, double=True, adaptation=adaptation)
        model.network.trunk.to(torch.float64)
        # Room for the batch where it passes as one, so that both ways of a loss are taken.
        budget = 8192 if size == 14 else 1
        done = fit(model, train, loss, settings(epochs=2), seed=1, token_budget=budget)
        found.append((trained(model), [p.loss for p in done.trace]))
    (first, losses), *others = found
    for weights, again in others:
        assert again == pytest.approx(losses, abs=1e-6)
        assert max((weights[k] - first[k]).abs().max().item() for k in first) < 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_frozen_weights_do_not_move_and_adapters_do(load, lesson, name):
    for adaptation in ("lora", "head"):
        model = load(name, adaptation=adaptation)
        before, start = frozen(model), trained(model)
        fit(model, lesson(14), CrossEntropy(), settings(), seed=0)
        assert all(torch.equal(v, before[k]) for k, v in frozen(model).items())
        moved = [k for k, v in trained(model).items() if not torch.equal(v, start[k])]
        assert moved == list(start)


@pytest.mark.parametrize("name", NAMES)
def test_adapters_learn_a_separable_task(load, lesson, name):
    model, test = load(name, adaptation="lora"), lesson(60, seed=5)
    fit(model, lesson(60), CrossEntropy(), settings(3e-3, epochs=20, batch_size=10), seed=0)
    answers = predict(model, test.items).probabilities
    assert accuracy(answers, test.targets.argmax(1)) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_a_head_on_features_is_a_logistic_regression_by_hand(load, soft_lesson, name):
    """Adam on the activations, by its formulas: no trunk, no micro-batches, no library."""
    model, train = load(name, double=True, adaptation="head"), soft_lesson(12)
    features = pooled_activations(model, train.items).astype(np.float64)
    features /= np.sqrt(np.mean(features**2))
    weight = model.network.head.weight.detach().numpy().copy()
    first = model.network.head.bias
    assert (first is None) == (name != "bert")
    bias = np.zeros(2) if first is None else first.detach().numpy().copy()
    training = settings(epochs=6, batch_size=12, schedule="constant", warmup=0, clip=1e9)
    fit(model, train, CrossEntropy(), training, seed=0)
    moments = [np.zeros((2, *weight.shape)), np.zeros((2, *bias.shape))]
    for step in range(1, 7):
        logits = features @ weight.T + bias
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        residual = (shares - train.targets.astype(np.float32)) / 12
        for value, gradient, m in zip(
            (weight, bias), (residual.T @ features, residual.sum(0)), moments, strict=True
        ):
            if value is bias and first is None:
                continue
            m[0] = 0.9 * m[0] + 0.1 * gradient
            m[1] = 0.95 * m[1] + 0.05 * gradient**2
            up, down = m[0] / (1 - 0.9**step), m[1] / (1 - 0.95**step)
            value -= RATE * up / (np.sqrt(down) + 1e-8)
    # The loop keeps features in float32.
    np.testing.assert_allclose(model.network.head.weight.detach().numpy(), weight, atol=2e-6)
    if first is not None:
        np.testing.assert_allclose(model.network.head.bias.detach().numpy(), bias, atol=2e-6)


def test_a_frozen_trunk_reads_every_text_once(load, lesson):
    model, texts = load(adaptation="head"), []
    model.network.trunk.register_forward_pre_hook(
        lambda _, args, kwargs: texts.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    training = settings(epochs=5, batch_size=4, stopping="weak-validation")
    done = fit(model, lesson(20), CrossEntropy(), training, 0, validation=lesson(9, seed=3))
    assert sum(texts) == 20 + 9
    assert done.padding is None


class KilledError(Exception):
    pass


@pytest.mark.parametrize("adaptation", ["lora", "head"])
def test_killed_and_resumed_equals_undisturbed_to_the_bit(load, lesson, tmp_path, adaptation):
    train, validation, file = lesson(60), lesson(30, seed=5), tmp_path / "c.safetensors"
    training = settings(epochs=3, batch_size=10, stopping="weak-validation")
    rank = {"lora_rank": 1}

    def run(model, **options):
        return fit(model, train, Confidence(), training, 3, validation, **options)

    def die(step, steps):
        if step == 11:
            raise KilledError

    whole = load(adaptation=adaptation, **rank)
    done = run(whole)
    with pytest.raises(KilledError):
        run(load(adaptation=adaptation, **rank), on_step=die, checkpoint=file, checkpoint_seconds=0)
    # Frozen weights are where they were loaded from.
    assert file.stat().st_size < 0.6 * sum(4 * p.numel() for p in whole.network.parameters())
    again = load(adaptation=adaptation, **rank)
    assert run(again, checkpoint=file, checkpoint_seconds=math.inf) == done
    assert all(torch.equal(v, trained(whole)[k]) for k, v in trained(again).items())


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
def test_half_precision_moves_answers_a_little(load, lesson, adaptation):
    answers = []
    for precision in ("float32", "bfloat16"):
        model = load(adaptation=adaptation, precision=precision)
        fit(model, lesson(40), CrossEntropy(), settings(1e-2, epochs=6, batch_size=10), seed=0)
        answers.append(predict(model, lesson(40, seed=5).items).probabilities)
        assert all(v.dtype == torch.float32 for v in trained(model).values())
    assert 0 < np.abs(answers[0] - answers[1]).max() < 0.3
    assert (answers[0].argmax(1) == answers[1].argmax(1)).mean() > 0.9


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("factor", [1e-2, 1e2])
def test_the_size_of_the_states_plays_no_part(load, soft_lesson, adaptation, factor):
    """The same model with states 100 times smaller or larger learns the same, at the same rates."""
    found, train = [], soft_lesson(14)
    for scale in (1.0, factor):
        model = load("llama", double=True, adaptation=adaptation)
        model.network.trunk.register_forward_hook(
            lambda _, args, output, scale=scale: (scale * output[0], *output[1:])
        )
        fit(model, train, CrossEntropy(), settings(epochs=3, clip=1e9), seed=1)
        found.append(predict(model, train.items).probabilities)
    assert np.abs(found[0] - 0.5).max() > 0.01
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)


def test_raw_states_are_read_as_they_are(load, soft_lesson):
    model = load("llama", head_states="raw")
    fit(model, soft_lesson(6), CrossEntropy(), settings(epochs=1), seed=0)
    assert model.network.size.item() == 1.0
