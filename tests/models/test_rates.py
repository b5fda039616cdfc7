"""Rates of models by the rule: the numbers of the literature, no weights, one step of a head."""

import shutil

import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.rates import (
    FULL,
    LADDER_RATES,
    LORA,
    Shape,
    fitted_rates,
    rule,
    ruled_rates,
    shape_of,
    usual_rates,
)
from weak2strong.models.resolve import usual_adaptation


def trunk_rate(parameters, adaptation="full"):
    return rule(Shape(parameters, parameters, 768), adaptation)[0]


@pytest.mark.parametrize(
    ("parameters", "low", "high"),
    [
        # GPT-2 and GPT-2 XL in the public code of Burns et al. (2023), BERT (Devlin et al. 2019).
        (85_000_000, 2e-5, 5e-5),
        (1_500_000_000, 5e-6, 1e-5),
        (7_000_000_000, 2e-6, 5e-6),
        # The fitted rungs atlas-s and atlas-l.
        (107_000, 3e-4, 1e-3),
        (640_000, 1e-4, 5e-4),
    ],
)
def test_the_trunk_rate_is_that_of_the_literature_for_its_size(parameters, low, high):
    assert low <= trunk_rate(parameters) <= high


def test_rates_fall_with_size_within_bounds():
    rates = [trunk_rate(10**e) for e in range(13)]
    assert rates == sorted(rates, reverse=True)
    assert (rates[-1], rates[0]) == FULL
    assert (trunk_rate(10**12, "lora"), trunk_rate(1, "lora")) == LORA
    assert rule(Shape(100, 0, 8), "full")[0] == FULL[1], "a model that is embeddings alone"


def test_adapters_take_ten_times_the_rate_of_the_whole_trunk():
    assert trunk_rate(100_000_000, "lora") == pytest.approx(10 * trunk_rate(100_000_000), rel=0.05)


@pytest.mark.parametrize("width", [32, 768, 4096])
def test_a_step_moves_a_logit_of_a_wide_head_as_far_as_one_of_a_narrow_head(width):
    """By AdamW itself, from states of size 1, as `Network.read` gives them to the head."""
    head = torch.nn.Linear(width, 2, bias=False)
    states = torch.randn(1, width, generator=torch.Generator().manual_seed(0))
    states /= states.square().mean().sqrt()
    _, rate = rule(Shape(10**6, 10**6, width), "full")
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.0)
    before = head(states).detach()
    torch.nn.functional.cross_entropy(head(states), torch.tensor([1])).backward()
    optimizer.step()
    moved = (head(states).detach() - before).abs()
    assert ((moved > 0.3) & (moved < 0.5)).all()


def test_a_head_on_a_frozen_trunk_takes_twice_the_rate():
    shape = Shape(10**6, 10**6, 100)
    assert rule(shape, "head")[1] == pytest.approx(2 * rule(shape, "lora")[1])
    assert rule(shape, "lora")[1] == rule(shape, "full")[1]


@pytest.mark.parametrize("toy", ["llama", "gpt2", "bert"])
def test_a_configuration_is_enough(toy_models, tmp_path, toy):
    model = tmp_path / "model"
    shutil.copytree(toy_models[toy], model, ignore=shutil.ignore_patterns("*.safetensors"))
    from transformers import AutoModel
    from transformers.pytorch_utils import Conv1D

    whole = AutoModel.from_pretrained(toy_models[toy])
    tokens = whole.get_input_embeddings().weight.numel()
    parameters = sum(p.numel() for p in whole.parameters())
    linear = [m for m in whole.modules() if isinstance(m, torch.nn.Linear | Conv1D)]
    products = sum(m.weight.numel() for m in linear)
    shape = shape_of(ModelSpec(str(model)))
    assert shape == Shape(parameters, parameters - tokens, 32, products)
    assert usual_rates(ModelSpec(str(model))) == rule(shape, "full")


def test_another_configuration_in_the_same_folder_is_noticed(toy_models, tmp_path):
    model = shutil.copytree(toy_models["llama"], tmp_path / "model")
    before = shape_of(ModelSpec(str(model)))
    config = model / "config.json"
    config.write_text(
        config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 1')
    )
    assert shape_of(ModelSpec(str(model))).inner < before.inner


def test_a_rung_has_fitted_rates_also_in_a_folder_of_its_name(toy_models, tmp_path):
    built = shutil.copytree(toy_models["llama"], tmp_path / "atlas-m")
    copied = shutil.copytree(toy_models["llama"], tmp_path / "copy")
    for name in ("atlas-m", str(built)):
        assert (
            usual_rates(ModelSpec(name)) == fitted_rates(ModelSpec(name)) == LADDER_RATES["atlas-m"]
        )
    assert fitted_rates(ModelSpec(str(copied))) is None


@pytest.mark.parametrize("adaptation", ["lora", "head"])
def test_a_rung_is_fitted_as_a_whole_alone(adaptation):
    rung = ModelSpec("atlas-m", adaptation=adaptation)
    assert fitted_rates(rung) is None
    assert usual_rates(rung) == ruled_rates(rung) == rule(shape_of(rung), adaptation)


def test_auto_is_what_it_will_be(toy_models):
    model = ModelSpec(str(toy_models["bert"]))
    assert usual_adaptation(model, shape_of(model).parameters) == "full"
    assert usual_rates(model) == rule(shape_of(model), "full")


def test_a_model_without_a_configuration_here_is_a_sentence():
    with pytest.raises(UserError, match="some-lab/some-model"):
        usual_rates(ModelSpec("some-lab/some-model"))
