"""Activations of any layer are those of a text alone, whatever batch it was in."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from weak2strong.ground.activations import Activations
from weak2strong.tasks.task import Item
from weak2strong.training import predict as batches
from weak2strong.training.activations import layer_activations
from weak2strong.training.predict import pooled_activations

NAMES = ["llama", "gpt2", "bert"]


def uneven(n, seed=0):
    rng = np.random.default_rng(seed)
    words = ["red", "blue", "Lyon", "river", "a", "ever"]
    return [
        Item(f"e{i}", f"g{i}", " ".join(rng.choice(words, rng.integers(1, 20))) + f" {i}")
        for i in range(n)
    ]


def one_by_one(folder, items, layer, pooling):
    """The states of a bare trunk for each text without a neighbour, pooled by hand."""
    trunk = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = []
    for item in items:
        inputs = tokenizer(item.text, return_tensors="pt")
        with torch.inference_mode():
            states = trunk(**inputs, output_hidden_states=True).hidden_states[layer][0]
        rows.append({"last": states[-1], "mean": states.mean(0), "cls": states[0]}[pooling])
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pooling", ["last", "mean", "cls"])
@pytest.mark.parametrize("budget", [1, 60, 32768])
def test_equals_a_forward_pass_for_each_text(load, toy_models, monkeypatch, name, pooling, budget):
    monkeypatch.setattr(batches, "INFERENCE_BUDGET", budget)
    items = uneven(9)
    found = layer_activations(load(name), items, [2, 0, 1], pooling)
    assert list(found) == [2, 0, 1]
    for layer, values in found.items():
        assert values.dtype == np.float32
        expected = one_by_one(toy_models[name], items, layer, pooling)
        assert layer == 0 or pooling == "cls" or np.ptp(expected, axis=0).max() > 0.1
        np.testing.assert_allclose(values, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
def test_the_last_layer_is_what_the_head_reads_to_the_bit(load, name, adaptation, precision):
    model, items = load(name, adaptation=adaptation, precision=precision), uneven(12)
    expected = pooled_activations(model, items)
    for layers in ([2], [0, 1, 2]):
        found = layer_activations(model, items, layers)[2]
        np.testing.assert_array_equal(found, expected)


def test_the_networks_own_pooling_is_the_usual_one(load):
    model, items = load("bert", pooling="cls"), uneven(5)
    own = layer_activations(model, items, [1])[1]
    np.testing.assert_array_equal(own, layer_activations(model, items, [1], "cls")[1])
    assert not np.allclose(own, layer_activations(model, items, [1], "mean")[1])


@pytest.mark.parametrize("name", NAMES)
def test_adapters_are_seen_in_every_layer_above_them(load, name):
    model, items = load(name, adaptation="lora"), uneven(6)
    before = layer_activations(model, items, [0, 1, 2])
    with torch.no_grad():
        for weight, p in model.network.named_parameters():
            if "lora_B" in weight:
                p.normal_()
    after = layer_activations(model, items, [0, 1, 2])
    np.testing.assert_array_equal(after[0], before[0])
    for layer in (1, 2):
        assert np.abs(after[layer] - before[layer]).max() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_items_plays_no_part(load, name):
    model, items = load(name), uneven(25)
    order = np.random.default_rng(1).permutation(25)
    shuffled = [items[i] for i in order]
    ids = [item.id for item in items]
    found = layer_activations(model, items, [1])[1]
    other = layer_activations(model, shuffled, [1])[1]
    joined = Activations(tuple(item.id for item in shuffled), other).at(ids)
    np.testing.assert_allclose(joined, found, rtol=0, atol=2e-5)


def test_means_of_half_precision_are_taken_in_float32(load):
    model = load("llama", adaptation="head", precision="bfloat16")
    item = Item("long", "long", "red blue " * 20)
    tokens = torch.tensor(model.reader.rows([item]))
    with torch.inference_mode():
        states = model.network.trunk(tokens, output_hidden_states=True).hidden_states[1][0]
    assert states.dtype == torch.bfloat16
    found = layer_activations(model, [item], [1], "mean")[1][0]
    np.testing.assert_allclose(found, states.double().mean(0).numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(load, layer):
    with pytest.raises(ValueError, match=f"layer {layer} is none of 0 to 2"):
        layer_activations(load("llama"), uneven(2), [layer])


def test_only_the_chosen_layers_are_held(load, monkeypatch):
    model = load("llama")
    asked = []
    plain = model.network.trunk.forward
    monkeypatch.setattr(
        model.network.trunk,
        "forward",
        lambda *a, **k: asked.append(k.get("output_hidden_states")) or plain(*a, **k),
    )
    layer_activations(model, uneven(2), [2])
    layer_activations(model, uneven(2), [2, 1])
    assert asked == [None, [1]]
