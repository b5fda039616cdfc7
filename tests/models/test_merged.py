"""A folder of adapters as a model: it computes what PEFT computes with the same adapters."""

import json
import shutil

import numpy as np
import pytest
import torch
from peft import LoHaConfig, LoraConfig, PromptTuningConfig, get_peft_model
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.files import check_files
from weak2strong.models.folders import is_tiny, stack_of
from weak2strong.models.load import load_model
from weak2strong.models.prompted import load_prompted
from weak2strong.models.resolve import fingerprint, resolve_model
from weak2strong.models.saved import load_kept, save_kept
from weak2strong.tasks.task import Item
from weak2strong.training.predict import predict

# PEFT's own, of Transformers.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`", "ignore::DeprecationWarning", "ignore::UserWarning"
)

TOKENS = torch.tensor([[5, 17, 200, 31], [9, 8, 7, 6]])
ITEMS = [Item(text, text, text) for text in ("Lyon is a city in France.", "A red house", "Lima")]

LAYERS = {"llama": ["q_proj", "down_proj"], "gpt2": ["c_attn", "c_fc"], "bert": ["query", "dense"]}
CLASSES = {
    "CAUSAL_LM": AutoModelForCausalLM,
    "SEQ_CLS": AutoModelForSequenceClassification,
    None: AutoModel,
}


