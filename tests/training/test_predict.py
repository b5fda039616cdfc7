"""Answers come back in the order of the questions, whatever batches they were in."""

from itertools import chain, pairwise

import numpy as np
import pytest
import torch

from weak2strong.tasks.task import Item
from weak2strong.training import predict as module
from weak2strong.training.predict import (
    each_batch,
    pooled_activations,
    predict,
    predict_rows,
)

NAMES = ["llama", "gpt2", "bert"]


def uneven(n, seed=0):
    """Items whose lengths are all over the place."""
    rng = np.random.default_rng(seed)
    words = ["red", "blue", "Lyon", "river", "a", "ever"]
    return [
        Item(f"e{i}", f"g{i}", " ".join(rng.choice(words, rng.integers(1, 20))) + f" {i}")
        for i in range(n)
    ]


@pytest.fixture
def sharp(load):
    """A toy whose head is large enough to tell texts apart."""

    def sharp(name):
        model = load(name)
        with torch.no_grad():
            model.network.head.weight.mul_(100)
        return model

    return sharp


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [1, 60, 32768])
def test_row_i_answers_item_i(sharp, monkeypatch, name, budget):
    model, items = sharp(name), uneven(25)
    alone = np.concatenate([predict(model, [item]).probabilities for item in items])
    assert len({row.tobytes() for row in alone.round(6)}) == 25
    monkeypatch.setattr(module, "INFERENCE_BUDGET", budget)
    found = predict(model, items)
    assert found.ids == tuple(item.id for item in items)
    np.testing.assert_allclose(found.probabilities, alone, rtol=0, atol=1e-5)
    order = np.random.default_rng(1).permutation(25)
    shuffled = predict(model, [items[i] for i in order])
    assert shuffled.ids == tuple(items[i].id for i in order)
    np.testing.assert_allclose(shuffled.probabilities, alone[order], rtol=0, atol=1e-5)


def test_probabilities_are_float64_and_add_up(sharp):
    found = predict(sharp("llama"), uneven(9)).probabilities
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(1), 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_activations_are_what_the_head_reads(sharp, name):
    model, items = sharp(name), uneven(12)
    activations = pooled_activations(model, items)
    assert activations.shape == (12, 32)
    assert activations.dtype == np.float32
    weight = model.network.head.weight.detach().double().numpy()
    logits = activations.astype(float) @ weight.T
    odds = predict(model, items).probabilities
    np.testing.assert_allclose(
        np.log(odds[:, 1] / odds[:, 0]), logits[:, 1] - logits[:, 0], rtol=0, atol=1e-4
    )


def test_predicting_changes_nothing_and_takes_no_gradient(sharp):
    model, items = sharp("gpt2"), uneven(5)
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    one = predict(model, items).probabilities
    two = predict(model, items).probabilities
    np.testing.assert_array_equal(one, two)
    assert all(torch.equal(v, before[k]) for k, v in model.network.state_dict().items())
    assert all(p.grad is None for p in model.network.parameters())


def test_a_model_can_still_be_trained_after_it_predicted(sharp):
    model = sharp("llama")
    predict(model, uneven(3))
    model.network(torch.tensor([[5, 6]]), torch.ones(1, 2, dtype=torch.int64)).sum().backward()
    assert model.network.head.weight.grad is not None


def test_encoded_rows_and_items_agree(sharp):
    model, items = sharp("bert"), uneven(7)
    rows = [model.tokenizer(item.text)["input_ids"][:64] for item in items]
    np.testing.assert_array_equal(predict_rows(model, rows), predict(model, items).probabilities)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_an_empty_text_has_an_answer_of_its_own(sharp, name):
    model, others = sharp(name), uneven(4)
    empty = Item("empty", "empty", "")
    alone = predict(model, [empty]).probabilities[0]
    together = predict(model, [*others, empty]).probabilities[-1]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_a_batch_is_read_when_the_next_is_on_its_way(load, lesson, monkeypatch):
    """So that a GPU works while the host reads; every batch is read once."""
    monkeypatch.setattr(module, "INFERENCE_BUDGET", 40)
    model, told = load(), []
    rows = model.reader.rows(lesson(20).items)

    def use(group, batch):
        told.append(("passes", group))
        return lambda: told.append(("is read", group))

    each_batch(model, rows, use)
    groups = [group for what, group in told if what == "passes"]
    assert len(groups) > 3
    expected = [("passes", groups[0])]
    for before, group in pairwise(groups):
        expected += [("passes", group), ("is read", before)]
    assert told == [*expected, ("is read", groups[-1])]
    assert sorted(chain.from_iterable(groups)) == list(range(20))
