"""Models of few bits compute, train and are kept as plain models with the same numbers would."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

pytest.importorskip("bitsandbytes")

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BitsAndBytesConfig,
)
from transformers.pytorch_utils import Conv1D

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.engine.card import loader
from weak2strong.engine.run import run_study
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.few_bits import rounded_layers, widened
from weak2strong.models.guess import guess
from weak2strong.models.kept import KEPT, keeping
from weak2strong.models.language import load_language_model, save_language_model
from weak2strong.models.load import load_model
from weak2strong.models.needs import training_bytes
from weak2strong.models.prompted import load_prompted
from weak2strong.models.saved import load_kept, read_about, save_kept
from weak2strong.models.text_part import text_part
from weak2strong.tasks import TASKS
from weak2strong.tasks.task import Item
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

KINDS = ["4bit", "nf4", "8 bits"]
"""Rounded when it is loaded, and two checkpoints."""

LEVELS = (-1.0, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0.0)
LEVELS += (0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0)
"""The numbers of NF4 (Dettmers et al. 2023, appendix E)."""

WORDS = ("a", "red", "house", "stands", "beside", "blue", "river", "and", "the", "bird", "Lyon")
ITEMS = [
    Item(str(i), str(i), " ".join(WORDS[(i * k) % len(WORDS)] for k in range(1, 3 + i % 9)))
    for i in range(24)
]


@pytest.fixture(scope="module")
def models(toy_models, tmp_path_factory):
    """Settings of models of few bits, and of plain ones with the same numbers, by kind and name."""
    root, made = tmp_path_factory.mktemp("few-bits"), {}
    settings = {
        "nf4": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
        "8 bits": BitsAndBytesConfig(load_in_8bit=True),
    }

    def of(kind, name):
        if (kind, name) in made:
            return made[kind, name]
        plain, folder = toy_models[name], toy_models[name]
        if kind in settings:
            folder = root / f"{kind} {name}"
            loader = AutoModelForMaskedLM if name == "bert" else AutoModelForCausalLM
            loader.from_pretrained(plain, quantization_config=settings[kind]).save_pretrained(
                folder
            )
            for file in plain.glob("tokenizer*"):
                (folder / file.name).write_bytes(file.read_bytes())
        few = ModelSpec(str(folder), precision="4bit" if kind == "4bit" else "float32")
        made[kind, name] = few, twin(few, plain, root / f"{kind} {name} widened")
        return made[kind, name]

    return of


def twin(few, plain, folder):
    """A plain model with the numbers that another one's few bits stand for."""
    whole = AutoModel.from_pretrained(plain)
    rounded = load(few, adaptation="head").network.trunk
    for layer in rounded_layers(rounded):
        name = next(n for n, m in rounded.named_modules() if m is layer)
        own, weight = whole.get_submodule(name), widened(layer, torch.float32)
        own.weight.data = weight.t().contiguous() if isinstance(own, Conv1D) else weight
    whole.save_pretrained(folder)
    for file in plain.glob("tokenizer*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return ModelSpec(str(folder), precision="float32")


def load(spec, **settings):
    return load_model(replace(spec, **settings), "classification", 2, seed=0)


def trained(spec, **settings):
    """Answers of a model after a few steps."""
    model = load(spec, **settings)
    targets = np.eye(2)[[len(item.text) % 2 for item in ITEMS]]
    data = TrainingSet(ITEMS, targets)
    training = Training(epochs=2, batch_size=8, learning_rate=1e-2, head_rate=1e-2)
    fit(model, data, CrossEntropy(), training, seed=0)
    return predict(model, ITEMS).values


def test_a_weight_of_4_bits_is_the_nearest_of_sixteen_times_the_largest_of_its_block(toy_models):
    spec = ModelSpec(str(toy_models["llama"]), precision="4bit")
    trunk = load(spec, adaptation="head").network.trunk
    plain = AutoModel.from_pretrained(toy_models["llama"])
    layers = {name: m for name, m in trunk.named_modules() if m in set(rounded_layers(trunk))}
    assert set(layers) == set(adapted_layers(plain))
    for name, layer in layers.items():
        blocks = plain.get_submodule(name).weight.detach().reshape(-1, 64)
        largest = blocks.abs().amax(1, keepdim=True)
        distances = (blocks / largest).unsqueeze(-1) - torch.tensor(LEVELS)
        nearest = torch.tensor(LEVELS)[distances.abs().argmin(-1)]
        # Scales are of 8 bits themselves.
        found = widened(layer, torch.float32).reshape(-1, 64)
        assert float(((found - nearest * largest) / largest).abs().max()) < 0.03


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_it_answers_as_a_plain_model_with_these_numbers(models, kind, name):
    few, plain = models(kind, name)
    found, expected = (predict(load(s, adaptation="head"), ITEMS).values for s in (few, plain))
    np.testing.assert_allclose(found, expected, atol=2e-6)
    alone = np.concatenate(
        [predict(load(few, adaptation="head"), [item]).values for item in ITEMS[:6]]
    )
    np.testing.assert_allclose(found[:6], alone, atol=2e-6)


def test_an_encoder_answers_as_a_plain_one_too(models):
    few, plain = models("4bit", "bert")
    found, expected = (predict(load(s, adaptation="head"), ITEMS).values for s in (few, plain))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("kind", ["nf4", "8 bits"])
def test_a_checkpoint_that_lacks_a_pooler_is_refused(models, kind):
    """Transformers would draw it, which it cannot in few bits."""
    with pytest.raises(UserError, match=r"lack weights .* Take the plain model with precision 4b"):
        models(kind, "bert")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_lora_learns_on_it_as_on_a_plain_model_with_these_numbers(models, kind, name):
    few, plain = models(kind, name)
    found, expected = (trained(spec, adaptation="lora") for spec in (few, plain))
    untrained = predict(load(few, adaptation="lora"), ITEMS).values
    assert np.abs(found - untrained).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_plain_weights_that_are_said_to_be_of_few_bits_are_refused(models, toy_models, tmp_path):
    few, _ = models("nf4", "llama")
    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    shutil.copy(Path(few.name) / "config.json", folder)
    with pytest.raises(UserError, match=r"says that its weights are of few bits, and .*q_proj"):
        load(ModelSpec(str(folder), adaptation="head"))


def test_activations_that_are_computed_twice_change_nothing(models):
    few, _ = models("4bit", "llama")
    once, twice = (
        trained(few, adaptation="lora", checkpointing=checkpointing)
        for checkpointing in ("off", "on")
    )
    np.testing.assert_allclose(once, twice, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adaptation", ["lora", "head"])
def test_memory_is_what_was_foretold(models, kind, adaptation):
    few, _ = models(kind, "llama")
    spec = replace(few, adaptation=adaptation)
    model = load(spec)
    head = sum(16 * p.numel() for p in model.network.head.parameters()) + 4
    told = guess(spec, model.device).resting
    # The table of levels of each small layer, and scales of rows, are left out.
    layers = len(list(rounded_layers(model.network.trunk)))
    found = training_bytes(model.network) - head
    assert told <= found <= told + 2_600 * layers


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_reads_it_once_and_hands_out_copies(models, kind):
    few, _ = models(kind, "llama")
    fresh = trained(few, adaptation="lora")
    with keeping():
        first = load(few, adaptation="lora")
        found = [trained(few, adaptation="lora") for _ in range(2)]
        answers = predict(load_model_again(few), ITEMS).values
        prompted = load_prompted(few)
        again = load(few, adaptation="lora")
    KEPT.empty()
    for values in found:
        np.testing.assert_array_equal(values, fresh)
    np.testing.assert_array_equal(answers, predict(load(few, adaptation="head"), ITEMS).values)
    pairs = zip(
        rounded_layers(first.network.trunk),
        rounded_layers(again.network.trunk),
        rounded_layers(text_part(prompted.whole.base_model)),
        strict=True,
    )
    for one, other, read in pairs:
        assert one is not other
        assert one.weight.data_ptr() == other.weight.data_ptr() == read.weight.data_ptr()
        if hasattr(one.weight, "quant_state"):
            assert one.weight.quant_state is not other.weight.quant_state
            assert other.weight.quant_state is other.quant_state


def load_model_again(few):
    return load(few, adaptation="head")


def test_arithmetic_of_bfloat16_keeps_the_bits_and_lowers_the_rest(models):
    few, _ = models("nf4", "llama")
    spec = replace(few, adaptation="lora", precision="bfloat16")
    model = load(spec)
    bits = [layer.weight.clone() for layer in rounded_layers(model.network.trunk)]
    before = predict(model, ITEMS).values
    model.freeze()
    layers = list(rounded_layers(model.network.trunk))
    assert all(torch.equal(a, b.weight) for a, b in zip(bits, layers, strict=True))
    assert {p.dtype for p in model.network.trunk.parameters()} == {torch.uint8, torch.bfloat16}
    np.testing.assert_allclose(predict(model, ITEMS).values, before, atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_of_a_language_model_are_merged_into_a_plain_one(models, kind, tmp_path):
    few, _ = models(kind, "llama")
    spec = replace(few, adaptation="lora")
    model = load_language_model(spec)
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.network.named_parameters():
            if "lora_" in name:
                weight.copy_(0.1 * torch.randn(weight.shape, generator=draws))
    tokens = torch.arange(5, 25)[None]
    with torch.inference_mode():
        before = model.network.whole(input_ids=tokens).logits
        save_language_model(model, tmp_path / "merged")
        plain = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
        after = plain(input_ids=tokens).logits
    assert not hasattr(plain.config, "quantization_config")
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module")
def wide(toy_models, tmp_path_factory):
    """A toy with rows that blocks fill, as those of real models: bitsandbytes' own passes, which
    its CPU has wrong for others, are right there."""
    folder = tmp_path_factory.mktemp("wide")
    sizes = {"hidden_size": 64, "head_dim": 32, "intermediate_size": 128}
    config = AutoConfig.from_pretrained(toy_models["llama"], **sizes)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    for file in toy_models["llama"].glob("tokenizer*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("adaptation", ["lora", "head"])
def test_a_kept_model_is_rounded_again_here_and_by_its_card(
    wide, tmp_path, adaptation, monkeypatch
):
    # With these its passes on a CPU are of bfloat16, and fail for small layers.
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: False)
    spec = ModelSpec(str(wide), adaptation=adaptation, precision="4bit")
    model = load(spec)
    draws = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.network.parameters():
            if p.requires_grad:
                p.add_(0.1 * torch.randn(p.shape, generator=draws))
    model.freeze()
    before = predict(model, ITEMS).values
    save_kept(model, spec, model.reader.rows(ITEMS[:4]), tmp_path / "kept")
    again = predict(load_kept(tmp_path / "kept"), ITEMS).values
    np.testing.assert_allclose(again, before, atol=1e-6)
    about = read_about(tmp_path / "kept")
    places = {"FOLDER": str(tmp_path / "kept"), "BASE": str(wide)}
    places["TEXTS"] = [item.text for item in ITEMS]
    exec(loader(about), places)
    theirs = places["logits"].detach().double().softmax(1).numpy()
    np.testing.assert_allclose(theirs, before, atol=1e-4)
    plain = predict(load(replace(spec, precision="float32")), ITEMS).values
    assert np.abs(plain - before).mean() > 0.02


def test_a_study_on_4_bits_keeps_its_student(quick_study, tmp_path):
    strong = replace(quick_study.strong, precision="4bit")
    study = replace(quick_study, strong=strong, methods=("naive", "linear-probe"))
    run_study(study, tmp_path / "run", tmp_path / "store", keep=("student",))
    kept = tmp_path / "run" / "models" / "atlas-southern" / "student-naive-seed-0"
    theirs = pl.read_parquet(tmp_path / "run" / "predictions.parquet")
    theirs = theirs.filter(role="student", method="naive")
    texts = {e.item.id: e.item for e in TASKS.get("atlas-southern").load()}
    asked = theirs["id"].to_list()[::9]
    found = predict(load_kept(kept), [texts[id] for id in asked]).values
    expected = np.array(theirs["probabilities"].to_list())[::9]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    keys = [e.manifest["spec"]["runtime"] for e in Store(tmp_path / "store").entries()]
    assert {"bitsandbytes" in key for key in keys} == {True, False}
