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
    "deepseek_v3": HEADS
    | {
        "num_hidden_layers": 2,
        "first_k_dense_replace": 1,
        "moe_intermediate_size": 32,
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "n_group": 1,
        "topk_group": 1,
        "q_lora_rank": 8,
        "kv_lora_rank": 8,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 8,
        "v_head_dim": 8,
    },
    "mixtral": HEADS | {"num_local_experts": 4},
}


@pytest.mark.parametrize("name", MADE)
def test_every_adapter_gets_a_gradient_and_is_counted(name):
    torch.manual_seed(0)
    trunk = AutoModel.from_config(AutoConfig.for_model(name, **(SMALL | MADE[name])))
    told = adapter_parameters(trunk, 4)
    adapted = adapt(trunk, ModelSpec("toy", adaptation="lora", lora_rank=4), seed=0)
    trained = {n: p for n, p in adapted.named_parameters() if p.requires_grad}
    assert told == sum(p.numel() for p in trained.values()) > 0
    assert not [n for n in trained if ".experts." in n]
    with torch.no_grad():
        for p in trained.values():
            p.normal_(0, 0.1)
    adapted(input_ids=torch.arange(12)[None])[0].square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in trained.values())
