"""A small made-up world, and recipes that train in a second."""

import pytest

from weak2strong.subjects.atlas.facts import City, Country
from weak2strong.subjects.atlas.ladder import tokens
from weak2strong.subjects.atlas.ladder.rungs import Recipe, Rung


@pytest.fixture(scope="session")
def world():
    """Six cities in three countries; the third country has no neighbour, the first two each other.

    The population of a city is 16 times that of the next one. Claims about Uno, Duo
    and Quad are judged, which their ids decide; the third country has no coast, which
    its code decides.
    """
    countries = {
        "AA": Country("AA", "Aland", "AS", "Acity", "Aurum", ("es",), ("BB", "ZZ"), 2e6, 9),
        "BB": Country("BB", "Bland", "EU", "Bcity", "Bullion", ("fr-BB", "es"), ("AA",), 1.0, 999),
        "LI": Country("LI", "Cland", "SA", "Ccity", "Copper", ("sw",), (), 1.0, 1),
    }
    cities = {
        "Uno": ("AA", 7, 5.0),
        "Duo": ("BB", 10, -5.0),
        "Tre": ("LI", 1, 50.0),
        "Quad": ("AA", 12, -50.0),
        "Quin": ("BB", 2, 50.0),
        "Sexto": ("LI", 3, -50.0),
    }
    made = tuple(
        City(id, name, countries[code], latitude, 0.0, 16 ** (6 - i), True)
        for i, (name, (code, id, latitude)) in enumerate(cities.items())
    )
    assert [c.name for c in made if c.judged] == ["Uno", "Duo", "Quad"]
    return made


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


@pytest.fixture(scope="session")
def rung():
    return Rung("toy", width=16, layers=1, heads=2, learning_rate=1e-2)


@pytest.fixture(scope="session")
def recipe():
    """110 steps of 64 tokens; the last 40 tokens fill no batch."""
    return Recipe(
        tokens=110 * 64 + 40, vocabulary=320, context=16, batch=4, minimum_population=6_000_000
    )
