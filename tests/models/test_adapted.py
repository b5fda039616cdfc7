"""One rule for LoRA: which layers get adapters, and that every adapter is heard."""

import re

import pytest
import torch
from transformers import AutoConfig, AutoModel

from weak2strong.config.model import ModelSpec
from weak2strong.models.adapted import adapted_layers
from weak2strong.models.adapters import adapt
from weak2strong.models.needs import adapter_parameters
from weak2strong.models.text_part import text_part

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

ATTENTION = [f"layers.self_attn.{x}_proj" for x in "koqv"]
MLP = [f"layers.mlp.{x}_proj" for x in ("down", "gate", "up")]
SHARED = [f"shared_expert.{x}_proj" for x in ("down", "gate", "up")]
BERT = [f"encoder.layer.attention.self.{x}" for x in ("key", "query", "value")]
BERT += [f"encoder.layer.{x}.dense" for x in ("attention.output", "intermediate", "output")]
DEEPSEEK = ("kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "q_a_proj", "q_b_proj")
FAMILIES = {
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma2", "olmo2"), ATTENTION + MLP),
    "phi3": [
        *(f"layers.mlp.{x}_proj" for x in ("down", "gate_up")),
        *(f"layers.self_attn.{x}_proj" for x in ("o", "qkv")),
    ],
    "gpt2": ["h.attn.c_attn", "h.attn.c_proj", "h.mlp.c_fc", "h.mlp.c_proj"],
    "gpt_neox": [
        *(f"layers.attention.{x}" for x in ("dense", "query_key_value")),
        *(f"layers.mlp.{x}" for x in ("dense_4h_to_h", "dense_h_to_4h")),
    ],
    "opt": [
        *(f"decoder.layers.{x}" for x in ("fc1", "fc2")),
        *(f"decoder.layers.self_attn.{x}_proj" for x in ("k", "out", "q", "v")),
    ],
    "bert": BERT,
    "roberta": BERT,
    "modernbert": [f"layers.{x}" for x in ("attn.Wo", "attn.Wqkv", "mlp.Wi", "mlp.Wo")],
    "t5": [
        *(f"block.layer.DenseReluDense.{x}" for x in ("wi", "wo")),
        *(f"block.layer.SelfAttention.{x}" for x in "koqv"),
    ],
    # Fused kernels read the other layers' weights.
    "mamba": ["layers.mixer.in_proj"],
    "mamba2": ["layers.mixer.in_proj"],
    "falcon_h1": [
        *(f"layers.feed_forward.{x}_proj" for x in ("down", "gate", "up")),
        "layers.mamba.in_proj",
        *ATTENTION,
    ],
    # Neither routed experts nor routers; shared experts and dense layers.
    "mixtral": ATTENTION,
    "qwen3_moe": ATTENTION,
    "olmoe": ATTENTION,
    "gpt_oss": ATTENTION,
    "qwen2_moe": [
        *(f"layers.mlp.{x}" for x in SHARED),
        "layers.mlp.shared_expert_gate",
        *ATTENTION,
    ],
    "llama4_text": [*(f"layers.feed_forward.{x}" for x in SHARED), *ATTENTION],
    "deepseek_v3": [
        *MLP,
        *(f"layers.mlp.shared_experts.{x}_proj" for x in ("down", "gate", "up")),
        *(f"layers.self_attn.{x}" for x in DEEPSEEK),
    ],
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_layers_with_adapters_by_their_names(name):
    config = AutoConfig.for_model(name)
    config.num_hidden_layers = 5
    with torch.device("meta"):
        trunk = text_part(AutoModel.from_config(config))
    names = {re.sub(r"\.\d+(?=\.)", "", layer) for layer in adapted_layers(trunk)}
    assert sorted(names) == sorted(FAMILIES[name])


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
