"""What a model cannot do is found by trying it, and worked around."""

import shutil
from dataclasses import replace

import pytest
import torch
from transformers import DebertaConfig, DebertaModel, GptOssConfig

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine import run
from weak2strong.ground.errors import UserError
from weak2strong.models import precision
from weak2strong.models.behaviour import behaviour
from weak2strong.models.precision import precision_of
from weak2strong.models.resolve import resolve_model


def _saved(maker, config, toy_models, folder) -> ModelSpec:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = maker(config)
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.data.normal_(0, 0.3)
    model.save_pretrained(folder)
    for file in toy_models["llama"].glob("*token*"):
        shutil.copy(file, folder)
    return ModelSpec(str(folder), adaptation="full", precision="float32")


def test_a_model_that_fails_in_bfloat16_computes_in_float32(toy_models, tmp_path, monkeypatch):
    config = DebertaConfig(
        vocab_size=1024, hidden_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    spec = _saved(DebertaModel, config, toy_models, tmp_path)
    monkeypatch.setattr(precision, "fast_precision", lambda *_: torch.bfloat16)
    cpu = torch.device("cpu")
    assert precision_of(replace(spec, precision="auto"), cpu) == torch.float32
    llama = ModelSpec(str(toy_models["llama"]), adaptation="full")
    assert precision_of(llama, cpu) == torch.bfloat16
    said = r"fails in bfloat16, as its architecture is written for float32: leave its precision out"
    with pytest.raises(UserError, match=said):
        resolve_model(replace(spec, precision="bfloat16"))


def test_narrow_layers_of_a_miniature_suit_products_in_bfloat16():
    # Their widths do not follow from those of the heads, and products of experts want a multiple.
    assert behaviour(GptOssConfig()).bfloat16


def test_a_run_says_which_models_compute_in_float32(toy_models, tmp_path):
    config = DebertaConfig(
        vocab_size=1024, hidden_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    weak = replace(_saved(DebertaModel, config, toy_models, tmp_path), precision="auto")
    study = StudyConfig(weak=weak, strong=ModelSpec(str(toy_models["llama"])))
    assert run.computing_in_float32(study) == [weak.name]
