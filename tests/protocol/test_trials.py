"""A model is tried out before a study: as it is, or by small models of its architecture."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, DebertaConfig, DebertaModel

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.files import check_files
from weak2strong.models.loaded import best_device, on_cpu
from weak2strong.models.small_folders import small_folders
from weak2strong.protocol import trial
from weak2strong.protocol.trial import Trial, try_out
from weak2strong.protocol.trials import try_model, try_small

USES = {
    "a head": ("training", "classification"),
    "rewards": ("training", "preference"),
    "words": ("training", "generation"),
    "states": ("activations", "classification"),
    "prompts": ("prompting", "classification"),
    "reading": ("reading", "classification"),
}


def spec_of(folder, **settings):
    return ModelSpec(str(folder), **({"adaptation": "full"} | settings))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", ["llama", "bert"])
def test_a_decoder_can_all_and_an_encoder_what_needs_no_next_word(toy_models, name, use):
    trial = Trial(spec_of(toy_models[name]), *USES[use])
    if name == "llama" or use in ("a head", "rewards", "states"):
        try_out(trial)
        try_small(trial.model, [trial])
        return
    for tried in (lambda: try_out(trial), lambda: try_small(trial.model, [trial])):
        with pytest.raises(UserError, match=r"no decoder|encoder") as raised:
            tried()
        assert str(toy_models[name]) in str(raised.value)


@pytest.mark.parametrize("adaptation", ["lora", "head"])
def test_a_training_is_tried_by_the_adaptation_that_was_asked_for(toy_models, adaptation):
    try_model(spec_of(toy_models["gpt2"], adaptation=adaptation), [Trial(
        spec_of(toy_models["gpt2"], adaptation=adaptation)
    )], here=True)  # fmt: skip


def test_the_text_is_as_long_as_the_model_reads(toy_models, monkeypatch):
    from weak2strong.models.network import Network

    read = list[int]()
    pooled = Network.pooled

    def noted(self, tokens, mask):
        read.append(tokens.shape[1])
        return pooled(self, tokens, mask)

    monkeypatch.setattr(Network, "pooled", noted)
    try_out(Trial(spec_of(toy_models["llama"], packing="off")))
    assert max(read) == 64
    read.clear()
    try_out(Trial(spec_of(toy_models["llama"], packing="off", max_length=20)))
    assert max(read) == 20


@pytest.fixture(scope="module")
def deberta(toy_models, tmp_path_factory):
    """DeBERTa v1 as a folder, which does not compute in bfloat16."""
    folder = shutil.copytree(toy_models["bert"], tmp_path_factory.mktemp("deberta") / "model")
    config = DebertaConfig(
        vocab_size=320,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        DebertaModel(config).save_pretrained(folder)
    return folder


def test_what_loads_and_cannot_be_trained_is_a_sentence(deberta):
    try_model(spec_of(deberta), [Trial(spec_of(deberta))], here=True)
    low = spec_of(deberta, precision="bfloat16")
    for tried in (try_model, lambda model, trials, here: try_small(model, trials)):
        with pytest.raises(UserError, match=r"(?i)^Model '.*bfloat16.*: .") as raised:
            tried(low, [Trial(low)], here=True)
        assert str(deberta) in str(raised.value)


def test_numbers_that_are_not_finite_are_a_sentence(toy_models, monkeypatch):
    """Of sound weights: they grow too large for their precision, or where a text is long."""
    monkeypatch.setitem(trial._USES, "activations", lambda *of: {"0": np.array([np.inf])})
    with pytest.raises(UserError, match=r"cannot give the states of its layers .*not finite"):
        try_out(Trial(spec_of(toy_models["llama"]), "activations"))


def test_an_error_of_our_own_is_none_of_the_model_s(toy_models, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError("planted")

    # As if it stood in our file.
    broken.__code__ = broken.__code__.replace(co_filename=trial.__file__)
    monkeypatch.setitem(trial._USES, "activations", broken)
    with pytest.raises(ZeroDivisionError, match="planted"):
        try_out(Trial(spec_of(toy_models["llama"]), "activations"))


def test_small_folders_stand_for_a_large_model_and_are_gone_afterwards(toy_models):
    spec = spec_of(toy_models["llama"], head_start="answers", answers=(" no", " yes"))
    folders = small_folders(spec)
    small = next(folders)
    assert small == replace(spec, name=small.name, head_start="random", answers=())
    try_out(Trial(small))
    folders.close()
    assert not Path(small.name).exists()


def test_small_models_are_tried_on_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device().type == "cuda"
    with on_cpu():
        assert best_device().type == "cpu"
    assert best_device().type == "cuda"


def cut_off(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def without_a_shard(folder):
    without_weights(folder)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def with_a_broken_index(folder):
    without_weights(folder)
    (folder / "model.safetensors.index.json").write_text("{")


HARMED = {
    "its file model.safetensors is missing or cut off": cut_off,
    "its folder has neither model.safetensors nor model.safetensors.index.json": without_weights,
    "its file model-00001-of-00002.safetensors is missing or cut off": without_a_shard,
    "its model.safetensors.index.json cannot be read": with_a_broken_index,
}


@pytest.mark.parametrize("said", HARMED)
def test_files_that_are_not_whole_are_a_sentence_without_reading_weights(
    toy_models, tmp_path, said
):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    check_files(spec_of(folder))
    HARMED[said](folder)
    with pytest.raises(UserError, match=rf"^Model '.*' cannot be loaded: {said}"):
        check_files(spec_of(folder))


def test_adapters_are_tried_with_the_model_beneath_them(toy_models, tmp_path, monkeypatch):
    base = shutil.copytree(toy_models["llama"], tmp_path / "base")
    folder = tmp_path / "adapters"
    whole = AutoModelForCausalLM.from_pretrained(base)
    # PEFT asks for what Transformers calls otherwise by now.
    monkeypatch.setattr(type(whole), "is_gradient_checkpointing", False)
    get_peft_model(whole, LoraConfig(target_modules=["q_proj"])).save_pretrained(folder)
    spec = spec_of(folder)
    try_model(spec, [Trial(spec)], here=True)
    cut_off(base)
    with pytest.raises(UserError, match=r"base.* its file model.safetensors is missing or cut off"):
        check_files(spec)


def test_a_model_of_the_hub_without_weights_here_is_refused_offline(
    toy_models, tmp_path, monkeypatch
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--owner--name" / "snapshots" / ("0" * 40)
    shutil.copytree(toy_models["llama"], snapshot)
    spec = ModelSpec("owner/name", "0" * 40, adaptation="full")
    check_files(spec)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"not in the hub's cache, and offline mode is set"):
        check_files(spec)
    # The machines of a cluster may have them.
    check_files(spec, here=False)
