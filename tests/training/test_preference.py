"""A preference is two rewards of one head: against slow formulas, and the same both ways round."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.metrics import METRICS, accuracy
from weak2strong.losses import LOSSES, loss
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.batches import encode_items
from weak2strong.models.load import load_model
from weak2strong.probes import fit_logistic
from weak2strong.tasks.task import Item
from weak2strong.training import passes
from weak2strong.training import predict as predicting
from weak2strong.training.fit import fit
from weak2strong.training.loss import shown_of_part
from weak2strong.training.memory import TokenBudget
from weak2strong.training.passes import HeadAlone, Whole
from weak2strong.training.predict import pooled_activations, pooled_rows, predict
from weak2strong.training.training_set import TrainingSet

NAMES = ["llama", "gpt2", "bert"]
ADAPTATIONS = ["full", "lora", "head"]
ENDS = ("", " here", " beside the river", " in the morning, as ever", " where birds sing")
RATE = 3e-3


@pytest.fixture
def load(toy_models):
    """A function from toy and settings to a fresh model with one reward, in float64 if asked."""

    def load(name="llama", seed=0, double=False, **settings):
        model = load_model(ModelSpec(str(toy_models[name]), **settings), "preference", 2, seed)
        if double:
            model.network.double()
        return model

    return load


def lesson(n, seed=0, soft=False):
    """Pairs of uneven length: what is said of something blue is preferred to something red."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    items = []
    for i, label in enumerate(labels):
        colours = ("red", "blue") if label else ("blue", "red")
        things = rng.choice(["house", "bird", "river", "label"], 2)
        ends = rng.choice(ENDS, 2)
        said = [f" {c} {t}{e}" for c, t, e in zip(colours, things, ends, strict=True)]
        items.append(Item(f"{seed}-{i}", f"g{i}", "A" + ENDS[i % 5], tuple(said)))
    targets = np.eye(2)[labels]
    if soft:
        targets = 0.6 * targets + 0.4 * rng.dirichlet((1, 1), n)
    return TrainingSet(items, targets)


def settings(rate=RATE, **others):
    plain = {"learning_rate": rate, "head_rate": rate, "batch_size": 14, "stopping": "none"}
    return Training(**plain | others)


def swapped(items):
    return [replace(item, completions=item.completions[::-1]) for item in items]


def reward(model, text):
    """Of one text, alone and without padding."""
    tokens = torch.tensor([model.tokenizer(text)["input_ids"]])
    return model.network(tokens, torch.ones_like(tokens))[0, 0]


def trained(model):
    named = model.network.named_parameters()
    return {n: p.detach().clone() for n, p in named if p.requires_grad and "pooler" not in n}


