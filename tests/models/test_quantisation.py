"""Which models have weights of few bits, what that means for settings, keys and memory."""

import json
import shutil
from dataclasses import replace

import pytest
from torch import nn

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models import quantisation
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.adapters import _plain
from weak2strong.models.gpus import Gpus, fits_on, gpus_per_fit
from weak2strong.models.guess import guess
from weak2strong.models.loaded import best_device
from weak2strong.models.needs import skeleton
from weak2strong.models.quantisation import quantised, settings_in_keys
from weak2strong.models.rates import usual_rates
from weak2strong.models.resolve import resolve_model
from weak2strong.protocol.runtime import Runtime, packages_in

NF4 = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True}
TOLD = {
    "nf4": NF4,
    "nf4 with plain scales": NF4 | {"bnb_4bit_use_double_quant": False},
    "8 bits": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "gptq": {"quant_method": "gptq", "bits": 4},
}


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(quantisation, "versions", lambda: {"bitsandbytes": "0.50.2"})


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setattr(quantisation, "versions", lambda: {})


def checkpoint(toy_models, folder, told):
    """The folder of a model whose configuration says so."""
    shutil.copytree(toy_models["llama"], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": TOLD[told]}))
    return ModelSpec(str(folder))


def test_without_bits_of_its_own_or_asked_for_a_model_is_plain(toy_models):
    spec = ModelSpec(str(toy_models["llama"]))
    assert quantised(spec) is None
    assert settings_in_keys(spec) == spec.settings
    assert resolve_model(spec).adaptation == "full"


@pytest.mark.usefixtures("installed")
def test_4_bits_are_adapted_by_lora_however_small_the_model_is(toy_models):
    spec = ModelSpec(str(toy_models["llama"]), precision="4bit")
    assert resolve_model(spec).adaptation == "lora"
    assert guess(spec, best_device()).adaptation == "lora"
    lora = ModelSpec(str(toy_models["llama"]), adaptation="lora")
    assert usual_rates(spec) == usual_rates(lora)
    rungs = (ModelSpec("atlas-l", precision="4bit"), ModelSpec("atlas-l", adaptation="lora"))
    assert usual_rates(rungs[0]) == usual_rates(rungs[1])


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("told", ["nf4", "8 bits"])
def test_so_are_checkpoints_of_few_bits(toy_models, tmp_path, told):
    spec = checkpoint(toy_models, tmp_path / "model", told)
    assert resolve_model(spec).adaptation == "lora"
    with pytest.raises(UserError, match=r"quantised weights.* choose adaptation lora or head"):
        resolve_model(ModelSpec(spec.name, adaptation="full"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"adaptation": "full"}, "choose adaptation lora or head"),
        ({"trained_weights": "bfloat16"}, "leave trained_weights out"),
    ],
)
def test_what_4_bits_exclude_is_refused_with_the_settings(settings, said):
    with pytest.raises(UserError, match=said):
        ModelSpec("atlas-s", precision="4bit", **settings)


def test_what_is_of_few_bits_is_not_rounded_again(toy_models, tmp_path):
    spec = checkpoint(toy_models, tmp_path / "model", "8 bits")
    with pytest.raises(UserError, match=r"of few bits already .bitsandbytes.: leave"):
        quantised(ModelSpec(spec.name, precision="4bit"))


@pytest.mark.usefixtures("missing")
def test_a_missing_package_is_a_sentence_before_anything_is_loaded(toy_models, tmp_path):
    asked = ModelSpec(str(toy_models["llama"]), precision="4bit")
    with pytest.raises(UserError, match=r"precision 4bit needs bitsandbytes.*weak2strong\[quant"):
        resolve_model(asked)
    with pytest.raises(UserError, match=r"quantised weights .bitsandbytes.*weak2strong\[quant"):
        resolve_model(checkpoint(toy_models, tmp_path / "nf4", "nf4"))
    with pytest.raises(UserError, match=r"gptq. need gptqmodel and optimum, so run `pip"):
        resolve_model(checkpoint(toy_models, tmp_path / "gptq", "gptq"))


def test_keys_hold_the_version_of_the_package_where_a_model_needs_it(toy_models, tmp_path):
    plain = ModelSpec(str(toy_models["llama"]))
    specs = [plain, ModelSpec(plain.name, precision="4bit")]
    specs.append(checkpoint(toy_models, tmp_path / "model", "nf4"))
    fields = [{"model": settings_in_keys(spec), "others": [{"seed": 0}]} for spec in specs]
    needed = [packages_in(of) for of in fields]
    assert needed == [frozenset(), {"bitsandbytes"}, {"bitsandbytes"}]
    assert packages_in({"supervisors": [fields[0]["model"], fields[1]["model"]]}) == needed[1]
    here = Runtime.here()
    places = [
        Runtime(here.device, here.processor, packages={"bitsandbytes": version})
        for version in ("0.50.2", "0.51.0")
    ]
    assert places[0].of("device") == places[1].of("device") == here.of("device")
    told = [place.of("device", packages=needed[1])["bitsandbytes"] for place in places]
    assert told == ["0.50.2", "0.51.0"]


@pytest.mark.parametrize(
    ("told", "bits"), [("nf4", 4.127), ("nf4 with plain scales", 4.5), ("8 bits", 8)]
)
def test_memory_is_told_by_the_bits_of_linear_layers(toy_models, tmp_path, told, bits):
    """A layer of the toy has 4 * 32 * 32 + 3 * 32 * 64 numbers, and there are two."""
    spec = checkpoint(toy_models, tmp_path / "model", told)
    head = {"adaptation": "head", "precision": "float32"}
    plain = guess(ModelSpec(str(toy_models["llama"]), **head), best_device()).resting
    few = guess(ModelSpec(spec.name, **head), best_device()).resting
    linear = 2 * (4 * 32 * 32 + 3 * 32 * 64)
    assert plain - few == pytest.approx(linear * (32 - bits) / 8, rel=1e-3)


def test_layers_of_another_package_get_adapters_where_the_plain_model_has_its_own(
    toy_models, tmp_path
):
    """Its layers are none of PyTorch's, and the names are those of the plain model."""

    class Other(nn.Module):
        pass

    spec = checkpoint(toy_models, tmp_path / "model", "gptq")
    trunk = skeleton(spec)
    names = adapted_layers(trunk)
    for name in names:
        trunk.set_submodule(name, Other())
    assert not adapted_layers(trunk)
    assert adapted_layers(_plain(trunk, spec)) == names
    assert _plain(trunk, ModelSpec(str(toy_models["llama"]))) is trunk


@pytest.mark.usefixtures("installed")
def test_a_model_of_few_bits_is_on_one_gpu():
    spec = ModelSpec("meta-llama/Llama-3.1-8B", adaptation="lora")
    with fits_on(Gpus(8, 10**10, "bfloat16")):
        assert gpus_per_fit(spec) > 1
        assert gpus_per_fit(replace(spec, precision="4bit")) == 1
    asked = ModelSpec("atlas-l", precision="4bit", gpus_per_fit=2)
    with pytest.raises(UserError, match="are for fits on one GPU: set gpus_per_fit to 1"):
        resolve_model(asked)
