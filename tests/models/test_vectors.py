"""Files of vectors by id: every format gives the same rows, and what is wrong is a sentence."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.resolve import fingerprint, resolve_model
from weak2strong.models.trunk import trunk_of
from weak2strong.models.vectors import fingerprint_of, vectors_of

IDS = ("a", "b", "c", "7")
VALUES = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def of(path):
    return vectors_of(ModelSpec(str(path)))


def write_ids(folder, ids=IDS, name="ids.csv"):
    pl.DataFrame({"id": list(ids)}).write_csv(folder / name)


def npy(folder):
    np.save(folder / "x.npy", VALUES.astype(np.float64))
    write_ids(folder)
    return folder / "x.npy"


def tensors(folder):
    save_file({"features": VALUES}, folder / "x.safetensors")
    write_ids(folder, name="x.ids.csv")
    write_ids(folder, IDS[::-1])  # another file's
    return folder / "x.safetensors"


def bfloat16(folder):
    save_torch({"only": torch.from_numpy(VALUES).bfloat16()}, folder / "x.safetensors")
    pl.DataFrame({"id": IDS, "label": "yes"}).write_csv(folder / "labels.csv")
    return folder / "x.safetensors"


def lists(folder):
    column = pl.Series(VALUES.tolist(), dtype=pl.List(pl.Float32))
    pl.DataFrame({"id": IDS, "vector": column}).write_parquet(folder / "x.parquet")
    return folder / "x.parquet"


def arrays(folder):
    column = pl.Series(VALUES, dtype=pl.Array(pl.Float32, 3))
    pl.DataFrame({"id": IDS, "vector": column}).write_parquet(folder / "x.parquet")
    return folder / "x.parquet"


def columns(folder):
    by_name = {f"x{i}": VALUES[:, i] for i in range(3)}
    pl.DataFrame({**by_name, "id": IDS}).write_parquet(folder / "x.parquet")
    return folder / "x.parquet"


@pytest.mark.parametrize("write", [npy, tensors, bfloat16, lists, arrays, columns])
def test_rows_are_found_by_id_in_every_format(write, tmp_path):
    vectors = of(write(tmp_path))
    expected = VALUES[[3, 0]]
    if write is bfloat16:
        expected = torch.from_numpy(expected).bfloat16().float().numpy()
    np.testing.assert_array_equal(vectors.at(vectors.rows_of(["7", "a"])), expected)
    assert vectors.at(np.array([1])).dtype == np.float32
    activations = vectors.activations(["7", "a"])
    np.testing.assert_array_equal(activations.values, expected)
    np.testing.assert_array_equal(activations.at(["a"]), expected[1:])
    if write in (npy, tensors, bfloat16):
        assert isinstance(vectors.values, np.memmap)


def test_ids_may_be_whole_numbers_in_the_file_itself(tmp_path):
    ids = np.array([3, 1, 2, 9])
    save_file({"features": VALUES, "ids": ids}, tmp_path / "x.safetensors")
    write_ids(tmp_path)
    assert of(tmp_path / "x.safetensors").ids == ("3", "1", "2", "9")


def test_a_fingerprint_holds_vectors_and_ids_and_no_labels(tmp_path):
    path = bfloat16(tmp_path)
    first = fingerprint(ModelSpec(str(path)))
    pl.DataFrame({"id": IDS, "label": "no"}).write_csv(tmp_path / "labels.csv")
    assert fingerprint(ModelSpec(str(path))) == first
    pl.DataFrame({"id": IDS[::-1], "label": "none"}).write_csv(tmp_path / "labels.csv")
    assert fingerprint(ModelSpec(str(path))) != first


def test_beneath_the_head_there_is_nothing(tmp_path):
    """Which is told without the file, and so without PyTorch, where a report tells it."""
    assert trunk_of(ModelSpec(str(tmp_path / "gone.npy"))) == 0


def both(spec):
    """Whatever is wrong is noticed by one of them."""
    fingerprint(spec)
    vectors_of(spec)


def wrong(folder, values=None, ids=IDS, name="x.npy"):
    np.save(folder / name, VALUES if values is None else values)
    write_ids(folder, ids)
    return folder / name


def written(folder, content):
    write_ids(folder)
    (folder / "x.npy").write_bytes(content)
    return folder / "x.npy"


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda f: wrong(f, ids=IDS[:3]), r"has 4 vectors and 3 ids \(in .*ids.csv\)"),
        (lambda f: wrong(f, ids=("a", "b", "b", "c")), r"has id 'b' more than once"),
        (lambda f: wrong(f, VALUES[0]), r"an array of shape \(3,\)"),
        (lambda f: wrong(f, VALUES[:, :0]), r"an array of shape \(4, 0\)"),
        (lambda f: wrong(f, np.array([["x"]] * 4)), r"values of type <U1"),
        (lambda f: wrong(f, np.array([[None]] * 4)), r"cannot be read as a .npy file"),
        (lambda f: written(f, b"hello"), r"x\.npy is no file of NumPy: write it with numpy.save"),
        (lambda f: written(f, b""), r"x\.npy is no file of NumPy"),
        (lambda f: f / "none.npy", r"There is no file of features"),
    ],
)
def test_what_is_no_table_of_vectors_is_a_sentence(write, said, tmp_path):
    spec = ModelSpec(str(write(tmp_path)))
    with pytest.raises(UserError, match=said):
        both(spec)


def test_a_damaged_file_is_a_sentence(tmp_path):
    whole = tensors(tmp_path).read_bytes()
    length, header = whole[:8], json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    header["features"]["data_offsets"] = [-8, 40]
    before = json.dumps(header).encode()
    elsewhere = len(before).to_bytes(8, "little") + before + bytes(48)
    no_header = length + b"x" * (len(whole) - 8)
    for content in (whole[:-8], whole[:20], b"", b"x" * 99, elsewhere, no_header):
        (tmp_path / "x.safetensors").write_bytes(content)
        for read in (of, lambda path: fingerprint_of(ModelSpec(str(path)))):
            with pytest.raises(UserError, match=r"x\.safetensors is no file of safetensors"):
                read(tmp_path / "x.safetensors")


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_ids_stand_between_separators_as_labels_do(tmp_path, separator):
    np.save(tmp_path / "x.npy", VALUES)
    table = pl.DataFrame({"id": IDS, "label": "yes"})
    table.write_csv(tmp_path / "labels.csv", separator=separator, include_bom=True)
    assert of(tmp_path / "x.npy").ids == tuple(IDS)


def test_numbers_that_are_too_large_are_refused_without_a_word_of_numpy(tmp_path, recwarn):
    values = VALUES.astype(np.float64)
    values[1, 1] = 1e300
    with pytest.raises(UserError, match=r"id 'b' has numbers that are not finite in float32"):
        of(wrong(tmp_path, values)).check(["a", "b"])
    assert not list(recwarn)


def test_which_tensor_is_meant_must_be_plain(tmp_path):
    save_file({"a": VALUES, "b": VALUES}, tmp_path / "x.safetensors")
    write_ids(tmp_path)
    with pytest.raises(UserError, match=r"the tensors a \(4, 3\), b \(4, 3\): write one tensor"):
        of(tmp_path / "x.safetensors")


def test_vectors_of_different_lengths_are_refused(tmp_path):
    rows = [[1.0, 2.0], [1.0]]
    pl.DataFrame({"id": ["a", "b"], "v": rows}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"vectors of different lengths \(1 to 2\)"):
        of(tmp_path / "x.parquet")
    pl.DataFrame({"id": ["a", "b"], "v": [[1.0], None]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"has no vector of id 'b': write one"):
        of(tmp_path / "x.parquet")
    none = pl.DataFrame({"id": [], "v": []}, schema={"id": pl.String, "v": pl.List(pl.Float32)})
    none.write_parquet(tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"an array of shape \(0, 0\)"):
        of(tmp_path / "x.parquet")


def test_an_id_without_a_vector_and_a_number_that_is_none_are_named(tmp_path):
    values = VALUES.copy()
    values[2, 1] = np.nan
    vectors = of(wrong(tmp_path, values))
    vectors.check(["a", "b"])
    with pytest.raises(UserError, match=r"the vector of id 'c' has numbers that are not finite"):
        vectors.check(["c", "a"])
    with pytest.raises(UserError, match=r"has no vector of id 'x' and 1 others"):
        vectors.check(["a", "x", "y"])


@pytest.mark.parametrize(
    "settings", [{"adaptation": "lora"}, {"precision": "bfloat16"}, {"pooling": "mean"}]
)
def test_nothing_but_a_head_is_trained_on_a_file(settings, tmp_path):
    path = npy(tmp_path)
    assert resolve_model(ModelSpec(str(path))).adaptation == "head"
    name = next(iter(settings))
    with pytest.raises(UserError, match=f"on which a head alone is trained.*leave {name}"):
        resolve_model(ModelSpec(str(path), **settings))