def adapted(base, folder, kind=LoraConfig, task="CAUSAL_LM", **settings):
    """Adapters with random weights, saved as a user's, and the model that has them beside it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = CLASSES[task].from_pretrained(base)
        model.config.pad_token_id = 0
        start = {"init_weights" if kind is LoHaConfig else "init_lora_weights": False}
        layers = {"target_modules": LAYERS[base.name], **start}
        if kind is PromptTuningConfig:
            layers = {"num_virtual_tokens": 2}
        model = get_peft_model(model, kind(task_type=task, **layers, **settings)).eval()
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_" in name or "hada_" in name:
                    p.normal_(0, 0.2)
    model.save_pretrained(str(folder), save_embedding_layers=False)
    return model


def last_states(model):
    with torch.no_grad():
        output = model(input_ids=TOKENS, output_hidden_states=True)
    return output.hidden_states[-1].numpy()


def our_states(folder, **settings):
    network = load_model(ModelSpec(str(folder), **settings), "classification", 2, 0).network
    with torch.no_grad():
        return network.states(TOKENS, torch.ones_like(TOKENS)).numpy(), network


@pytest.mark.parametrize(
    ("name", "task", "settings"),
    [
        ("llama", "CAUSAL_LM", {"use_dora": True}),
        ("llama", "CAUSAL_LM", {"rank_pattern": {"model.layers.0.self_attn.q_proj": 3}}),
        ("llama", "SEQ_CLS", {"modules_to_save": ["norm"]}),
        ("llama", "CAUSAL_LM", {"kind": LoHaConfig}),
        ("gpt2", "SEQ_CLS", {"fan_in_fan_out": True}),
        ("bert", None, {"use_rslora": True, "lora_alpha": 4}),
    ],
)
def test_adapters_compute_what_they_do_with_peft(toy_models, tmp_path, name, task, settings):
    base = toy_models[name]
    theirs = last_states(adapted(base, tmp_path / "a", task=task, **settings))
    ours, network = our_states(tmp_path / "a", adaptation="full")
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    assert all(p.requires_grad for p in network.trunk.parameters())
    without, _ = our_states(base)
    assert np.abs(ours - without).max() > 0.05


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_adapters_of_the_output_layer_are_prompted(toy_models, tmp_path, name):
    base = toy_models[name]
    # That of GPT-2 shares its weights with the embedding, which is to stay as it is.
    layers = {"modules_to_save": None, "layers_to_transform": None}
    settings = {**layers, "target_modules": [*LAYERS[name], "lm_head"]}
    LAYERS[name], usual = settings.pop("target_modules"), LAYERS[name]
    try:
        theirs = adapted(base, tmp_path / "a", **settings)
    finally:
        LAYERS[name] = usual
    with torch.no_grad():
        expected = theirs(input_ids=TOKENS).logits[:, -1].numpy()
    model = load_prompted(ModelSpec(str(tmp_path / "a")))
    at = torch.arange(2), torch.full((2,), 3)
    ours = model.logits(TOKENS, torch.ones_like(TOKENS), at).numpy()
    np.testing.assert_allclose(ours, expected, atol=5e-5)
    np.testing.assert_allclose(our_states(tmp_path / "a")[0], last_states(theirs), atol=2e-5)


def test_the_key_has_adapters_and_the_model_beneath_wherever_it_lies(toy_models, tmp_path):
    base = tmp_path / "llama"
    shutil.copytree(toy_models["llama"], base)
    adapted(base, tmp_path / "a")
    spec = ModelSpec(str(tmp_path / "a"))
    before = fingerprint(spec)
    assert before != fingerprint(ModelSpec(str(base)))
    file = tmp_path / "a" / "adapter_config.json"
    config = json.loads(file.read_text())
    (tmp_path / "other").mkdir()
    base.rename(tmp_path / "other" / "llama")
    with pytest.raises(UserError, match=r"stands on the model .*llama, which is not to be had: "):
        resolve_model(spec)
    config["base_model_name_or_path"] = str(tmp_path / "other" / "llama")
    file.write_text(json.dumps(config))
    (tmp_path / "a" / "README.md").write_text("A card.")
    assert fingerprint(spec) == before
    file.write_text(json.dumps({**config, "lora_alpha": 99}))
    assert fingerprint(spec) != before
    file.write_text(json.dumps(config))
    shutil.copy(toy_models["gpt2"] / "config.json", tmp_path / "other" / "llama" / "more.json")
    assert fingerprint(spec) != before


def test_what_cannot_be_merged_is_refused_in_a_sentence(toy_models, tmp_path):
    adapted(toy_models["llama"], tmp_path / "prompts", PromptTuningConfig)
    for refused in (our_states, lambda folder: check_files(ModelSpec(str(folder)))):
        with pytest.raises(UserError, match="is no change of weights"):
            refused(tmp_path / "prompts")
    adapted(toy_models["llama"], tmp_path / "a")
    file = tmp_path / "a" / "adapter_config.json"
    config = json.loads(file.read_text())
    for wrong, sentence in (
        ({"base_model_name_or_path": str(toy_models["bert"])}, "not found in the base model"),
        ({"r": 3}, "cannot be put into the weights"),
        ({"of_a_later_version": 1}, "Unexpected keyword"),
        ({"target_modules": ["q_proj"]}, "is in one of the two only"),
        ({"base_model_name_or_path": None}, "does not tell which model"),
        ({"base_model_name_or_path": str(tmp_path / "a")}, "stand on themselves"),
    ):
        file.write_text(json.dumps({**config, **wrong}))
        with pytest.raises(UserError, match=sentence):
            our_states(tmp_path / "a")
    file.write_text(json.dumps(config))
    check_files(ModelSpec(str(tmp_path / "a")))
    (tmp_path / "a" / "adapter_model.safetensors").unlink()
    with pytest.raises(UserError, match=r"no adapter_model\.safetensors"):
        fingerprint(ModelSpec(str(tmp_path / "a")))


def as_if_trained(model) -> None:
    """Move all that is trained, and end the training."""
    with torch.no_grad():
        for p in model.network.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(5)))
    model.freeze()


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_a_kept_model_is_the_next_ones_beginning(toy_models, tmp_path, name, adaptation):
    spec = ModelSpec(str(toy_models[name]), adaptation=adaptation)
    model = load_model(spec, "classification", 3, 1)
    as_if_trained(model)
    save_kept(model, spec, model.reader.rows(ITEMS), tmp_path / "kept")
    with torch.no_grad():
        before = model.network.states(TOKENS, torch.ones_like(TOKENS)).numpy()
    ours, _ = our_states(tmp_path / "kept")
    np.testing.assert_allclose(ours, before, atol=1e-5)
    kept, base = ModelSpec(str(tmp_path / "kept")), ModelSpec(str(toy_models[name]))
    assert is_tiny(kept)
    assert (fingerprint(kept) == fingerprint(base)) == (adaptation == "head")
    assert (stack_of(kept)[0].name == base.name) == (adaptation != "full")
    # GPT-2's output layer is its embedding; the others' is in the folder of no kept model.
    if name == "llama" and adaptation == "full":
        with pytest.raises(UserError, match="was saved without its output layer"):
            load_prompted(kept)
        answers = {"head_start": "answers", "answers": (" a", " b")}
        with pytest.raises(UserError, match="was saved without its output layer"):
            load_model(ModelSpec(str(tmp_path / "kept"), **answers), "classification", 2, 0)
    elif name == "gpt2":
        at = torch.arange(2), torch.full((2,), 3)
        logits = load_prompted(kept).logits(TOKENS, torch.ones_like(TOKENS), at).numpy()
        embedding = AutoModel.from_pretrained(base.name).wte.weight.detach().numpy()
        if adaptation == "head":
            np.testing.assert_allclose(logits, before[:, -1] @ embedding.T, atol=1e-4)
        assert np.isfinite(logits).all()
    assert load_model(kept, "classification", 2, 0).reader.rows(ITEMS) == model.reader.rows(ITEMS)


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
def test_what_was_trained_on_adapters_is_kept_whole(toy_models, tmp_path, adaptation):
    adapted(toy_models["llama"], tmp_path / "a")
    spec = ModelSpec(str(tmp_path / "a"), adaptation=adaptation)
    model = load_model(spec, "classification", 3, 1)
    as_if_trained(model)
    before = predict(model, ITEMS).probabilities
    save_kept(model, spec, model.reader.rows(ITEMS), tmp_path / "kept")
    shutil.rmtree(tmp_path / "a")
    again = predict(load_kept(tmp_path / "kept"), ITEMS).probabilities
    np.testing.assert_allclose(again, before, atol=1e-5)
    whole = AutoModelForSequenceClassification.from_pretrained(tmp_path / "kept")
    tokens = AutoTokenizer.from_pretrained(tmp_path / "kept", padding_side="right")
    batch = tokens([item.text for item in ITEMS], return_tensors="pt", padding=True)
    theirs = whole(**batch).logits.detach().double().softmax(1).numpy()
    np.testing.assert_allclose(theirs, before, atol=1e-5)
