"""What is trained of a trunk, on three architectures, and what computing twice changes."""

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from weak2strong.config.model import ModelSpec
from weak2strong.models.adapters import enable_checkpointing
from weak2strong.models.batches import encode, pad
from weak2strong.models.load import load_model
from weak2strong.models.needs import activation_bytes

NAMES = ["llama", "gpt2", "bert"]
TEXTS = ["Lyon is a city in France.", "Lima", "A red house stands beside a blue river."]


@pytest.fixture
def load(toy_models):
    def load(name, seed=0, **settings):
        return load_model(
            ModelSpec(str(toy_models[name]), **settings), "classification", 2, seed=seed
        )

    return load


def batch(model):
    rows = encode(model.tokenizer, TEXTS)
    return pad(rows, model.tokenizer.pad_token_id, model.device)


def trained(network):
    return {name for name, p in network.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("name", NAMES)
def test_a_head_alone_leaves_the_trunk_frozen(load, name):
    model = load(name, adaptation="head")
    assert trained(model.network) == {"head.weight"} | ({"head.bias"} if name == "bert" else set())
    assert not model.network.trains_trunk
    assert load(name, adaptation="full").network.trains_trunk


@pytest.mark.parametrize("name", NAMES)
def test_adapters_are_on_every_linear_layer_and_nothing_else_is_trained(load, name):
    bare = load(name, adaptation="full").network.trunk
    # A pooler comes after the states that a head reads.
    inner = [m for name, m in bare.named_modules() if "pooler" not in name]
    linear = [m for m in inner if isinstance(m, nn.Linear | Conv1D)]
    sizes = [sum(m.weight.shape) for m in linear]
    network = load(name, adaptation="lora", lora_rank=3).network
    names = trained(network)
    assert all("lora_" in n or n.startswith("head.") for n in names)
    assert len([n for n in names if "lora_A" in n]) == len(linear) > 0
    adapters = sum(p.numel() for n, p in network.named_parameters() if "lora_" in n)
    assert adapters == 3 * sum(sizes)


@pytest.mark.parametrize("name", NAMES)
def test_fresh_adapters_change_no_answer(load, name):
    whole, adapted = load(name), load(name, adaptation="lora")
    inputs = batch(whole)
    with torch.inference_mode():
        torch.testing.assert_close(adapted.network(*inputs), whole.network(*inputs))


def test_the_seed_decides_the_adapters(load):
    def first(seed):
        torch.manual_seed(99)
        network = load("llama", seed, adaptation="lora").network
        return next(p for n, p in network.named_parameters() if "lora_A" in n).detach()

    assert torch.equal(first(3), first(3))
    assert not torch.equal(first(3), first(4))


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_trained_is_float32_whatever_the_rest_is(load, name, adaptation):
    network = load(name, adaptation=adaptation, precision="bfloat16").network
    for weight, p in network.named_parameters():
        assert p.dtype == (torch.float32 if p.requires_grad else torch.bfloat16), weight


@pytest.mark.parametrize("name", NAMES)
def test_computing_twice_saves_memory_and_changes_no_gradient(load, name):
    plain, checkpointing = load(name), load(name)
    assert enable_checkpointing(checkpointing.network.trunk) == 2
    inputs = batch(plain)
    kept = [activation_bytes(m.network, 30) for m in (plain, checkpointing)]
    assert kept[1] < 0.6 * kept[0]
    for model in (plain, checkpointing):
        model.network(*inputs).square().sum().backward()
    for one, other in zip(
        plain.network.parameters(), checkpointing.network.parameters(), strict=True
    ):
        if one.grad is None:
            assert other.grad is None
        else:
            assert torch.equal(one.grad, other.grad)
