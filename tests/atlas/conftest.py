"""A small made-up world, and recipes that train in a second."""

import pytest

from weak2strong.atlas import tokens
from weak2strong.atlas.rungs import Recipe, Rung
from weak2strong.tasks.atlas.facts import City, Country


@pytest.fixture(scope="session")
def world():
    """Six cities in three countries; the third country has no neighbour, the first two each other.

    The population of a city is 16 times that of the next one.
    """
    rows = {
        "AA": ("Aland", "AS", "Acity", "Aurum", ("BB", "ZZ")),
        "BB": ("Bland", "EU", "Bcity", "Bullion", ("AA",)),
        "CC": ("Cland", "SA", "Ccity", "Copper", ()),
    }
    countries = {
        code: Country(code, name, continent, capital, currency, (), neighbours, 1.0, 1)
        for code, (name, continent, capital, currency, neighbours) in rows.items()
    }
    names = {"Uno": "AA", "Duo": "BB", "Tre": "CC", "Quad": "AA", "Quin": "BB", "Sexto": "CC"}
    return tuple(
        City(i, name, countries[code], -5.0 if i % 2 else 5.0, 0.0, 16 ** (6 - i), True)
        for i, (name, code) in enumerate(names.items())
    )


@pytest.fixture
def small_corpus(monkeypatch):
    """Tokenizers are trained on one chunk instead of twelve."""
    monkeypatch.setattr(tokens, "TRAINING_CHUNKS", 1)


@pytest.fixture(scope="session")
def tokenizer(world, tmp_path_factory):
    """A tokenizer of the made-up world."""
    folder = tmp_path_factory.mktemp("tokenizer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "TRAINING_CHUNKS", 1)
        tokens.build_tokenizer(world, 0, 320, 16, folder)
    return folder


@pytest.fixture
def rung():
    return Rung("toy", width=16, layers=1, heads=2, learning_rate=1e-2)


@pytest.fixture
def recipe():
    """110 steps of 64 tokens; the last 40 tokens fill no batch."""
    return Recipe(
        tokens=110 * 64 + 40, vocabulary=320, context=16, batch=4, minimum_population=6_000_000
    )
