"""What a GPU that is not here would hold: by numbers of the catalogue, without a network."""

import json
from dataclasses import replace

import pytest
import torch

from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.engine.assumed import activation_bytes_of, assumed, held_as_asked
from weak2strong.ground.errors import UserError
from weak2strong.models.gpu_sizes import GPUS, gpu_named
from weak2strong.models.load import load_model
from weak2strong.models.needs import USABLE, activation_bytes, adapter_parameters

LARGE = "Qwen/Qwen3-8B-Base"


def held(name, model, tokens=100.0):
    return assumed(name, [model], tokens).models[0]


def test_gpus_are_known_by_name_and_others_are_listed():
    assert gpu_named("A100-80GB").gib == 80
    assert not gpu_named("t4").bfloat16
    with pytest.raises(UserError, match=r"rtx-4090.*There are: t4 \(16 GiB\), .*h200 \(141 GiB\)"):
        gpu_named("rtx4090")


def test_a_model_that_is_too_large_gets_the_first_training_that_fits():
    spec = ModelSpec(LARGE, adaptation="full")
    full = held("a100-80gb", spec)
    assert full.resting == 16 * 7_568_405_504
    assert full.usable == USABLE["other"] * 80 * 2**30
    assert full.fits is False
    weights = {"trained_weights": "bfloat16", "optimizer_states": "8-bit"}
    assert dict(full.instead) == weights
    assert held("a100-80gb", replace(spec, **weights)).fits
    assert dict(held("rtx-4090", spec).instead) == {"adaptation": "lora"}
    # Halves of numbers do not fit twice the memory, and no bfloat16 is there.
    assert dict(held("t4", spec).instead)["precision"] == "4bit"
    assert held("h200", spec).fits
    assert not held("h200", spec).instead
    # Nothing of a model that is not in the catalogue.
    assert held("h200", ModelSpec("someone/model")).fits is None


@pytest.mark.parametrize("name", GPUS)
def test_what_is_advised_fits(name):
    for model in (LARGE, "Qwen/Qwen2.5-1.5B", "openai-community/gpt2-xl"):
        spec = ModelSpec(model, adaptation="full")
        found = held(name, spec)
        if found.instead:
            assert held_as_asked(replace(spec, **dict(found.instead)), GPUS[name], 100).fits
        elif found.fits:
            assert found.resting < found.usable
            assert found.tokens >= 100


def test_longer_texts_are_computed_twice_and_then_do_not_fit():
    spec = ModelSpec("openai-community/gpt2-xl", adaptation="full")
    by_length = [held("a40", spec, tokens) for tokens in (100, 50_000, 10_000_000)]
    assert [(f.fits, f.twice) for f in by_length] == [(True, False), (True, True), (False, True)]
    assert by_length[0].tokens < by_length[1].tokens


@pytest.mark.parametrize("name", ["atlas-m", "atlas-l"])
def test_the_estimate_of_activations_is_near_what_is_measured(name):
    model = load_model(ModelSpec(name, adaptation="full"), "classification", 2, seed=0)
    measured = activation_bytes(model.network, 512, 64)
    linear = adapter_parameters(model.network.trunk, 1)
    estimate = 512 * activation_bytes_of(linear, torch.float32.itemsize)
    assert 0.5 < estimate / measured < 2


def test_a_dry_run_says_what_fits(capsys):
    command = ["run", "--dry-run", "--weak", "EleutherAI/pythia-70m", "--strong", LARGE]
    command += ["--strong-adaptation", "full", "--methods", "naive", "--assume-device"]
    assert main([*command, "a100-80gb"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "On a100-80gb" in shown
    assert f"{LARGE} does not fit so, and would with trained weights bfloat16, optimizer" in shown
    assert main([*command, "h200", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in told["assumed"]] == ["EleutherAI/pythia-70m", LARGE]
    assert [row["fits"] for row in told["assumed"]] == [True, True]
    # Every stage has its device, and those that train have the memory of it.
    stages = {row["stage"]: row for row in told["stages"]}
    assert stages["ngrams"]["device"] == "cpu"
    assert stages["ceiling"]["resting"] == 16 * 7_568_405_504
    assert stages["probe"]["resting"] is None
    assert main([*command, "abacus"]) == 2
    assert main(["run", "--assume-device", "h100"]) == 2
