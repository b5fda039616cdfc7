"""What a model learns and answers does not depend on whether texts pass it packed or padded."""

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses.confidence import Confidence
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.batches import encode
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.prompts import prompt_and_target
from weak2strong.tasks.task import Item
from weak2strong.training import passes
from weak2strong.training.activations import layer_activations
from weak2strong.training.fit import fit
from weak2strong.training.generate import generate
from weak2strong.training.language import fit_language
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.writing import target_probabilities

SHORT = Training(learning_rate=3e-3, head_rate=1e-2, epochs=2, batch_size=6, clip=0.3)
BOTH = ("off", "on")


def weights(model):
    """All but the pooler of BERT, which nothing reads or trains."""
    named = model.network.named_parameters()
    return torch.cat([p.detach().flatten() for name, p in named if "pooler" not in name])


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_answers_and_activations_are_the_same(load, lesson, name):
    items, found = lesson(20).items, []
    for packing in BOTH:
        model = load(name, double=True, packing=packing)
        calls = []
        model.network.trunk.register_forward_hook(
            lambda *a, calls=calls: calls.append(a[-1][0].shape[:2])
        )
        answers, states = predict(model, items), pooled_activations(model, items)
        layers = [*layer_activations(model, items, [0, 1, 2], pooling="mean").values()]
        found.append([answers.probabilities, states, *layers])
        assert all((texts == 1) == (packing == "on") for texts, _ in calls)
    for padded, packed in zip(*found, strict=True):
        np.testing.assert_allclose(packed, padded, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings", "loss", "budget"),
    [
        ("llama", {}, Confidence(maximum=0.9, warmup=0.3), 8192),
        ("llama", {}, Confidence(maximum=0.9, warmup=0.3), 40),
        ("llama", {"adaptation": "lora"}, CrossEntropy(), 8192),
        ("gpt2", {"checkpointing": "on"}, CrossEntropy(), 40),
        ("bert", {}, CrossEntropy(), 40),
    ],
    ids=["confidence", "confidence in parts", "lora", "computed twice", "encoder"],
)
def test_a_classifier_learns_the_same(load, soft_lesson, name, settings, loss, budget):
    found, train = [], soft_lesson(14)
    for packing in BOTH:
        model = load(name, double=True, packing=packing, **settings)
        before = weights(model)
        done = fit(model, train, loss, SHORT, seed=1, token_budget=budget)
        assert (weights(model) - before).abs().max() > 1e-3
        found.append((weights(model), done))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=1e-9)
    padded, packed = found[0][1], found[1][1]
    assert packed.curve.losses == pytest.approx(padded.curve.losses, rel=1e-6)
    assert packed.padding == 0 < padded.padding


def test_pairs_are_compared_the_same(toy_models):
    rng, words = np.random.default_rng(0), ["red", "blue", "house", "river", "label"]
    texts = [" ".join(rng.choice(words, n)) for n in rng.integers(1, 9, 28)]
    pairs = zip(texts[::2], texts[1::2], strict=True)
    items = [Item(str(i), str(i), "A ", pair) for i, pair in enumerate(pairs)]
    targets, found = np.eye(2)[rng.integers(0, 2, 14)], []
    for packing in BOTH:
        spec = ModelSpec(str(toy_models["llama"]), packing=packing)
        model = load_model(spec, "preference", 2, 0)
        model.network.double()
        fit(model, TrainingSet(items, targets), CrossEntropy(), SHORT, seed=1, token_budget=60)
        found.append((weights(model), predict(model, items).probabilities))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "cached"), [("llama", 384), ("gpt2", 30)])
def test_a_language_model_learns_and_writes_the_same(toy_models, lesson, monkeypatch, name, cached):
    monkeypatch.setattr(passes, "CACHED", dict.fromkeys(passes.CACHED, cached))
    items, found = lesson(14).items, []
    targets = ["Lima", "a red bird"] * 7
    for packing in BOTH:
        model = load_language_model(ModelSpec(str(toy_models[name]), packing=packing))
        model.network.double()
        texts = [i.text for i in items]
        fit_language(model, encode(model.tokenizer, texts), None, SHORT, seed=1)
        rows, counted = prompt_and_target(model.tokenizer, texts, targets)
        fit_language(model, rows, counted, SHORT, seed=1)
        probable = target_probabilities(model, items, targets)
        found.append((weights(model), probable, generate(model, rows, 5)))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-9)
    assert found[1][2] == found[0][2]
