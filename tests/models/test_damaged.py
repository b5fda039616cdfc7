"""A model that is damaged, or whose files do not make sense, is refused before any training, by a
sentence that names the model and the file."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaModel

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models import border
from weak2strong.models.files import check_files
from weak2strong.models.image_model import load_image_model
from weak2strong.models.kept import keeping
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.text_model import load_text_model

from .images import saved

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
UP = "model.layers.0.mlp.up_proj.weight"


def config(**settings):
    """Damage to the settings of a model."""

    def damage(folder):
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | settings))

    return damage


def weights(change):
    """Damage to the weights by name; what ``change`` returns takes their place."""

    def damage(folder):
        state = load_file(folder / WEIGHTS)
        save_file(change(state) or state, folder / WEIGHTS, {"format": "pt"})

    return damage


def number(value, name=UP):
    def change(state):
        state[name].view(-1)[7] = value

    return weights(change)


def file(name, content):
    """Other content of a file; of a function, what it makes of the old one."""

    def damage(folder):
        path = folder / name
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)

    return damage


def part(*path, value):
    """Another value at a place of the tokenizer."""

    def damage(folder):
        read = whole = json.loads((folder / TOKENIZER).read_text())
        for key in path[:-1]:
            read = read[key]
        read[path[-1]] = value
        (folder / TOKENIZER).write_text(json.dumps(whole))

    return damage


def shards(change):
    """The weights in two files with an index, of which something is changed."""

    def damage(folder):
        state = load_file(folder / WEIGHTS)
        (folder / WEIGHTS).unlink()
        where = {
            name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(state)
        }
        for shard in set(where.values()):
            save_file({n: t for n, t in state.items() if where[n] == shard}, folder / shard)
        index = {"metadata": {"total_size": 1}, "weight_map": where}
        change(folder, index)
        (folder / f"{WEIGHTS}.index.json").write_text(json.dumps(index))

    return damage


SECOND = "model-00002-of-00002.safetensors"

DAMAGED = {
    "NaN": (number(float("nan")), rf"weight \S+up_proj.weight in {WEIGHTS} has the number nan"),
    "infinite": (number(float("-inf")), rf"in {WEIGHTS} has the number -inf"),
    "shape": (weights(lambda w: {**w, UP: torch.zeros(60, 32)}), rf"{WEIGHTS} has weights of oth"),
    "lacking": (
        weights(lambda w: {k: v for k, v in w.items() if k != UP}),
        r"lack the weight \S+up_proj.weight, which config.json asks for",
    ),
    "others' weights": (
        weights(lambda w: {f"x.{k}": v for k, v in w.items()}),
        "and 19 others",
    ),
    "more layers": (config(num_hidden_layers=3), r"lack the weight layers.2\S+ and 8 others"),
    "fewer layers": (
        config(num_hidden_layers=1),
        f"{WEIGHTS} has weights of 2 times layers, and config.json says 1",
    ),
    "width": (config(hidden_size=-1), r"config.json does not make sense \(.*hidden size \(-1\)"),
    "no width": (config(hidden_size=0), "config.json says hidden_size 0, which no model has"),
    "word": (config(hidden_size="big"), r"config.json does not make .*expected int, got str"),
    "heads": (config(num_attention_heads=3), "config.json does not make sense .*not a multiple"),
    "no heads": (config(num_attention_heads=0), "config.json does not make sense .*by zero"),
    "layers": (config(num_hidden_layers=10**7), "config.json says num_hidden_layers 10,000,000"),
    "rope": (config(rope_parameters={"rope_type": "spiral"}), "config.json does .*'spiral'"),
    "vocabulary": (config(vocab_size=1000), f"{WEIGHTS} has weights of other sizes"),
    "norm": (config(rms_norm_eps=float("nan")), "gives states that are not finite.*config.json"),
    "no settings": (file("config.json", b"[]"), "config.json holds no JSON object"),
    "empty weights": (file(WEIGHTS, b""), f"file {WEIGHTS} is missing or cut off"),
    "cut weights": (file(WEIGHTS, lambda b: b[: len(b) // 2]), f"{WEIGHTS} is missing or cut off"),
    "shard": (shards(lambda f, i: (f / SECOND).unlink()), f"file {SECOND} is missing"),
    "cut shard": (shards(lambda f, i: (f / SECOND).write_bytes(b"x")), f"{SECOND} is missing or"),
    "index": (shards(lambda f, i: i.pop("weight_map")), r"index.json has no weight_map"),
    "tokenizer": (file(TOKENIZER, bytes(range(256))), f"{TOKENIZER} cannot be read as JSON"),
    "empty tokenizer": (file(TOKENIZER, b"{}"), f"tokenizer cannot be made from {TOKENIZER}"),
    "no such tokenizer": (part("model", "type", value="X"), f"cannot be made from {TOKENIZER}"),
    "merges": (part("model", "merges", value=[["q", "ZZ"]]), f"from {TOKENIZER} .*`ZZ` out of"),
    "length": (
        file("tokenizer_config.json", b'{"model_max_length": -1}'),
        "tokenizer_config.json says model_max_length -1",
    ),
    "special": (file("special_tokens_map.json", b"{"), "special_tokens_map.json cannot be read"),
}
"""What is done to the folder of a model, and what is said of it."""


@pytest.mark.parametrize(("damage", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_model_is_refused_by_a_sentence(toy_models, tmp_path, damage, said):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    damage(folder)
    with pytest.raises(UserError, match=said) as caught:
        load_model(ModelSpec(str(folder)), "classification", 2, 0)
    assert str(caught.value).startswith(f"Model '{folder}' ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["shard", "cut shard", "index", "empty weights", "heads", "fewer layers"]
)
def test_files_alone_tell_it_before_anything_is_loaded(toy_models, tmp_path, name):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    damage, said = DAMAGED[name]
    damage(folder)
    with pytest.raises(UserError, match=said):
        check_files(ModelSpec(str(folder)))


def further(*names):
    """More weights, of the shape of none."""
    return weights(lambda w: {**w, **{name: torch.zeros(3) for name in names}})


LEFT_OUT = {
    "a head": further("classifier.weight"),
    "buffers": further("model.layers.0.self_attn.rotary_emb.inv_freq", "model.position_ids"),
    "a layer for training": further(
        "model.layers.2.mlp.up_proj.weight", "model.layers.2.eh.weight"
    ),
    "another part": further("vision.layers.2.mlp.up_proj.weight"),
    "a layer apart": further("model.layers.7.mlp.up_proj.weight"),
}
"""Weights that a model has no place for, and that it may have no place for."""


@pytest.mark.parametrize("damage", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_transformers_leaves_out_on_purpose_is_no_fault(toy_models, tmp_path, damage):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    damage(folder)
    check_files(ModelSpec(str(folder)))


def test_what_a_class_declares_to_be_left_out_is_no_fault(toy_models, tmp_path, monkeypatch):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    DAMAGED["fewer layers"][0](folder)
    monkeypatch.setattr(LlamaModel, "_keys_to_ignore_on_load_unexpected", [r"layers\.1\."])
    check_files(ModelSpec(str(folder)))


def test_a_language_model_likewise(toy_models, tmp_path):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    number(float("inf"), "lm_head.weight")(folder)
    with pytest.raises(UserError, match=rf"lm_head.weight in {WEIGHTS} has the number inf"):
        load_language_model(ModelSpec(str(folder)))


def test_a_copy_of_a_kept_model_knows_what_its_files_lack(toy_models, tmp_path):
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    DAMAGED["lacking"][0](folder)
    with keeping():
        for adaptation in ("full", "lora"):
            with pytest.raises(UserError, match="lack the weight"):
                load_model(ModelSpec(str(folder), adaptation=adaptation), "classification", 2, 0)


def test_a_pooler_that_nothing_reads_may_be_lacking(toy_models):
    """BERT's files here are those of a masked language model, without a pooler."""
    assert not any("pooler" in name for name in load_file(toy_models["bert"] / WEIGHTS))
    load_model(ModelSpec(str(toy_models["bert"])), "classification", 2, 0)


