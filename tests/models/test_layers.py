"""Layers by name and number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.layers import layer_count, layer_number
from weak2strong.models.load import load_model


def test_names_of_layers():
    assert [layer_number("middle", n) for n in (32, 12, 5, 1)] == [16, 6, 2, 0]
    assert layer_number("last", 32) == 32


@given(st.integers(1, 100), st.data())
def test_numbers_count_like_the_states_in_a_list(layers, data):
    states = list(range(layers + 1))
    layer = data.draw(st.integers(-layers - 1, layers))
    assert layer_number(layer, layers) == states[layer]


@pytest.mark.parametrize("layer", [5, -6, "first", "3", True, 1.5])
def test_other_layers_are_refused_in_a_sentence(layer):
    with pytest.raises(UserError, match=r"is none of the model's 4: .* to 4, or -1 to -5 from"):
        layer_number(layer, 4)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_layers_are_counted_from_a_model_and_from_its_configuration(toy_models, name, adaptation):
    model = load_model(
        ModelSpec(str(toy_models[name]), adaptation=adaptation), "classification", 2, 0
    )
    assert layer_count(model) == layer_count(AutoConfig.from_pretrained(toy_models[name])) == 2