@pytest.mark.parametrize("name", NAMES)
def test_a_probability_is_the_sigmoid_of_the_difference_of_two_rewards(load, name):
    model, items = load(name), lesson(20).items
    fit(model, lesson(20), CrossEntropy(), settings(), seed=0)
    found = predict(model, items)
    assert found.kind == "preference"
    for item, answer in zip(items, found.probabilities, strict=True):
        with torch.no_grad():
            first, second = (reward(model, item.text + c).item() for c in item.completions)
        assert answer[1] == pytest.approx(1 / (1 + math.exp(first - second)), abs=1e-5)
        assert answer.sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("adaptation", ADAPTATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_swapped_completions_get_swapped_probabilities_to_the_bit(
    load, monkeypatch, name, adaptation
):
    model, items = load(name, adaptation=adaptation), lesson(31).items
    # Many small batches, whose borders a different order would shift.
    monkeypatch.setattr(predicting, "INFERENCE_BUDGET", 64)
    fit(model, lesson(20, seed=1), CrossEntropy(), settings(1e-2), seed=0)
    answers = predict(model, items).probabilities
    assert np.ptp(answers[:, 1]) > 1e-3
    np.testing.assert_array_equal(predict(model, swapped(items)).probabilities, answers[:, ::-1])
    some = [*swapped(items[:7]), *items[7:]]
    np.testing.assert_array_equal(
        predict(model, some).probabilities, [*answers[:7, ::-1], *answers[7:]]
    )
    features = pooled_activations(model, items)
    np.testing.assert_array_equal(pooled_activations(model, swapped(items)), -features)


def test_swapped_completions_pass_in_the_very_same_batches(load):
    """What the equality of bits rests on, on every machine."""
    model, items, passed = load(), lesson(31).items, []
    model.network.trunk.register_forward_pre_hook(
        lambda _, args, kwargs: passed.append(kwargs["input_ids"].tolist()), with_kwargs=True
    )
    predict(model, items)
    half = len(passed)
    predict(model, swapped(items)[::-1])
    assert passed[:half] == passed[half:]


def test_two_texts_that_are_the_same_are_a_coin(load):
    same = [replace(i, completions=(i.completions[0],) * 2) for i in lesson(9).items]
    np.testing.assert_array_equal(predict(load(), same).probabilities, np.full((9, 2), 0.5))


def test_every_text_passes_once(load):
    model, seen = load(), []
    model.network.trunk.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    items = lesson(9).items
    predict(model, [*items, *(replace(i, id=f"{i.id}-again") for i in swapped(items))])
    assert sum(seen) == len({text for item in items for text in item.texts})


@pytest.mark.parametrize("loss", [CrossEntropy(), Confidence(maximum=0.9, warmup=0.3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_a_slow_loop_over_pairs(load, name, loss):
    """One step of plain descent by hand: a pair at a time, every text on its own."""
    train = lesson(12, soft=True)
    model, slow = load(name, double=True), load(name, double=True)
    targets = torch.tensor(train.targets, dtype=torch.float32)
    pairs = [[reward(slow, text) for text in item.texts] for item in train.items]
    logits = torch.stack([torch.stack(two) for two in pairs])
    of_batch = loss.statistics(logits.detach(), targets, 0.5) if loss.needs_batch else None
    if isinstance(loss, CrossEntropy):
        # -w log sigma(r2 - r1) - (1 - w) log sigma(r1 - r2), with nothing of ours in it.
        gap = logits[:, 1] - logits[:, 0]
        values = torch.nn.functional.softplus(gap) - targets[:, 1] * gap
    else:
        values = loss.per_example(logits, targets, 0.5, of_batch.rows)
    values.mean().backward()
    texts = Whole(model, encode_items(model.tokenizer, train.items))
    found = torch.empty(12, dtype=torch.float64)
    for part in texts.parts(np.arange(12), TokenBudget(128)):
        outputs = part.run()
        shown = shown_of_part(of_batch, part.positions)
        value = loss.per_example(outputs, targets[part.positions], 0.5, shown)
        found[part.positions] = value.detach()
        (value.sum() / 12).backward()
    torch.testing.assert_close(found, values.detach().double(), atol=1e-6, rtol=0)
    by_hand = {n: p.grad for n, p in slow.network.named_parameters() if p.grad is not None}
    assert by_hand
    for n, p in model.network.named_parameters():
        if n in by_hand:
            torch.testing.assert_close(p.grad, by_hand[n], atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_head_on_features_is_a_bradley_terry_model_by_hand(load, name):
    """Adam on differences of activations, by its formulas: no trunk, no softmax, no library."""
    model, train = load(name, double=True, adaptation="head"), lesson(12, soft=True)
    features = pooled_activations(model, train.items).astype(np.float64)
    features /= np.sqrt(np.mean(pooled_rows(model, model.reader.rows(train.items)) ** 2))
    weight = model.network.head.weight.detach().numpy()[0].copy()
    training = settings(epochs=6, batch_size=12, schedule="constant", warmup=0, clip=1e9)
    fit(model, train, CrossEntropy(), training, seed=0)
    mean, square = np.zeros_like(weight), np.zeros_like(weight)
    for step in range(1, 7):
        answers = 1 / (1 + np.exp(-features @ weight))
        gradient = (answers - train.targets[:, 1].astype(np.float32)) @ features / 12
        mean, square = 0.9 * mean + 0.1 * gradient, 0.95 * square + 0.05 * gradient**2
        up, down = mean / (1 - 0.9**step), square / (1 - 0.95**step)
        weight -= RATE * up / (np.sqrt(down) + 1e-8)
    np.testing.assert_allclose(model.network.head.weight.detach().numpy()[0], weight, atol=2e-6)
    assert model.network.head.bias is None


@pytest.mark.parametrize("adaptation", ADAPTATIONS)
@pytest.mark.parametrize("name", ["llama", "bert"])
def test_one_seven_or_all_pairs_at_a_time(load, monkeypatch, name, adaptation):
    train, found = lesson(14, soft=True), []
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
        budget = 8192 if size == 14 else 1
        fit(model, train, Confidence(warmup=0.3), settings(epochs=2), seed=1, token_budget=budget)
        found.append(trained(model))
    first, *others = found
    for weights in others:
        assert max((weights[k] - first[k]).abs().max().item() for k in first) < 1e-9


@pytest.mark.parametrize("adaptation", ["full", "lora"])
@pytest.mark.parametrize("name", ["llama", "bert"])
def test_a_separable_preference_is_learnt(load, name, adaptation):
    model, test = load(name, adaptation=adaptation), lesson(60, seed=5)
    rate = 2e-2 if adaptation == "lora" else RATE
    fit(model, lesson(60), CrossEntropy(), settings(rate, epochs=8, batch_size=10), seed=0)
    answers = predict(model, test.items).probabilities
    assert accuracy(answers, test.targets.argmax(1)) > 0.9


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_for_two_classes_trains_a_reward(load, name):
    model = load()
    before = trained(model)
    fit(model, lesson(14, soft=True), loss(name), settings(), seed=0)
    after = trained(model)
    assert all(p.isfinite().all() for p in after.values())
    assert not torch.equal(after["head.weight"], before["head.weight"])


def test_padding_is_counted_against_the_longer_text_of_a_pair(load):
    model = load("llama")
    items = [Item("0", "g", "", ("A", "A red house stands beside a blue river."))]
    rows = encode_items(model.tokenizer, items)
    (part,) = Whole(model, rows).parts(np.array([0]), TokenBudget(8192))
    assert part.real == len(rows[0]) + len(rows[1])
    assert part.padded == 2 * len(rows[1]) > part.real
    texts = Whole(model, rows)
    assert texts.holds(np.array([0]), TokenBudget(part.real))
    assert not texts.holds(np.array([0]), TokenBudget(part.real - 1))


def test_a_frozen_trunk_gives_what_a_trained_one_would(load):
    model, items = load(adaptation="head"), lesson(9).items
    rows = encode_items(model.tokenizer, items)
    features = HeadAlone(model, rows)
    assert features.pooled.shape == (9, 2, 32)
    np.testing.assert_allclose(features.answers(), Whole(model, rows).answers(), atol=1e-6)


def test_a_probe_on_differences_prefers_the_other_where_the_texts_are_swapped(load):
    model, train = load(), lesson(40)
    features = pooled_activations(model, train.items)
    assert features.shape == (40, 32)
    both = np.concatenate([features, -features])
    labels = train.targets.argmax(1)
    probe = fit_logistic(both, np.concatenate([labels, 1 - labels]))
    np.testing.assert_allclose(
        probe.predict(-features), probe.predict(features)[:, ::-1], atol=1e-5
    )


def test_metrics_score_which_of_two_is_preferred():
    answers, labels = np.array([[0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]), np.array([1, 0, 0])
    scores = {name: of(answers, labels) for name, of in METRICS["preference"].items()}
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["roc_auc"] == 1
    assert scores["brier"] == pytest.approx(2 * (0.04 + 0.09 + 0.36) / 3)
