"""The training loop against a slow literal one, and the invariants that results rest on."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from weak2strong.config.training import Training
from weak2strong.ground.metrics import accuracy
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.consistent import Consistent
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.tasks.task import Item
from weak2strong.training import pace, passes
from weak2strong.training.fit import fit
from weak2strong.training.loop import _batches
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

NAMES = ["llama", "gpt2", "bert"]
RECENT = Confidence(maximum=0.9, warmup=0.3, threshold="recent-32")
LOSSES = [CrossEntropy(), Confidence(maximum=0.9, warmup=0.3), RECENT]
LOSS_IDS = ["cross-entropy", "confidence", "recent"]
RATE = 3e-3


def settings(rate=RATE, **others):
    return Training(**{"learning_rate": rate, "head_rate": rate} | others)


SHORT = settings(
    epochs=2,
    batch_size=6,
    stopping="none",
    weight_decay=0.1,
    clip=0.3,
    evaluations=2,
    head_rate=1e-2,
)


def weights(model):
    """All but the pooler of BERT, which nothing reads or trains."""
    state = model.network.state_dict()
    return {k: v.clone() for k, v in state.items() if "pooler" not in k}


def same(one, two):
    return all(torch.equal(one[k], two[k]) for k in one)


def farthest(one, two):
    return max((one[k] - two[k]).abs().max().item() for k in one)


def size_by_hand(model, items):
    """The root mean square of what the head reads, one text at a time."""
    squares = []
    for item in items:
        tokens = torch.tensor([model.tokenizer(item.text)["input_ids"]])
        with torch.no_grad():
            squares.append(model.network.pooled(tokens, torch.ones_like(tokens)) ** 2)
    return math.sqrt(torch.cat(squares).mean().item())


def slow_fit(model, train, loss, training, seed):
    """Training as a textbook writes it: one example at a time, Adam by its formulas."""
    network = model.network
    targets = torch.tensor(train.targets, dtype=torch.float32)
    n, size = len(train.items), training.batch_size
    steps = training.epochs * math.ceil(n / size)
    warm = round(training.warmup * steps)
    mean, square, curve = {}, {}, []

    def logits(i):
        tokens = torch.tensor([model.tokenizer(train.items[i].text)["input_ids"]])
        return network(tokens, torch.ones_like(tokens))

    seen = torch.empty(0, 2)
    for step, batch in enumerate(islice(_batches(n, size, seed), steps)):
        fraction, shown = step / steps, [None] * len(batch)
        if loss.needs_batch:
            with torch.no_grad():
                whole = torch.cat([logits(i) for i in batch]).float()
            before = [seen[-31:]] if loss is RECENT else []
            shown = loss.statistics(whole, targets[batch], fraction, *before).rows.split(1)
            seen = torch.cat([seen, whole])
        network.zero_grad()
        value_of_batch = 0.0
        for i, of_row in zip(batch, shown, strict=True):
            value = loss.per_example(logits(i), targets[i : i + 1], fraction, of_row)
            (value[0] / len(batch)).backward()
            value_of_batch += value.item() / len(batch)
        trained = {k: p for k, p in network.named_parameters() if p.grad is not None}
        norm = math.sqrt(sum((p.grad.double() ** 2).sum().item() for p in trained.values()))
        if step < warm:
            factor = (step + 1) / warm
        else:
            factor = (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2
        with torch.no_grad():
            for k, p in trained.items():
                g = p.grad * min(1.0, training.clip / (norm + 1e-6))
                mean[k] = 0.9 * mean.get(k, 0) + 0.1 * g
                square[k] = training.beta2 * square.get(k, 0) + (1 - training.beta2) * g * g
                m = mean[k] / (1 - 0.9 ** (step + 1))
                v = square[k] / (1 - training.beta2 ** (step + 1))
                head = k.startswith("head.")
                lr = factor * (training.head_rate if head else training.learning_rate)
                # Biases and scales of norms are vectors, and do not decay.
                decay = training.weight_decay if p.ndim > 1 else 0.0
                p -= lr * decay * p + lr * m / (v.sqrt() + 1e-8)
        curve.append((value_of_batch, norm, factor))
    return curve


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_IDS)
def test_equals_a_slow_literal_loop(load, soft_lesson, name, loss):
    train = soft_lesson(14)
    quick, slow = load(name, double=True), load(name, double=True)
    before = weights(quick)
    done = fit(quick, train, loss, SHORT, seed=1)
    assert quick.network.size.item() == pytest.approx(size_by_hand(slow, train.items), rel=1e-6)
    slow.network.size.copy_(quick.network.size)
    losses, norms, factors = zip(*slow_fit(slow, train, loss, SHORT, seed=1), strict=True)
    assert farthest(weights(quick), before) > RATE
    assert farthest(weights(quick), weights(slow)) < 1e-9
    curve = done.curve
    assert curve.losses == pytest.approx(losses, rel=1e-6)
    assert curve.norms == pytest.approx(norms, rel=1e-6)
    peaks = (SHORT.learning_rate, SHORT.head_rate)
    assert np.array(curve.rates) == pytest.approx(np.outer(factors, peaks), rel=1e-12)


def test_answers_of_earlier_steps_are_looked_back_on(load, soft_lesson):
    """With batches of two, most of the last 32 answers are of earlier steps."""
    found = []
    for threshold in ("median", "recent-32"):
        model = load(double=True)
        loss = Confidence(maximum=0.9, warmup=0, threshold=threshold)
        fit(model, soft_lesson(14), loss, replace(SHORT, batch_size=2), seed=1)
        found.append(weights(model))
    assert farthest(*found) > 0.1 * RATE


def test_warm_up_in_steps_is_that_share_of_the_steps(load, soft_lesson):
    train, found = soft_lesson(14), []
    for warmup in ({"warmup": 0.25}, {"warmup_steps": 2}, {"warmup_steps": 5}):
        model = load(double=True)
        training = settings(RATE, steps=8, batch_size=7, stopping="none", **warmup)
        fit(model, train, CrossEntropy(), training, seed=1)
        found.append(weights(model))
    assert farthest(found[0], found[1]) == 0
    assert farthest(found[0], found[2]) > 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_IDS)
def test_the_micro_batch_split_does_not_matter(load, soft_lesson, name, loss):
    train = soft_lesson(14)
    found = []
    for budget in (8192, 1, 30):
        model = load(name, double=True)
        done = fit(model, train, loss, SHORT, seed=1, token_budget=budget)
        found.append((weights(model), [p.loss for p in done.trace]))
    for others in found[1:]:
        assert farthest(found[0][0], others[0]) < 1e-9
        assert found[0][1] == pytest.approx(others[1], abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_IDS)
def test_small_micro_batches_of_a_batch_that_memory_holds_do_not_matter(
    load, soft_lesson, loss, monkeypatch
):
    """On a CPU a batch is cut to save padding; each text then passes the network once a step."""
    train, found = soft_lesson(14), []
    for budget in (8192, 30):
        monkeypatch.setattr(passes, "CACHED", dict.fromkeys(passes.CACHED, budget))
        model = load(double=True)
        texts = []
        model.network.register_forward_pre_hook(lambda _, x, seen=texts: seen.append(len(x[0])))
        training = settings(RATE, epochs=1, batch_size=7, stopping="none")
        fit(model, train, loss, training, seed=1, token_budget=8192)
        assert sum(texts) == 14
        found.append((len(texts), weights(model)))
    (one, whole), (several, cut) = found
    assert one == 2 < several
    assert farthest(whole, cut) < 1e-9


def test_pairs_come_to_agree_however_the_batch_is_cut(load, soft_lesson):
    whole = soft_lesson(14)
    items = [replace(item, pair=str(i // 2)) for i, item in enumerate(whole.items)]
    train, found, apart = TrainingSet(items, whole.targets), [], []
    for budget, weight in ((8192, 0.0), (8192, 20.0), (1, 20.0)):
        model = load(double=True)
        loss = Consistent(CrossEntropy(), weight, "CrossEntropy")
        fit(model, train, loss, replace(SHORT, epochs=6), seed=1, token_budget=budget)
        found.append(weights(model))
        answers = predict(model, items).probabilities[:, 1]
        apart.append(np.abs(answers[::2] - answers[1::2]).mean())
    assert farthest(found[1], found[2]) < 1e-9
    assert apart[1] < 0.7 * apart[0]


class Spy:
    """A loss of the whole batch that remembers what it was shown."""

    needs_batch = True

    def __init__(self):
        self.shown = []

    def statistics(self, logits, targets, fraction):
        assert not logits.requires_grad
        self.shown.append((logits.clone(), targets.clone(), fraction))
        return torch.tensor(len(self.shown))

    def per_example(self, logits, targets, fraction, statistics):
        assert statistics == len(self.shown)
        assert fraction == self.shown[-1][2]
        return CrossEntropy().per_example(logits, targets, fraction, statistics)


@pytest.mark.parametrize("budget", [8192, 30])
def test_statistics_see_logits_and_targets_of_the_batch_row_by_row(load, soft_lesson, budget):
    train, loss, model = soft_lesson(14), Spy(), load(double=True)
    fit(
        model,
        train,
        loss,
        settings(1e-15, epochs=1, batch_size=6, stopping="none"),
        0,
        token_budget=budget,
    )
    assert [len(logits) for logits, _, _ in loss.shown] == [6, 6, 2]
    assert [fraction for _, _, fraction in loss.shown] == [0, 1 / 3, 2 / 3]
    rows = [tuple(t) for t in train.targets.astype(np.float32)]
    expected = np.log(predict(model, train.items).probabilities)
    for logits, targets, _ in loss.shown:
        at = [rows.index(tuple(t)) for t in targets.numpy()]
        found = torch.log_softmax(logits.double(), dim=1).numpy()
        np.testing.assert_allclose(found, expected[at], rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_IDS)
def test_in_float32_the_split_moves_predictions_by_rounding_only(load, soft_lesson, loss):
    train, asked = soft_lesson(14), soft_lesson(20, seed=9).items
    found = []
    for budget in (8192, 1):
        model = load()
        fit(model, train, loss, SHORT, seed=1, token_budget=budget)
        found.append(predict(model, asked).probabilities)
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bits(load, soft_lesson, name):
    train, found = soft_lesson(20), []
    for noise in (1, 2):
        torch.manual_seed(noise)
        np.random.seed(noise)  # noqa: NPY002  the global state is what must not matter
        model = load(name)
        done = fit(model, train, Confidence(), SHORT, seed=7)
        found.append((weights(model), done))
    assert same(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_another_seed_takes_another_order(load, soft_lesson):
    train, found = soft_lesson(20), []
    for seed in (7, 8):
        model = load(seed=0)
        fit(model, train, CrossEntropy(), SHORT, seed)
        found.append(weights(model))
    assert farthest(*found) > 1e-2 * RATE


def test_every_epoch_sees_every_example_once_in_a_new_order():
    batches = [b.tolist() for b in islice(_batches(10, 4, seed=0), 9)]
    assert [len(b) for b in batches] == [4, 4, 2] * 3
    epochs = [[x for b in batches[i : i + 3] for x in b] for i in (0, 3, 6)]
    assert all(sorted(e) == list(range(10)) for e in epochs)
    assert len({tuple(e) for e in epochs}) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "loss", [CrossEntropy(), Confidence()], ids=["cross-entropy", "confidence"]
)
def test_a_separable_task_is_learnt(load, lesson, name, loss):
    model, test = load(name), lesson(60, seed=5)
    labels = test.targets.argmax(1)
    training = settings(1e-2, epochs=8, batch_size=10, stopping="none")
    fit(model, lesson(60), loss, training, seed=0)
    assert accuracy(predict(model, test.items).probabilities, labels) > 0.9


def test_steps_may_be_given_in_place_of_epochs(load, lesson):
    heard, found = [], []
    for training in (settings(epochs=2, batch_size=5), settings(epochs=9, steps=8, batch_size=5)):
        model = load()
        fit(model, lesson(20), CrossEntropy(), replace(training, stopping="none"), 0)
        found.append(weights(model))
    assert same(*found)
    training = settings(steps=7, batch_size=5, stopping="none", evaluate_every=3)
    done = fit(load(), lesson(20), CrossEntropy(), training, 0, on_step=lambda *s: heard.append(s))
    assert heard == [(n, 7) for n in range(1, 8)]
    assert [p.fraction for p in done.trace] == [3 / 7, 6 / 7, 1]
    assert done.steps == 7


def test_rates_are_given_before_training(load, lesson):
    for rates in ({"learning_rate": 1e-3}, {"head_rate": 1e-3}, {}):
        with pytest.raises(ValueError, match="must be given"):
            fit(load(), lesson(4), CrossEntropy(), Training(stopping="none", **rates), seed=0)


@pytest.mark.parametrize("part", ["trunk", "head"])
def test_each_rate_moves_its_own_part(load, lesson, part):
    name = {"trunk": "learning_rate", "head": "head_rate"}[part]
    training = settings(1e-12, epochs=1, stopping="none", **{name: 1e-2})
    model = load()
    before = weights(model)
    fit(model, lesson(8), CrossEntropy(), training, seed=0)
    for key, value in weights(model).items():
        moved = (value - before[key]).abs().max().item()
        assert (moved > 1e-4) == key.startswith(part), key


@pytest.mark.parametrize("loss", LOSSES, ids=LOSS_IDS)
def test_texts_of_mixed_length_are_hardly_padded(load, loss, monkeypatch):
    """As they would be cut for a model of 20 million weights."""
    rng = np.random.default_rng(0)
    words = ["red", "blue", "river", "house", "Lyon", "in"]
    texts = [" ".join(rng.choice(words, n)) for n in rng.integers(1, 14, 64)]
    items = [Item(str(i), str(i), text) for i, text in enumerate(texts)]
    train = TrainingSet(items, np.eye(2)[np.arange(64) % 2])
    model = load()
    extra = pace.LAUNCH / 2e7 + pace.STREAM[torch.float32]
    monkeypatch.setattr(passes.Whole, "_pace", pace.Pace(0.0, extra))
    done = fit(model, train, loss, settings(epochs=1, stopping="none"), 0, token_budget=8192)
    lengths = [len(r) for r in model.tokenizer(texts)["input_ids"]]
    assert max(lengths) > 10 * min(lengths)
    assert 0 < done.padding < 0.05
