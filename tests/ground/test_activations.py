"""Activations are joined by id, survive a file to the bit, and are read when touched."""

import subprocess
import sys
from mmap import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.errors import UserError


def draw(n, width=3, seed=0, prefix="e"):
    values = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return Activations(tuple(f"{prefix}{i}" for i in range(n)), values)


@given(st.permutations(range(8)), st.lists(st.integers(0, 7)))
def test_rows_are_joined_by_id(order, asked):
    a = draw(8)
    shuffled = Activations(tuple(a.ids[i] for i in order), a.values[list(order)])
    found = shuffled.at([f"e{i}" for i in asked])
    assert found.shape == (len(asked), 3)
    np.testing.assert_array_equal(found, a.values[asked])


def test_missing_ids_are_counted():
    with pytest.raises(UserError, match=r"2 of 3 examples have no activations.*first is id 'x'"):
        draw(4).at(["x", "e1", "y"])


def test_impossible_activations_are_refused():
    with pytest.raises(ValueError, match="1 ids for 2 rows"):
        Activations(("a",), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="more than once"):
        Activations(("a", "a"), np.zeros((2, 3)))


@pytest.fixture
def layers():
    """Layers out of order, one of them narrower, with a split of none and uneven sizes."""
    return {
        layer: {
            "test": draw(5, width, seed=layer, prefix="é."),
            "a.b": draw(2, width, seed=layer + 1),
            "none": Activations((), np.zeros((0, width), dtype=np.float32)),
        }
        for layer, width in ((12, 4), (0, 3), (2, 4))
    }


def test_a_file_gives_every_bit_back(tmp_path, layers):
    layers[0]["test"].values[0] = [np.finfo(np.float32).tiny / 2, -0.0, 0.1]
    save_activations(tmp_path / "a.safetensors", layers)
    found = load_activations(tmp_path / "a.safetensors")
    assert list(found) == [12, 0, 2]
    for layer, splits in layers.items():
        assert list(found[layer]) == ["test", "a.b", "none"]
        for split, a in splits.items():
            read = found[layer][split]
            assert read.ids == a.ids
            assert (read.values.dtype, read.values.shape) == (np.float32, a.values.shape)
            assert read.values.tobytes() == a.values.tobytes()


def test_other_layouts_of_memory_are_saved_as_they_look(tmp_path):
    whole = np.arange(24.0).reshape(4, 6)
    for i, values in enumerate((whole.T, whole[:, ::2], whole.astype(">f4"))):
        ids = tuple(map(str, range(len(values))))
        save_activations(tmp_path / f"{i}", {1: {"test": Activations(ids, values)}})
        found = load_activations(tmp_path / f"{i}")[1]["test"].values
        np.testing.assert_array_equal(found, values)


def test_the_file_is_plain_safetensors(tmp_path, layers):
    save_activations(tmp_path / "a.safetensors", layers)
    plain = load_file(tmp_path / "a.safetensors")
    assert len(plain) == 9
    np.testing.assert_array_equal(plain["12.test"], layers[12]["test"].values)


def test_values_are_mapped_and_cannot_be_changed(tmp_path, layers):
    save_activations(tmp_path / "a.safetensors", layers)
    values = load_activations(tmp_path / "a.safetensors")[12]["test"].values
    assert type(values) is np.ndarray
    owner = values
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, mmap)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_rows_that_are_touched_are_read(tmp_path):
    whole = Activations(tuple(map(str, range(4000))), np.ones((4000, 4096), dtype=np.float32))
    save_activations(tmp_path / "a.safetensors", {1: {"test": whole}})
    code = f"""
from pathlib import Path
from weak2strong.ground.activations import load_activations

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

before = resident()
a = load_activations(Path({str(tmp_path / "a.safetensors")!r}))[1]["test"]
print(resident() - before)
a.at(["17", "3999"])
print(resident() - before)
a.values.sum()
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, some, touched = map(int, done.stdout.split())
    size = whole.values.nbytes
    assert loaded <= some < size / 4
    assert touched > 0.9 * size


def test_layers_of_different_examples_are_refused(tmp_path):
    layers = {0: {"test": draw(3)}, 1: {"test": draw(3, prefix="f")}}
    with pytest.raises(ValueError, match="same splits and ids"):
        save_activations(tmp_path / "a.safetensors", layers)


def test_importing_them_loads_no_torch():
    code = "import sys, weak2strong.ground.activations; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
