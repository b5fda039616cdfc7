"""Memory as it is foretold is memory as it is counted."""

import warnings

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModel

from weak2strong.config.model import ModelSpec
from weak2strong.models.capacity import device_bytes
from weak2strong.models.load import load_model
from weak2strong.models.needs import (
    activation_bytes,
    adapter_parameters,
    count,
    multiplied,
    resting_bytes,
)

NAMES = ["llama", "gpt2", "bert"]


def with_adapters(trunk, rank):
    from peft import LoraConfig, inject_adapter_in_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A head reads states before the pooler.
        config = LoraConfig(r=rank, target_modules="all-linear", exclude_modules=r".*pooler.*")
        inject_adapter_in_model(config, trunk)


def counted(trunk):
    """Bytes of weights, gradients and moments after one step of AdamW."""
    trained = [p for p in trunk.parameters() if p.requires_grad]
    for p in trained:
        p.grad = torch.ones_like(p)
    optimizer = torch.optim.AdamW(trained)
    optimizer.step()
    tensors = [*trunk.parameters(), *(p.grad for p in trained)]
    for state in optimizer.state.values():
        tensors += [value for name, value in state.items() if name != "step"]
    return sum(t.numel() * t.element_size() for t in tensors)


@pytest.mark.parametrize("name", NAMES)
def test_full_finetuning_rests_on_what_the_optimiser_really_holds(toy_models, name):
    trunk = AutoModel.from_pretrained(toy_models[name])
    assert resting_bytes("full", count(trunk)) == counted(trunk)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_lora_rests_on_what_the_optimiser_really_holds(toy_models, name, dtype):
    trunk = AutoModel.from_pretrained(toy_models[name], dtype=dtype)
    parameters, adapters = count(trunk), adapter_parameters(trunk, rank=3)
    with_adapters(trunk, rank=3)
    for p in trunk.parameters():
        if p.requires_grad:
            p.data = p.data.float()
    assert sum(p.numel() for p in trunk.parameters() if p.requires_grad) == adapters
    assert resting_bytes("lora", parameters, adapters, dtype.itemsize) == counted(trunk)


def test_a_frozen_trunk_takes_its_weights_alone(toy_models):
    trunk = AutoModel.from_pretrained(toy_models["llama"], dtype=torch.bfloat16)
    held = sum(p.numel() * p.element_size() for p in trunk.parameters())
    assert resting_bytes("head", count(trunk)) == held
    assert resting_bytes("head", count(trunk), frozen=4) == 2 * held


class Tiny(nn.Module):
    """An embedding, a hidden layer of 8 and two outputs: all that backward needs can be listed."""

    def __init__(self):
        super().__init__()
        self.embedding, self.hidden = nn.Embedding(10, 4), nn.Linear(4, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, tokens, mask):
        return self.out(torch.tanh(self.hidden(self.embedding(tokens))))


@pytest.mark.parametrize("tokens", [6, 24])
def test_activations_of_a_tiny_network_are_those_on_paper(tokens):
    """The embedding keeps its ids (int64), the layers their inputs (float32), tanh its output.

    The output of tanh and the input of the last layer are one tensor.
    """
    network = Tiny()
    assert activation_bytes(network, tokens, longest=6) == tokens * (8 + 4 * 4 + 8 * 4)


def test_what_is_frozen_keeps_nothing():
    network = Tiny()
    network.embedding.requires_grad_(False)
    network.hidden.requires_grad_(False)
    assert activation_bytes(network, 24) == 24 * 8 * 4
    network.out.requires_grad_(False)
    assert activation_bytes(network, 24) == 0


def saved_by_the_graph(network, ids):
    """Bytes that the nodes of the graph hold, found by walking it, without the weights."""
    outputs = network(ids, torch.ones_like(ids))
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    found, seen, queue = [], set(), [outputs.grad_fn]
    while queue:
        node = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        queue += [following for following, _ in node.next_functions]
        for name in dir(node):
            if name.startswith("_saved_"):
                value = getattr(node, name)
                values = value if isinstance(value, (tuple, list)) else (value,)
                found += [
                    v.untyped_storage() for v in values if isinstance(v, torch.Tensor) and v.dim()
                ]
    sizes = {storage.data_ptr(): storage.nbytes() for storage in found}
    return sum(size for place, size in sizes.items() if place not in own)


@pytest.mark.parametrize("name", NAMES)
def test_activations_are_what_the_graph_holds(toy_models, name):
    network = load_model(ModelSpec(str(toy_models[name])), "classification", 2, 0).network
    ids = torch.zeros(3, 32, dtype=torch.long)
    measured = activation_bytes(network, 96, longest=32)
    assert measured == saved_by_the_graph(network, ids)
    assert measured > 96 * 32 * 4 * 10, "more than ten states a token"


def test_activations_grow_with_the_texts(toy_models):
    network = load_model(ModelSpec(str(toy_models["llama"])), "classification", 2, 0).network
    one, two, four = (activation_bytes(network, 32 * n, longest=32) for n in (1, 2, 4))
    assert four - two == pytest.approx(2 * (two - one), rel=0.02)
    assert activation_bytes(network, 33, longest=32) == two, "whole texts"


@pytest.mark.parametrize("name", ["llama", "gpt2", "bert"])
def test_what_is_multiplied_is_what_a_pass_multiplies(toy_models, name):
    """PyTorch counts the operations of a pass; an encoder's pooler is one that only it takes."""
    trunk = AutoModel.from_pretrained(toy_models[name], attn_implementation="eager")
    with FlopCounterMode(display=False) as counter:
        trunk(input_ids=torch.ones(1, 8, dtype=torch.long))
    of_layers = sum(
        n for of, n in counter.get_flop_counts()["Global"].items() if "bmm" not in str(of)
    )
    if pooler := getattr(trunk, "pooler", None):
        of_layers += 2 * pooler.dense.weight.numel() * 7  # it reads the first token alone
    assert of_layers == 2 * multiplied(trunk) * 8
    assert multiplied(nn.Embedding(10, 4)) == 0


def test_this_machine_has_memory():
    assert 2**28 < device_bytes(torch.device("cpu")) < 2**50
