"""What the catalogue says of a model is what its published configuration says."""

import re

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

from weak2strong.config.model import ModelSpec
from weak2strong.models.catalogue import FAMILIES, PAIRS, listed
from weak2strong.models.folders import location_of, rungs
from weak2strong.models.needs import adapter_parameters, count, multiplied


def gpt2(width, layers, heads):
    return "gpt2", {"n_embd": width, "n_layer": layers, "n_head": heads}


def neox(width, layers, heads, vocabulary=50304):
    return "gpt_neox", {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "intermediate_size": 4 * width,
        "num_attention_heads": heads,
        "vocab_size": vocabulary,
        "tie_word_embeddings": False,
    }


def gated_mlp(kind, width, layers, inner, heads, groups, vocabulary, tied=True, head=None):
    """Decoders with the names of Llama's configuration."""
    return kind, {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "intermediate_size": inner,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
        "head_dim": head or width // heads,
    }


def modern(width, layers, inner, heads):
    return "modernbert", {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "intermediate_size": inner,
        "num_attention_heads": heads,
        "vocab_size": 50368,
    }


SMOL, QWEN, OLMO, LLAMA, GEMMA2, GEMMA3 = 49152, 151936, 100352, 128256, 256000, 262144

PUBLISHED = {
    "openai-community/gpt2": gpt2(768, 12, 12),
    "openai-community/gpt2-medium": gpt2(1024, 24, 16),
    "openai-community/gpt2-large": gpt2(1280, 36, 20),
    "openai-community/gpt2-xl": gpt2(1600, 48, 25),
    "EleutherAI/pythia-70m": neox(512, 6, 8),
    "EleutherAI/pythia-160m": neox(768, 12, 12),
    "EleutherAI/pythia-410m": neox(1024, 24, 16),
    "EleutherAI/pythia-1b": neox(2048, 16, 8),
    "EleutherAI/pythia-1.4b": neox(2048, 24, 16),
    "EleutherAI/pythia-2.8b": neox(2560, 32, 32),
    "EleutherAI/pythia-6.9b": neox(4096, 32, 32, 50432),
    "HuggingFaceTB/SmolLM2-135M": gated_mlp("llama", 576, 30, 1536, 9, 3, SMOL),
    "HuggingFaceTB/SmolLM2-360M": gated_mlp("llama", 960, 32, 2560, 15, 5, SMOL),
    "HuggingFaceTB/SmolLM2-1.7B": gated_mlp("llama", 2048, 24, 8192, 32, 32, SMOL),
    "Qwen/Qwen1.5-0.5B": gated_mlp("qwen2", 1024, 24, 2816, 16, 16, QWEN),
    "Qwen/Qwen1.5-0.5B-Chat": gated_mlp("qwen2", 1024, 24, 2816, 16, 16, QWEN),
    "Qwen/Qwen2.5-0.5B": gated_mlp("qwen2", 896, 24, 4864, 14, 2, QWEN),
    "Qwen/Qwen2.5-1.5B": gated_mlp("qwen2", 1536, 28, 8960, 12, 2, QWEN),
    "Qwen/Qwen2.5-7B": gated_mlp("qwen2", 3584, 28, 18944, 28, 4, 152064, tied=False),
    "Qwen/Qwen3-0.6B-Base": gated_mlp("qwen3", 1024, 28, 3072, 16, 8, QWEN, head=128),
    "Qwen/Qwen3-1.7B-Base": gated_mlp("qwen3", 2048, 28, 6144, 16, 8, QWEN, head=128),
    "Qwen/Qwen3-4B-Base": gated_mlp("qwen3", 2560, 36, 9728, 32, 8, QWEN, head=128),
    "Qwen/Qwen3-8B-Base": gated_mlp("qwen3", 4096, 36, 12288, 32, 8, QWEN, tied=False, head=128),
    "allenai/OLMo-2-0425-1B": gated_mlp("olmo2", 2048, 16, 8192, 16, 16, OLMO, tied=False),
    "allenai/OLMo-2-1124-7B": gated_mlp("olmo2", 4096, 32, 11008, 32, 32, OLMO, tied=False),
    "allenai/OLMo-2-1124-13B": gated_mlp("olmo2", 5120, 40, 13824, 40, 40, OLMO, tied=False),
    "answerdotai/ModernBERT-base": modern(768, 22, 1152, 12),
    "answerdotai/ModernBERT-large": modern(1024, 28, 2624, 16),
    "huggyllama/llama-7b": gated_mlp("llama", 4096, 32, 11008, 32, 32, 32000, tied=False),
    "meta-llama/Llama-2-7b-hf": gated_mlp("llama", 4096, 32, 11008, 32, 32, 32000, tied=False),
    "meta-llama/Llama-2-13b-hf": gated_mlp("llama", 5120, 40, 13824, 40, 40, 32000, tied=False),
    "meta-llama/Meta-Llama-3-8B": gated_mlp("llama", 4096, 32, 14336, 32, 8, LLAMA, tied=False),
    "meta-llama/Llama-3.2-1B": gated_mlp("llama", 2048, 16, 8192, 32, 8, LLAMA),
    "meta-llama/Llama-3.2-3B": gated_mlp("llama", 3072, 28, 8192, 24, 8, LLAMA),
    "meta-llama/Llama-3.1-8B": gated_mlp("llama", 4096, 32, 14336, 32, 8, LLAMA, tied=False),
    "google/gemma-2-2b": gated_mlp("gemma2", 2304, 26, 9216, 8, 4, GEMMA2, head=256),
    "google/gemma-2-9b": gated_mlp("gemma2", 3584, 42, 14336, 16, 8, GEMMA2, head=256),
    "google/gemma-3-270m": gated_mlp("gemma3_text", 640, 18, 2048, 4, 1, GEMMA3, head=256),
    "google/gemma-3-1b-pt": gated_mlp("gemma3_text", 1152, 26, 6912, 4, 1, GEMMA3, head=256),
}
"""Shapes of each hub model, from its config.json."""


