"""Weights that are published as pickles alone: read as weights, and as nothing else."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.ground.store.paths import default_root
from weak2strong.models import folders, pickled
from weak2strong.models.files import check_files
from weak2strong.models.folders import weight_bytes
from weak2strong.models.load import load_model


@pytest.fixture
def here(monkeypatch):
    """Pickles are read in this process, which has the libraries already."""

    def write(sources, folder):
        class Pipe:
            said = ""

            def send(self, said):
                self.said = said

        pipe = Pipe()
        pickled._write(pipe, sources, folder)
        return pipe.said

    monkeypatch.setattr(pickled, "_in_a_process", write)


@pytest.fixture
def folder(toy_models, tmp_path):
    """A model without safetensors, and the weights that it should have."""
    made = shutil.copytree(toy_models["llama"], tmp_path / "model")
    (made / "model.safetensors").unlink()
    return made, load_file(toy_models["llama"] / "model.safetensors")


def trunk_of(folder):
    spec = ModelSpec(str(folder), adaptation="full")
    check_files(spec)
    return load_model(spec, "classification", 2, 0).network.trunk.state_dict()


def check_equal(found, weights):
    assert found
    for name, values in found.items():
        assert torch.equal(values, weights[f"model.{name}"]), name


def test_a_process_of_its_own_reads_them_once(folder):
    made, weights = folder
    torch.save(weights, made / "pytorch_model.bin")
    check_equal(trunk_of(made), weights)
    (converted,) = (default_root() / "converted").iterdir()
    before = (converted / "model.safetensors").stat()
    check_equal(trunk_of(made), weights)
    assert (converted / "model.safetensors").stat() == before


def shards(weights, made):
    names = sorted(weights)
    parts = {"pytorch_model-1.bin": names[::2], "pytorch_model-2.bin": names[1::2]}
    for file, of_part in parts.items():
        torch.save({name: weights[name] for name in of_part}, made / file)
    listed = {name: file for file, of_part in parts.items() for name in of_part}
    (made / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": listed}))


def of_old(weights, made):
    torch.save(weights, made / "pytorch_model.bin", _use_new_zipfile_serialization=False)


def tied(weights, made):
    shared = weights["model.embed_tokens.weight"]
    torch.save(weights | {"another.weight": shared}, made / "pytorch_model.bin")


@pytest.mark.parametrize("write", [shards, of_old, tied])
def test_files_of_every_form_hold_the_same_weights(folder, here, write):
    made, weights = folder
    write(weights, made)
    check_equal(trunk_of(made), weights)


def test_they_count_as_weights_where_there_are_no_others(folder, monkeypatch):
    made, weights = folder
    torch.save(weights, made / "pytorch_model.bin")
    size = (made / "pytorch_model.bin").stat().st_size
    assert weight_bytes(made) == size
    monkeypatch.setattr(folders, "TINY_BYTES", size)
    assert not folders.is_tiny(ModelSpec(str(made)))
    (made / "model.safetensors").write_bytes(b"1234")
    assert weight_bytes(made) == 4


class Attack:
    """What runs code where it is read as a pickle."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_a_pickle_is_not_run(folder, here, tmp_path):
    made, weights = folder
    ran = tmp_path / "ran"
    torch.save(weights | {"code": Attack(ran)}, made / "pytorch_model.bin")
    with pytest.raises(
        UserError, match=r"^Model '.*' cannot be loaded: its file pytorch_model.bin"
    ):
        trunk_of(made)
    assert not ran.exists()
    assert not list((default_root() / "converted").iterdir())
    # It would have run.
    pickle.loads(pickle.dumps(Attack(ran)))  # noqa: S301
    assert ran.exists()


BAD = {
    "no pickle": lambda weights, path: path.write_bytes(b"nothing"),
    "no table": lambda weights, path: torch.save([1, 2], path),
    "not weights alone": lambda weights, path: torch.save(weights | {"epoch": 3}, path),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_a_table_of_weights_is_a_sentence(folder, here, what):
    made, weights = folder
    BAD[what](weights, made / "pytorch_model.bin")
    with pytest.raises(
        UserError, match=r"pytorch_model.bin cannot be read as weights alone \(.+\)"
    ):
        trunk_of(made)
