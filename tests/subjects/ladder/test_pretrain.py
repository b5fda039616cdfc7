"""A rung that was stopped and resumed has the very weights of one that was left alone."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from weak2strong.subjects.atlas.ladder.pretrain import new_model, pretrain


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def stream():
    """Noise over a repeated phrase: something to learn, and something to forget."""
    rng = np.random.default_rng(0)
    phrase = np.tile(rng.integers(1, 320, 40), 200)[: 110 * 64 + 40]
    noise = rng.integers(0, 320, len(phrase))
    return np.where(rng.random(len(phrase)) < 0.8, phrase, noise).astype(np.uint16)


def killed_at(step):
    def report(now, loss):
        if now == step:
            raise KilledError

    return report


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


@pytest.fixture(scope="module")
def undisturbed(rung, recipe, stream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained") / "undisturbed"
    said = []
    record = pretrain(rung, recipe, stream, folder, lambda *x: said.append(x))
    return folder, record, said


def test_killed_and_resumed_equals_undisturbed_to_the_bit(
    rung, recipe, stream, tmp_path, undisturbed
):
    folder, (whole, record, said) = tmp_path / "killed", undisturbed
    with pytest.raises(KilledError):
        pretrain(rung, recipe, stream, folder, killed_at(50), checkpoint_steps=20)
    assert not (folder / "model.safetensors").exists()
    assert (folder / "checkpoint.safetensors").exists()
    torch.manual_seed(123)  # a new process has another state
    heard = []
    resumed = pretrain(rung, recipe, stream, folder, lambda *x: heard.append(x), 20)
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert heard == said
    assert {**resumed, "seconds": 0} == {**record, "seconds": 0}
    assert resumed["seconds"] >= 0


def test_weights_and_optimiser_are_the_same_in_full_precision(rung, recipe, stream, tmp_path):
    """Half precision could hide a difference: so two checkpoints are compared as well."""
    folders = [tmp_path / "once", tmp_path / "twice"]
    with pytest.raises(KilledError):
        pretrain(rung, recipe, stream, folders[1], killed_at(50), checkpoint_steps=20)
    begun = load_file(folders[1] / "checkpoint.safetensors")
    for folder in folders:
        with pytest.raises(KilledError):
            pretrain(rung, recipe, stream, folder, killed_at(100), checkpoint_steps=20)
    once, twice = (load_file(f / "checkpoint.safetensors") for f in folders)
    assert {t.dtype for t in once.values()} == {torch.float32}
    assert same(once, twice)
    assert not same(once, begun)
    assert once.keys() == begun.keys()
    assert {t.item() for k, t in once.items() if k.startswith("state.step.")} == {80.0}


def test_seconds_add_up_over_restarts(rung, recipe, stream, tmp_path, monkeypatch):
    from weak2strong.subjects.atlas.ladder import pretrain as module

    class Clock:
        now = 0.0

        def monotonic(self):
            self.now += 7.0
            return self.now

    monkeypatch.setattr(module, "time", Clock())
    with pytest.raises(KilledError):
        pretrain(rung, recipe, stream, tmp_path, killed_at(50), checkpoint_steps=40)
    # One look at the clock at the beginning, one at the checkpoint: 7 s; then two checkpoints
    # (40 was before) and the end: 7 s each.
    record = pretrain(rung, recipe, stream, tmp_path, checkpoint_steps=40)
    assert record["seconds"] == 7 + 7 * 2


def test_killed_between_the_last_checkpoint_and_the_end(
    rung, recipe, stream, tmp_path, undisturbed, monkeypatch
):
    from transformers import LlamaForCausalLM

    def die(*args, **kwargs):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(LlamaForCausalLM, "save_pretrained", die)
        with pytest.raises(KilledError):
            pretrain(rung, recipe, stream, tmp_path / "late", checkpoint_steps=55)
    record = pretrain(rung, recipe, stream, tmp_path / "late", checkpoint_steps=55)
    assert record["loss"] == undisturbed[1]["loss"]


def test_what_is_saved_loads_as_float32_and_is_what_was_trained(rung, recipe, undisturbed, stream):
    folder, record, _ = undisturbed
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float32"
    saved = load_file(folder / "model.safetensors")
    assert {t.dtype for t in saved.values()} == {torch.float16}
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert sum(p.numel() for p in model.parameters()) == record["parameters"]
    assert model.lm_head.weight is model.model.embed_tokens.weight
    for name, tensor in model.state_dict().items():
        if name in saved:
            assert torch.equal(tensor, saved[name].float())
    assert not [f for f in folder.iterdir() if "checkpoint" in f.name]
    # The loss on what it read last is that of the record, but for the last step and rounding.
    tokens = torch.from_numpy(stream[109 * 64 : 110 * 64].astype(np.int64)).view(4, 16)
    with torch.inference_mode():
        loss = model(input_ids=tokens, labels=tokens).loss.item()
    assert loss == pytest.approx(record["loss"], abs=0.02)


def test_the_record_says_what_was_done(rung, recipe, undisturbed):
    _, record, said = undisturbed
    assert record["name"] == "toy"
    assert record["steps"] == recipe.steps == 110
    assert record["tokens"] == 110 * 64
    assert (record["width"], record["layers"], record["learning_rate"]) == (16, 1, 1e-2)
    # Embeddings, four square maps, three of the MLP, three norms.
    assert record["parameters"] == 320 * 16 + 4 * 16 * 16 + 3 * 16 * 48 + 3 * 16
    assert [step for step, _ in said] == [50, 100, 110]
    assert record["loss"] == round(said[-1][1], 4)
    assert record["loss"] < math.log(320) - 1


def test_tokens_that_fill_no_batch_are_not_read(rung, recipe, stream, tmp_path, undisturbed):
    changed = stream.copy()
    changed[110 * 64 :] = 1
    pretrain(rung, recipe, changed, tmp_path / "changed")
    changed[110 * 64 - 1] ^= 1
    pretrain(rung, recipe, changed, tmp_path / "other")
    whole = (undisturbed[0] / "model.safetensors").read_bytes()
    assert (tmp_path / "changed" / "model.safetensors").read_bytes() == whole
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != whole


def test_initial_weights_depend_on_the_recipes_seed_alone(rung, recipe):
    torch.manual_seed(1)
    one = new_model(rung, recipe).state_dict()
    torch.manual_seed(2)
    two = new_model(rung, recipe).state_dict()
    other = new_model(rung, replace(recipe, seed=1)).state_dict()
    assert same(one, two)
    assert not same(one, other)


def test_a_new_model_begins_near_chance(rung, recipe):
    model = new_model(rung, recipe)
    tokens = torch.from_numpy(np.random.default_rng(0).integers(0, 320, (8, 16)))
    with torch.inference_mode():
        loss = model(input_ids=tokens, labels=tokens).loss.item()
    assert loss == pytest.approx(math.log(320), abs=0.3)
