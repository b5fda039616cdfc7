"""The facts are what the atlas tasks and the ladder rest on: consistent, and true where we know."""

import unicodedata

import pytest

from weak2strong.atlas.source import is_seen
from weak2strong.tasks.atlas.facts import CONTINENTS, cities, seen_cities, unseen_cities


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
