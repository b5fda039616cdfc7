"""A whole language model: its loss is Transformers' own, and what is saved is what was trained."""

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode, pad
from weak2strong.models.language import (
    Counted,
    LanguageNetwork,
    load_language_model,
    save_language_model,
)
from weak2strong.models.load import load_model

DECODERS = ["llama", "gpt2"]
TEXTS = ["Lyon is a city in France.", "Lima", "A red house stands beside a blue river."]


@pytest.fixture
def load(toy_models):
    def load(name, seed=0, **settings):
        return load_language_model(ModelSpec(str(toy_models[name]), **settings), seed)

    return load


def batch(model):
    rows = encode(model.tokenizer, TEXTS)
    return pad(rows, model.tokenizer.pad_token_id, model.device)


def some(mask):
    """Every third real token counts, the first one of each row included."""
    return mask * (torch.arange(mask.shape[1]) % 3 == 0)


def of(counted):
    """The tokens that a tensor marks with 1, (b, t)."""
    return Counted.of(counted.tolist(), counted.device)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("which", ["all", "some"])
def test_loss_and_gradients_are_those_of_transformers(toy_models, load, name, which):
    model = load(name)
    model.network.double()
    tokens, mask = batch(model)
    counted = mask if which == "all" else some(mask)
    theirs = AutoModelForCausalLM.from_pretrained(toy_models[name]).double().eval()
    labels = torch.where(counted == 1, tokens, -100)
    expected = theirs(input_ids=tokens, attention_mask=mask, labels=labels).loss
    found = model.network(tokens, mask, None if which == "all" else of(counted))
    assert found.shape == (3,)
    mean = found.sum() / counted[:, 1:].sum()
    # Theirs is computed in float32 whatever the weights are.
    torch.testing.assert_close(mean.float(), expected.float())
    mean.backward()
    expected.backward()
    gradients = {n: p.grad for n, p in theirs.named_parameters()}
    own = {n.removeprefix("whole."): p.grad for n, p in model.network.named_parameters()}
    assert own.keys() == gradients.keys()
    for key, gradient in gradients.items():
        torch.testing.assert_close(own[key], gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", DECODERS)
def test_each_row_has_its_own_surprise(load, name):
    model = load(name)
    tokens, mask = batch(model)
    together = model.network(tokens, mask, of(some(mask)))
    for i, length in enumerate(mask.sum(1)):
        cut = slice(i, i + 1), slice(length)
        alone = model.network(tokens[cut], mask[cut], of(some(mask)[cut]))
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-4)


def test_logits_are_made_where_a_token_counts_only(load):
    model, shapes = load("llama"), []
    model.network.whole.lm_head.register_forward_hook(lambda *a: shapes.append(a[2].shape[:2]))
    tokens, mask = batch(model)
    counted = torch.zeros_like(mask)
    counted[0, [3, 5]] = counted[2, 5] = 1
    model.network(tokens, mask, of(counted))
    assert shapes == [(3, 2)]


class Plain(torch.nn.Module):
    """A model of a hub's own code, which makes all of its logits."""

    def __init__(self, whole):
        super().__init__()
        self.whole = whole

    def forward(self, input_ids, attention_mask, use_cache):
        return self.whole(input_ids=input_ids, attention_mask=attention_mask, use_cache=use_cache)


def test_a_model_that_makes_all_its_logits_gives_the_same(load):
    model = load("llama")
    tokens, mask = batch(model)
    found = LanguageNetwork(Plain(model.network.whole))(tokens, mask, of(some(mask)))
    torch.testing.assert_close(found, model.network(tokens, mask, of(some(mask))))


@pytest.mark.parametrize("name", DECODERS)
def test_lora_trains_adapters_only_and_begins_where_the_model_is(load, name):
    adapted, whole = load(name, adaptation="lora"), load(name)
    trained = {n for n, p in adapted.network.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in n for n in trained)
    with torch.inference_mode():
        torch.testing.assert_close(adapted.network(*batch(whole)), whole.network(*batch(whole)))
    assert all(p.requires_grad for p in whole.network.parameters())


