"""A layer and its adapter as one operation are what PEFT computes in many."""

import pytest
import torch
from peft.tuners.lora import Linear

from weak2strong.config.model import ModelSpec
from weak2strong.models.adapters import enable_checkpointing
from weak2strong.models.batches import encode, pad
from weak2strong.models.load import load_model

NAMES = ["llama", "gpt2", "bert"]
TEXTS = ["Lyon is a city in France.", "Lima", "A red house stands beside a blue river."]


@pytest.fixture
def load(toy_models):
    def load(name, **settings):
        spec = ModelSpec(str(toy_models[name]), adaptation="lora", lora_rank=3, **settings)
        model = load_model(spec, "classification", 2, seed=0)
        draws = torch.Generator().manual_seed(5)
        with torch.no_grad():
            # Fresh adapters give nothing, and half of their gradients are zero.
            for weight, p in model.network.named_parameters():
                if "lora_B" in weight:
                    p.copy_(torch.randn(p.shape, generator=draws) / 10)
            model.network.head.weight.mul_(30)
        return model

    return load


def layers(model):
    return [m for m in model.network.modules() if isinstance(m, Linear)]


def passed(model):
    """Outputs, and the gradients of everything that is trained."""
    rows = encode(model.tokenizer, TEXTS)
    with model.autocast():
        outputs = model.network(*pad(rows, model.tokenizer.pad_token_id, model.device))
    outputs.sin().sum().backward()
    gradients = {n: p.grad for n, p in model.network.named_parameters() if p.requires_grad}
    model.network.zero_grad()
    return outputs.detach(), gradients


def as_peft(model):
    for layer in layers(model):
        del layer.forward
    return model


@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_are_those_of_peft(load, name):
    """In float64, so that only what is computed can differ, and not the order of sums."""
    model = load(name)
    model.network.double()
    found = passed(model)
    enable_checkpointing(model.network.trunk)
    again = passed(model)
    wanted = passed(as_peft(model))
    assert len(layers(model)) > 3
    for outputs, gradients in (found, again):
        torch.testing.assert_close(outputs, wanted[0])
        torch.testing.assert_close(gradients, wanted[1])
    assert all(g.abs().max() > 0 for n, g in wanted[1].items() if "pooler" not in n)


def test_a_merged_adapter_counts_once(load):
    model = load("gpt2")
    before, _ = passed(model)
    with torch.no_grad():
        for layer in layers(model):
            layer.merge()
        rows = encode(model.tokenizer, TEXTS)
        merged = model.network(*pad(rows, model.tokenizer.pad_token_id, model.device))
    torch.testing.assert_close(merged, before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_in_bfloat16_a_layer_is_no_further_from_float64_than_peft_is(load, name):
    layer = layers(load(name, precision="bfloat16"))[0]
    draws = torch.Generator().manual_seed(1)
    states = torch.randn(400, layer.in_features, generator=draws).bfloat16()

    def run(x):
        with (
            torch.no_grad(),
            torch.autocast("cpu", torch.bfloat16, enabled=x.dtype != torch.double),
        ):
            return layer(x).double()

    ours = run(states)
    del layer.forward
    theirs, exact = run(states), (layer.double(), run(states.double()))[1]
    assert 0 < (ours - exact).norm() < 1.1 * (theirs - exact).norm()
    assert (exact - layer.base_layer(states.double())).norm() > 10 * (ours - exact).norm()