def whole_on_meta(name):
    """The pretrained model with its language-model head, without weights."""
    if name in rungs():
        config = AutoConfig.from_pretrained(location_of(ModelSpec(name)))
    else:
        kind, shapes = PUBLISHED[name]
        config = AutoConfig.for_model(kind, **shapes)
    loader = AutoModelForMaskedLM if config.model_type == "modernbert" else AutoModelForCausalLM
    with torch.device("meta"):
        return loader.from_config(config)


@pytest.mark.parametrize("name", list(listed()))
def test_numbers_are_those_of_the_configuration(name):
    model, _ = listed()[name]
    whole = whole_on_meta(name)
    trunk = whole.base_model
    assert model.parameters == count(whole)
    assert model.trunk == count(trunk)
    assert model.multiplied == multiplied(trunk)
    assert model.linear == adapter_parameters(trunk, rank=1)


def test_numbers_are_those_that_the_makers_publish():
    """A few totals as the makers' own pages have them, against slips in the shapes above."""
    known = {
        "openai-community/gpt2": 124_439_808,
        "EleutherAI/pythia-70m": 70_426_624,
        "EleutherAI/pythia-1.4b": 1_414_647_808,
        "EleutherAI/pythia-6.9b": 6_857_302_016,
    }
    assert {name: listed()[name][0].parameters for name in known} == known


def test_all_rungs_come_first_then_open_models_then_gated_ones():
    names = [model.name for family in FAMILIES for model in family.models]
    assert len(names) == len(set(names))
    assert tuple(names[: len(rungs())]) == rungs()
    gated = [family.gated for family in FAMILIES]
    assert gated == sorted(gated)


def test_families_grow_and_say_where_their_facts_are_from():
    for family in FAMILIES:
        sizes = [model.parameters for model in family.models]
        assert sizes == sorted(sizes)
        assert family.source.startswith(("https://", "docs/"))
        assert family.cutoff is None or re.fullmatch(r"20[12]\d-(0[1-9]|1[0-2])", family.cutoff)


def test_pairs_are_of_listed_models_the_weak_one_smaller():
    known = listed()
    for weak, strong in PAIRS:
        assert 2 * known[weak][0].parameters < known[strong][0].parameters
    gated = [any(known[name][1].gated for name in pair) for pair in PAIRS]
    assert gated == sorted(gated)
    assert PAIRS[0][0] in rungs()