def test_half_precision_keeps_trained_weights_in_float32(load):
    model = load("gpt2", precision="bfloat16")
    assert {p.dtype for p in model.network.parameters()} == {torch.float32}
    with model.autocast():
        found = model.network(*batch(model))
    torch.testing.assert_close(found, load("gpt2").network(*batch(model)), rtol=0.05, atol=0)
    assert found.dtype == torch.float32
    model.freeze()
    assert {p.dtype for p in model.network.parameters()} == {torch.bfloat16}


def test_dropout_is_off(load):
    assert not any(part.training for part in load("gpt2").network.modules())


def test_an_encoder_is_refused_by_name(load, toy_models):
    with pytest.raises(UserError, match=rf"{toy_models['bert']}.* is no decoder"):
        load("bert")


def test_training_a_head_alone_is_refused(load):
    with pytest.raises(UserError, match="choose adaptation full or lora"):
        load("gpt2", adaptation="head")


def test_a_trunk_without_its_output_layer_is_refused(toy_models, tmp_path):
    """Transformers would draw random weights for it, and go on."""
    AutoModel.from_pretrained(toy_models["llama"]).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(toy_models["llama"]).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"lacks weights of a language model, lm_head.weight"):
        load_language_model(ModelSpec(str(tmp_path)))


def disturb(model):
    """Change what is trained, as training would."""
    with torch.no_grad():
        for p in model.network.parameters():
            if p.requires_grad:
                p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)) / 10)


def trunk_of(folder):
    model = load_model(ModelSpec(str(folder)), "classification", 2, seed=0)
    return model.network.trunk.state_dict(), model.tokenizer


@pytest.mark.parametrize("name", DECODERS)
def test_the_folder_of_an_untrained_model_holds_the_model(load, toy_models, tmp_path, name):
    save_language_model(load(name), tmp_path / "saved")
    (found, tokenizer), (expected, before) = (
        trunk_of(tmp_path / "saved"),
        trunk_of(toy_models[name]),
    )
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[k], expected[k]) for k in expected)
    assert encode(tokenizer, TEXTS) == encode(before, TEXTS)
    assert tokenizer.pad_token_id == before.pad_token_id
    assert tokenizer.model_max_length == before.model_max_length


@pytest.mark.parametrize("name", DECODERS)
def test_the_folder_of_a_trained_model_holds_what_was_trained(load, toy_models, tmp_path, name):
    model = load(name)
    disturb(model)
    save_language_model(model, tmp_path / "saved")
    found, expected = trunk_of(tmp_path / "saved")[0], model.network.trunk.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[k], expected[k]) for k in expected)
    before = trunk_of(toy_models[name])[0]
    assert not any(torch.equal(found[k], before[k]) for k in expected)
    again = load_language_model(ModelSpec(str(tmp_path / "saved")))
    assert torch.equal(again.network(*batch(model)), model.network(*batch(model)))


@pytest.mark.parametrize("name", DECODERS)
def test_adapters_are_merged(load, tmp_path, name):
    model = load(name, adaptation="lora")
    untrained = model.network(*batch(model))
    disturb(model)
    save_language_model(model, tmp_path / "saved")
    again = load_language_model(ModelSpec(str(tmp_path / "saved")))
    assert not any("lora" in n for n, _ in again.network.named_parameters())
    found, expected = again.network(*batch(model)), model.network(*batch(model))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert (found - untrained).abs().max() > 1


def test_merged_weights_keep_the_precision_of_the_frozen_ones(load, tmp_path):
    model = load("llama", adaptation="lora", precision="bfloat16")
    disturb(model)
    save_language_model(model, tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert {t.dtype for t in saved.values()} == {torch.bfloat16}
    name = "model.layers.0.self_attn.q_proj"
    layer = model.network.whole.get_submodule(name)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    expected = layer.base_layer.weight.float() + 2 * b @ a
    assert torch.equal(saved[f"{name}.weight"], expected.bfloat16())


def test_saving_leaves_the_model_as_it_was(load, tmp_path):
    model = load("gpt2", adaptation="lora")
    disturb(model)
    before = model.network(*batch(model))
    save_language_model(model, tmp_path)
    assert torch.equal(model.network(*batch(model)), before)