OF_IMAGES = {
    # Its weights have other names than those of the model, so that only loading tells.
    "fewer layers": (config(num_hidden_layers=1), "and config.json says 1"),
    "NaN": (number(float("nan"), "layernorm.weight"), f"layernorm.weight in {WEIGHTS} has"),
    "lacking": (
        weights(lambda w: {k: v for k, v in w.items() if k != "layernorm.weight"}),
        "lack the weight layernorm.weight",
    ),
    "heads": (config(num_attention_heads=3), "other sizes than its config.json says"),
    "processor": (file("preprocessor_config.json", b"[]"), "preprocessor_config.json holds no"),
    "mean": (
        file("preprocessor_config.json", lambda b: b.replace(b"0.5", b"NaN")),
        "image processor .*not finite",
    ),
    "size": (
        file("preprocessor_config.json", lambda b: b.replace(b"16", b"-16")),
        "image processor of model .* cannot read an image",
    ),
}


@pytest.mark.parametrize(("damage", "said"), OF_IMAGES.values(), ids=OF_IMAGES)
def test_a_damaged_model_of_images_is_refused(tmp_path, damage, said):
    folder = tmp_path / "model"
    saved("vit", folder)
    damage(folder)
    with pytest.raises(UserError, match=said) as caught:
        load_image_model(ModelSpec(str(folder)), "classification", 2, 0)
    assert str(folder) in str(caught.value)


def test_an_error_of_our_own_is_not_told_as_the_model_s(toy_models, monkeypatch):
    """It stays what it is, so that its traceback is shown."""

    def broken(*arguments):
        raise ZeroDivisionError("planted")

    # As if it stood in the file of the function whose place it takes.
    broken.__code__ = broken.__code__.replace(co_filename=border.__file__)
    monkeypatch.setattr("weak2strong.models.network.Network.states", broken)
    with pytest.raises(ZeroDivisionError):
        load_text_model(ModelSpec(str(toy_models["llama"])), "classification", 2, 0)
