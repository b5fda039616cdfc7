"""What a network reads of items, and which models read what."""

import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.batches import encode_items, pad
from weak2strong.models.load import load_model
from weak2strong.models.reads import check_reads, reads
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item

ITEMS = [Item("a", "g", "Lima is a city."), Item("b", "g", "Lyon"), Item("c", "g", "")]


def test_a_reader_of_texts_reads_as_the_tokenizer_does(toy_models):
    model = load_model(ModelSpec(str(toy_models["llama"])), "classification", 2, 0)
    rows = model.reader.rows(ITEMS)
    assert rows == encode_items(model.tokenizer, ITEMS)
    expected = pad(rows, model.tokenizer.pad_token_id, torch.device("cpu"))
    assert all(map(torch.equal, model.reader.batch(rows, torch.device("cpu")), expected))
    assert [len(row) for row in model.reader.blank(3, 5)] == [5, 5, 5]
    assert model.reader.longest == 64


def test_every_sort_of_items_has_a_title():
    assert set(SORTS) == {"text", "features", "images"}
    assert [name for name, sort in SORTS.items() if sort.has_words] == ["text"]


@pytest.mark.parametrize("name", ["atlas-s", "owner/name", "a/folder"])
def test_a_model_reads_texts(name):
    assert reads(ModelSpec(name)) == "text"
    check_reads(ModelSpec(name), "mine", "text")


@pytest.mark.parametrize("name", ["weak.npy", "here/strong.safetensors", "/x/strong.parquet"])
def test_a_file_of_vectors_reads_features_and_no_texts(name):
    assert reads(ModelSpec(name)) == "features"
    with pytest.raises(UserError, match=r"reads features, and task mine is one of texts: choose a"):
        check_reads(ModelSpec(name), "mine", "text")


def test_where_an_image_lies_is_no_part_of_an_item():
    here, there = Item("a", "g", "key", file="one.png"), Item("a", "g", "key", file="other.png")
    assert here == there
    assert digest([here]) == digest([there])
