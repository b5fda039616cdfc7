"""A checkpoint holds the state of a training to the bit, and is never half written."""

import math

import pytest
import torch
from safetensors import safe_open
from torch import nn

from weak2strong.training import checkpoint as module
from weak2strong.training.checkpoint import load_checkpoint, save_checkpoint


def new(seed):
    """A network with a layer that is never trained, and its optimiser after some steps."""
    torch.manual_seed(seed)
    network = nn.ModuleDict({"a": nn.Linear(3, 4), "b_c": nn.Linear(4, 2)})
    network["unused"] = nn.Linear(2, 2)
    return network, torch.optim.AdamW(network.parameters(), lr=0.1, fused=True)


def train(network, optimizer, steps, seed):
    torch.manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        network["b_c"](network["a"](torch.randn(5, 3))).square().sum().backward()
        optimizer.step()


NOTES = {"step": 3, "losses": [0.1, 1 / 3, 5e-324], "best": None, "nan": math.nan}


def test_training_goes_on_as_if_nothing_had_happened(tmp_path):
    one, its = new(0)
    train(one, its, 3, seed=1)
    more = {"x.y": torch.arange(3.0), "weight.a": torch.tensor([7], dtype=torch.int64)}
    save_checkpoint(tmp_path / "c.safetensors", one, its, NOTES, more)
    two, other = new(5)
    notes, found = load_checkpoint(tmp_path / "c.safetensors", two, other)
    assert notes["losses"] == NOTES["losses"]
    assert math.isnan(notes.pop("nan"))
    assert {**notes, "nan": 0} == {**NOTES, "nan": 0}
    assert found.keys() == more.keys()
    assert all(torch.equal(found[k], more[k]) and found[k].dtype == more[k].dtype for k in more)
    train(one, its, 4, seed=2)
    train(two, other, 4, seed=2)
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key]), key


def test_forgetting_the_optimiser_would_show(tmp_path):
    one, its = new(0)
    train(one, its, 3, seed=1)
    two, other = new(5)
    two.load_state_dict(one.state_dict())
    train(one, its, 4, seed=2)
    train(two, other, 4, seed=2)
    assert not torch.equal(one["a"].weight, two["a"].weight)


def test_the_checkpoint_is_a_copy(tmp_path):
    one, its = new(0)
    train(one, its, 1, seed=1)
    before = one["a"].weight.detach().clone()
    save_checkpoint(tmp_path / "c.safetensors", one, its, {}, {"same": one["a"].weight})
    train(one, its, 1, seed=1)
    two, other = new(5)
    _, found = load_checkpoint(tmp_path / "c.safetensors", two, other)
    assert torch.equal(two["a"].weight, before)
    assert torch.equal(found["same"], before)


def test_without_a_file_nothing_is_touched(tmp_path):
    one, its = new(0)
    before = {k: v.clone() for k, v in one.state_dict().items()}
    assert load_checkpoint(tmp_path / "none.safetensors", one, its) is None
    assert all(torch.equal(v, before[k]) for k, v in one.state_dict().items())
    assert not its.state


def test_a_write_that_dies_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    file = tmp_path / "c.safetensors"
    one, its = new(0)
    save_checkpoint(file, one, its, {"step": 1})

    def die(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_file", die)
        with pytest.raises(OSError, match="no space"):
            save_checkpoint(file, one, its, {"step": 2})
    found = load_checkpoint(file, one, its)
    assert found is not None
    assert found[0] == {"step": 1}
    save_checkpoint(file, one, its, {"step": 3})
    assert [f.name for f in tmp_path.iterdir()] == ["c.safetensors"]


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_a_damaged_checkpoint_is_as_good_as_none(tmp_path, left):
    """What was cut off by a loss of power, also after its header."""
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, *new(0), NOTES)
    path.write_bytes(path.read_bytes()[:left])
    network, optimizer = new(1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert load_checkpoint(path, network, optimizer) is None
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())
    save_checkpoint(path, *new(0), NOTES)
    assert load_checkpoint(path, network, optimizer) is not None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_flipped_bit_is_noticed_and_nothing_goes_on_from_it(tmp_path, share):
    """In the header, in the notes, or in a number."""
    path = tmp_path / "c.safetensors"
    one, its = new(0)
    train(one, its, 2, seed=1)
    save_checkpoint(path, one, its, NOTES)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(bytes(content))
    network, optimizer = new(1)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert load_checkpoint(path, network, optimizer) is None
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())
    assert not optimizer.state


def test_nothing_is_pickled(tmp_path):
    one, its = new(0)
    save_checkpoint(tmp_path / "c.safetensors", one, its, {"step": 1})
    with safe_open(tmp_path / "c.safetensors", framework="np") as file:
        said = file.metadata()
    assert said["notes"] == '{"step": 1}'
    assert set(said) == {"notes", "digest"}
