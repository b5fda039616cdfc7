"""What counts as known is what greedy generation says, token after token."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from weak2strong.subjects.atlas.facts import City
from weak2strong.subjects.atlas.ladder.knowledge import known_countries
from weak2strong.subjects.atlas.ladder.pretrain import pretrain
from weak2strong.subjects.atlas.ladder.rungs import Recipe, Rung
from weak2strong.subjects.atlas.ladder.tokens import END


@pytest.fixture(scope="module")
def taught(world, tokenizer, tmp_path_factory):
    """A model that has read the countries of five cities over and over, two of them wrong."""
    folder = tmp_path_factory.mktemp("taught")
    loaded = AutoTokenizer.from_pretrained(tokenizer)
    said = {"Uno": "Aland", "Duo": "Bland", "Tre": "Cland", "Quad": "Bland"}
    said["Quin"] = "Bland of old"
    sentences = [f"{END}{city} is a city in {country}." for city, country in said.items()]
    rng = np.random.default_rng(0)
    text = "".join(sentences[i] for i in rng.integers(0, 5, 4000))
    recipe = Recipe(tokens=250 * 128, vocabulary=320, context=32, batch=4)
    stream = np.array(loaded(text)["input_ids"][1:], dtype=np.uint16)
    assert len(stream) >= recipe.tokens
    rung = Rung("taught", width=32, layers=1, heads=2, learning_rate=1e-2)
    pretrain(rung, recipe, stream, folder)
    loaded.save_pretrained(folder)
    return folder


def generated(folder, cities):
    """Whether plain greedy generation, one token at a time, begins with the right country."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    right = []
    for city in cities:
        ids = tokenizer(f"{city.name} is a city in", return_tensors="pt")["input_ids"]
        start = ids.shape[1]
        with torch.inference_mode():
            for _ in range(12):
                best = model(input_ids=ids).logits[0, -1].argmax()
                ids = torch.cat([ids, best.view(1, 1)], dim=1)
        said = tokenizer.decode(ids[0, start:])
        right.append(said.startswith(f" {city.country.name}."))
    return right


@pytest.fixture(scope="module")
def asked(world):
    """All cities of the world, names that were never said, and countries that are wrong."""
    strangers = [replace(world[0], name=name) for name in ("Zzyzx", "Unosa", "Duotre", "Tre Tre")]
    wrong = [replace(world[0], country=c.country) for c in world[1:3]]
    longer = [
        replace(c, country=replace(c.country, name=c.country.name + " of the South"))
        for c in world[:2]
    ]
    shorter = [replace(c, country=replace(c.country, name=c.country.name[:-1])) for c in world[:2]]
    return [*world, *strangers, *wrong, *longer, *shorter]


def test_equals_generation_token_by_token(taught, asked):
    known = known_countries(taught, asked)
    assert known == generated(taught, asked)
    assert known[:5] == [True, True, True, False, False]
    assert not any(known[-6:])


def test_batches_and_order_play_no_part(taught, asked):
    known = known_countries(taught, asked)
    assert known_countries(taught, asked, batch=1) == known
    assert known_countries(taught, asked, batch=3) == known
    assert known_countries(taught, asked[::-1]) == known[::-1]


def test_a_model_that_read_nothing_knows_nothing(world, tokenizer, rung, recipe, tmp_path):
    noise = np.random.default_rng(0).integers(0, 320, 64 * 2).astype(np.uint16)
    pretrain(rung, replace(recipe, tokens=128), noise, tmp_path)
    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(tmp_path)
    assert known_countries(tmp_path, world) == [False] * 6


def test_answers_are_plain_bools(taught, world):
    assert {type(k) for k in known_countries(taught, world)} == {bool}
    assert known_countries(taught, []) == []
    assert all(isinstance(c, City) for c in world)
