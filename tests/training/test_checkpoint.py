"""A training that was cut off goes on to the very same end."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from weak2strong.losses import loss
from weak2strong.models.load import load_model
from weak2strong.models.spec import ModelSpec
from weak2strong.tasks.task import Item
from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint
from weak2strong.training.fit import Labelled, fit
from weak2strong.training.settings import Training

TRAINING = Training(epochs=3, batch_size=8, learning_rate=1e-2, head_rate=1e-2, evaluations=4)


class Cut(Exception):
    """The power went out."""


def lesson(n: int = 40) -> tuple[Labelled, Labelled]:
    """Training and validation sets of made-up items with soft labels."""
    rng = np.random.default_rng(5)
    one = rng.random(n)
    items = [
        Item(f"i{i}", f"g{i}", f"{'red' if p > 0.5 else 'blue'} {i}") for i, p in enumerate(one)
    ]
    targets = np.stack([1 - one, one], axis=1)
    return Labelled(items[:30], targets[:30]), Labelled(items[30:], targets[30:])


def finetune(folder, stopping="validation", **changes):
    """Finetune the toy and return the record and the final weights."""
    model = load_model(ModelSpec(str(folder)), "classification", 2, seed=1)
    train, validation = lesson()
    training = replace(TRAINING, stopping=stopping)
    done = fit(model, train, loss("confidence"), training, 1, validation, **changes)
    return done, model.network.state_dict()


@pytest.mark.parametrize("stopping", ["validation", "none"])
@pytest.mark.parametrize("cut", [1, 5, 11])
def test_a_fit_cut_off_anywhere_ends_with_the_same_weights(toy_models, tmp_path, cut, stopping):
    whole, weights = finetune(toy_models["llama"], stopping)
    assert whole.steps == 12

    def stop(step, steps):
        if step == cut:
            raise Cut

    kept = {"checkpoint": tmp_path / "c.safetensors", "checkpoint_seconds": 0}
    with pytest.raises(Cut):
        finetune(toy_models["llama"], stopping, on_step=stop, **kept)
    went_on = []
    again, same = finetune(
        toy_models["llama"], stopping, on_step=lambda step, steps: went_on.append(step), **kept
    )
    assert went_on == list(range(cut + 1, 13))
    assert again == whole
    assert weights.keys() == same.keys()
    assert all(torch.equal(weights[k], same[k]) for k in weights)


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path, monkeypatch):
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    path = tmp_path / "c.safetensors"
    assert load_checkpoint(path, network, optimizer) is None
    save_checkpoint(path, network, optimizer, {"step": 1})

    def break_down(*args, **kwargs):
        raise Cut

    monkeypatch.setattr("weak2strong.training.checkpoint.save_file", break_down)
    with pytest.raises(Cut):
        save_checkpoint(path, network, optimizer, {"step": 2})
    found = load_checkpoint(path, network, optimizer)
    assert found is not None
    assert found[0] == {"step": 1}
