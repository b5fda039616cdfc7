"""The facts are what the atlas tasks and the ladder rest on: consistent, and true where we know."""

import hashlib
import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from weak2strong.subjects.atlas.facts import (
    CONTINENTS,
    cities,
    draw,
    seen_cities,
    sentence,
    unseen_cities,
)
from weak2strong.subjects.atlas.ladder.source import is_seen


@pytest.fixture(scope="module")
def by_name():
    return {c.name: c for c in cities()}


def test_names_and_ids_say_which_city_is_meant(by_name):
    assert len(by_name) == len(cities()) == len({c.id for c in cities()}) > 10_000


def test_cities_come_by_population():
    order = [(-c.population, c.id) for c in cities()]
    assert order == sorted(order)


def test_values_are_in_range():
    for c in cities():
        assert -90 <= c.latitude <= 90
        assert -180 <= c.longitude <= 180
        assert c.population > 50_000
        assert c.country.continent in CONTINENTS
        assert c.country.code not in c.country.neighbours
        for word in (c.name, c.country.name, c.country.capital, c.country.currency):
            assert word


def test_a_country_is_one_object_of_one_name():
    names = {c.country.code: c.country.name for c in cities()}
    assert len(set(names.values())) == len(names)
    assert len({id(c.country) for c in cities()}) == len(names)


@pytest.mark.parametrize(
    ("name", "country", "continent", "capital", "latitude", "longitude"),
    [
        ("Lyon", "France", "EU", "Paris", 45.76, 4.84),
        ("Lima", "Peru", "SA", "Lima", -12.05, -77.04),
        ("Nairobi", "Kenya", "AF", "Nairobi", -1.29, 36.82),
        ("Tokyo", "Japan", "AS", "Tokyo", 35.68, 139.69),
        ("Toronto", "Canada", "NA", "Ottawa", 43.65, -79.38),
        ("Auckland", "New Zealand", "OC", "Wellington", -36.85, 174.76),
        ("Quito", "Ecuador", "SA", "Quito", -0.18, -78.47),
    ],
)
def test_well_known_cities(by_name, name, country, continent, capital, latitude, longitude):
    city = by_name[name]
    assert (city.country.name, city.country.continent) == (country, continent)
    assert city.country.capital == capital
    assert city.latitude == pytest.approx(latitude, abs=0.3)
    assert city.longitude == pytest.approx(longitude, abs=0.3)


def test_seen_and_unseen_part_the_cities_at_a_limit():
    for limit in (0, 100_000, 1_000_000):
        seen, unseen = seen_cities(limit), unseen_cities(limit)
        assert {c.id for c in seen} | {c.id for c in unseen} == {
            c.id for c in cities() if c.population > limit
        }
        assert not {c.id for c in seen} & {c.id for c in unseen}
    exact = cities()[100].population
    assert exact not in {c.population for c in seen_cities(exact) + unseen_cities(exact)}


def test_a_fifth_is_unseen_by_the_draw_of_its_id():
    spoken = {c.country.name for c in cities()} | {c.country.capital for c in cities()}
    for c in cities():
        # Capitals of countries without a city in the file are spoken of too: hence no equality.
        assert c.seen or not is_seen(c.id)
        if c.name in spoken:
            assert c.seen
    n = len(cities())
    assert abs(len(unseen_cities()) / n - 0.2) < 4 * (0.16 / n) ** 0.5


def test_no_name_has_stray_spaces():
    for c in cities():
        for word in (c.name, c.country.name, c.country.capital, c.country.currency):
            assert word == " ".join(word.split())


def test_no_capital_is_unseen_under_another_spelling():
    def bare(name):
        marked = unicodedata.normalize("NFD", name.casefold())
        return "".join(x for x in marked if x.isalnum())

    spoken = {bare(c.country.capital) for c in cities()} | {"ulanbator"}  # as Ulaanbaatar
    assert not [c.name for c in unseen_cities() if bare(c.name) in spoken]


@pytest.mark.parametrize(
    ("purpose", "id", "drawn"),
    # printf atlas-judged:7 | sha256sum, its first 16 digits as a fraction.
    [
        ("atlas-judged", 7, 0x10A40CD7852C8BC9),
        ("atlas-judged", 2996944, 0xE22AF4B5C7EDA06E),
        ("atlas-seen", 7, 0x0FA2FE22CA9E34A6),
    ],
)
def test_draws_are_the_same_on_every_machine(purpose, id, drawn):
    assert draw(purpose, id) == drawn / 2**64


def test_draws_are_even_and_those_of_two_purposes_independent():
    n = 10_000
    one, other = (np.array([draw(purpose, i) for i in range(n)]) for purpose in "ab")
    for drawn in (one, other):
        tenths = np.bincount((drawn * 10).astype(int), minlength=10) / n
        assert len(tenths) == 10
        assert np.abs(tenths - 0.1).max() < 4 * (0.09 / n) ** 0.5
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / n**0.5


def test_a_quarter_of_the_seen_cities_is_judged_by_the_draw_of_its_id():
    for c in cities():
        first = int(hashlib.sha256(f"atlas-judged:{c.id}".encode()).hexdigest()[:2], 16)
        assert c.judged == (c.seen and first < 64)
    n = len(seen_cities())
    judged = sum(c.judged for c in cities())
    assert abs(judged / n - 0.25) < 4 * (0.25 * 0.75 / n) ** 0.5


def test_words_change_at_the_equator_and_at_the_tropics(by_name):
    def words(word, latitudes):
        return [getattr(replace(by_name["Lyon"], latitude=x), word) for x in latitudes]

    assert words("side", (-90.0, -0.1, 0.0, 0.1)) == ["south", "south", "north", "north"]
    zones = words("zone", (-23.45, -23.43, 0.0, 23.43, 23.45))
    assert zones == ["temperate", *["tropical"] * 3, "temperate"]


def test_words_of_countries_change_at_their_limits(by_name):
    def words(word, **facts):
        return getattr(replace(by_name["Lyon"].country, **facts), word)

    assert words("extent", area=1_000_000.0) == "small"
    assert words("extent", area=1_000_001.0) == "vast"
    assert words("crowd", area=10.0, population=2_000) == "roomy"
    assert words("crowd", area=10.0, population=2_001) == "crowded"
    assert (words("coast", code="CH"), words("coast", code="FR")) == ("no coast", "a coast")


def test_a_country_speaks_the_first_of_its_languages(by_name):
    france = by_name["Lyon"].country
    for codes, language in (
        (("en-GB", "cy-GB", "gd"), "English"),
        (("cmn",), "Mandarin"),
        (("zh-TW", "zh"), "Mandarin"),
        (("tet", "pt-TL"), "Tetum"),
    ):
        assert replace(france, languages=codes).language == language


def test_sentences_begin_with_a_capital():
    assert sentence("{a} is {b}.", a="eMbalenhle", b="small") == "EMbalenhle is small."
    assert sentence("in {a}", a="Oslo") == "In Oslo"
    assert sentence("{a}", a="'s-Hertogenbosch") == "'s-Hertogenbosch"
