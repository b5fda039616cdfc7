"""A kept model answers as it did, here and by the loader on its card."""

import json

import numpy as np
import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.engine.card import loader
from weak2strong.ground.errors import UserError
from weak2strong.models import saved as files
from weak2strong.models.load import load_model
from weak2strong.models.saved import load_kept, read_about, save_kept
from weak2strong.tasks.task import Item
from weak2strong.training.predict import predict, rewards

TEXTS = ("Lyon is a city in France.", "A red house", "Question: Where is Quito? Answer:", "Lima")
ITEMS = [Item(str(i), str(i), text) for i, text in enumerate(TEXTS)]


def trained(spec, kind="classification", classes=3):
    """A model that differs from its first weights wherever a training would change them."""
    model = load_model(spec, kind, classes, 1)
    draws = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.network.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=draws))
    model.network.size.fill_(0.37)
    model.freeze()
    return model


def saved(spec, folder, kind="classification", classes=3):
    model = trained(spec, kind, classes)
    save_kept(model, spec, model.reader.rows(ITEMS), folder)
    return model


# PEFT's own, of Transformers.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_a_kept_model_answers_as_it_did(toy_models, tmp_path, name, adaptation):
    spec = ModelSpec(str(toy_models[name]), adaptation=adaptation)
    model = saved(spec, tmp_path / "kept")
    before = predict(model, ITEMS).probabilities
    again = predict(load_kept(tmp_path / "kept"), ITEMS).probabilities
    np.testing.assert_allclose(again, before, atol=1e-6)
    fresh = predict(load_model(spec, "classification", 3, 1), ITEMS).probabilities
    assert np.abs(fresh - before).max() > 1e-2
    about = read_about(tmp_path / "kept")
    # Encoders are read by their mean state, and Transformers' class for them is not.
    assert bool(about["transformers_class"]) == (name != "bert")
    assert not list((tmp_path / "kept").glob("model*.safetensors")) or adaptation == "full"
    places = {"FOLDER": str(tmp_path / "kept"), "BASE": spec.name, "TEXTS": list(TEXTS)}
    exec(loader(about), places)
    theirs = places["logits"].detach().double().softmax(1).numpy()
    np.testing.assert_allclose(theirs, before, atol=1e-5)


# PEFT's own, of Transformers.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
@pytest.mark.parametrize(
    "settings",
    [
        {"adaptation": "full", "precision": "bfloat16"},
        {"adaptation": "full", "trained_weights": "bfloat16"},
        {"adaptation": "lora", "precision": "bfloat16"},
        {"adaptation": "head", "precision": "bfloat16"},
    ],
    ids=lambda settings: " ".join(settings.values()),
)
def test_what_was_trained_in_bfloat16_answers_as_it_did(toy_models, tmp_path, settings):
    spec = ModelSpec(str(toy_models["llama"]), **settings)
    model = saved(spec, tmp_path / "kept")
    assert model.precision == torch.bfloat16
    before = predict(model, ITEMS).probabilities
    again = predict(load_kept(tmp_path / "kept"), ITEMS).probabilities
    np.testing.assert_array_equal(again, before)
    places = {"FOLDER": str(tmp_path / "kept"), "BASE": spec.name, "TEXTS": list(TEXTS)}
    exec(loader(read_about(tmp_path / "kept")), places)
    theirs = places["logits"].detach().double().softmax(1).numpy()
    np.testing.assert_allclose(theirs, before, atol=0.03)


def test_a_model_of_preferences_gives_rewards(toy_models, tmp_path):
    spec = ModelSpec(str(toy_models["llama"]), adaptation="full")
    model = saved(spec, tmp_path / "kept", "preference", 2)
    again = load_kept(tmp_path / "kept")
    pair = [Item("p", "p", "Lyon", (" is a city.", " sings."))]
    each = [Item(text, text, text) for text in pair[0].texts]
    first, second = rewards(again, each)
    assert first != second
    of_second = 1 / (1 + np.exp(first - second))
    np.testing.assert_allclose(predict(model, pair).probabilities[0, 1], of_second, atol=1e-6)


def test_adapters_on_another_model_are_refused(toy_models, tmp_path):
    saved(ModelSpec(str(toy_models["llama"]), adaptation="lora"), tmp_path / "kept")
    path = tmp_path / "kept" / files.ABOUT
    about = json.loads(path.read_text())
    about["base"]["fingerprint"] = "0" * 64
    path.write_text(json.dumps(about))
    with pytest.raises(UserError, match="has other weights than it had"):
        load_kept(tmp_path / "kept")


def test_what_is_no_kept_model_is_refused(toy_models, tmp_path):
    with pytest.raises(UserError, match="holds no model that a study kept"):
        load_kept(toy_models["llama"])
    saved(ModelSpec(str(toy_models["bert"]), adaptation="head"), tmp_path / "kept")
    (tmp_path / "kept" / files.HEAD).write_bytes(b"cut")
    with pytest.raises(UserError, match="cannot be read"):
        load_kept(tmp_path / "kept")
    (tmp_path / "kept" / files.ABOUT).write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        load_kept(tmp_path / "kept")
