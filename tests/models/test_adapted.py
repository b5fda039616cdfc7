"""One rule for LoRA: which layers get adapters, and that every adapter is heard."""

import pytest
import torch
from transformers import AutoConfig, AutoModel

from weak2strong.config.model import ModelSpec
from weak2strong.models.adapters import adapt
from weak2strong.models.needs import adapter_parameters

SMALL = {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 64}
MADE = {
    "llama": HEADS,
    "mamba": {"state_size": 8},
    "mamba2": {"state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 1},
    "mixtral": HEADS | {"num_local_experts": 4},
}


@pytest.mark.parametrize("name", MADE)
def test_every_adapter_gets_a_gradient_and_is_counted(name):
    trunk = AutoModel.from_config(AutoConfig.for_model(name, **SMALL, **MADE[name]))
    told = adapter_parameters(trunk, 4)
    adapted = adapt(trunk, ModelSpec("toy", adaptation="lora", lora_rank=4), seed=0)
    trained = {n: p for n, p in adapted.named_parameters() if p.requires_grad}
    assert told == sum(p.numel() for p in trained.values()) > 0
    assert not [n for n in trained if ".experts." in n]
    with torch.no_grad():
        for p in trained.values():
            p.normal_()
    adapted(input_ids=torch.arange(12)[None])[0].square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in trained.values())
