"""Languages have names, and countries a coast or none."""

import polars as pl
import pytest

from weak2strong.subjects.atlas.countries import LANDLOCKED, LANGUAGES
from weak2strong.subjects.atlas.facts import FACTS_FILE, cities


@pytest.fixture(scope="module")
def by_country():
    return {c.country.name: c.country for c in cities()}


def test_the_first_language_of_every_country_has_a_name_and_no_other_is_listed():
    first = pl.read_parquet(FACTS_FILE)["country_languages"].list.first().unique().to_list()
    assert {code.partition("-")[0] for code in first} == set(LANGUAGES)
    for name in LANGUAGES.values():
        assert name.isalpha()
        assert name.istitle()
    # Mandarin alone has two codes.
    assert len(set(LANGUAGES.values())) == len(LANGUAGES) - 1


@pytest.mark.parametrize(
    ("country", "language"),
    [
        ("France", "French"),
        ("Peru", "Spanish"),
        ("Brazil", "Portuguese"),
        ("Austria", "German"),
        ("China", "Mandarin"),
        ("Taiwan", "Mandarin"),
        ("Japan", "Japanese"),
        ("Egypt", "Arabic"),
        ("United Kingdom", "English"),
        ("Russia", "Russian"),
        ("Iran", "Persian"),
        ("Pakistan", "Urdu"),
        ("Ethiopia", "Amharic"),
        ("Tanzania", "Swahili"),
        ("Vietnam", "Vietnamese"),
        ("Ukraine", "Ukrainian"),
    ],
)
def test_languages_that_anyone_can_check(by_country, country, language):
    assert by_country[country].language == language


@pytest.mark.parametrize(
    ("countries", "landlocked"),
    [
        ("Austria Bolivia Mongolia Chad Nepal Paraguay Switzerland Uganda Ethiopia Serbia", True),
        ("Kazakhstan Azerbaijan Turkmenistan Laos Zambia Kosovo Luxembourg Slovakia", True),
        ("Iran Chile Georgia Eritrea Belgium Slovenia Croatia Jordan Iraq Togo", False),
        ("Japan Australia Madagascar Cuba Vietnam Russia Peru Sudan Cameroon Gambia", False),
    ],
)
def test_coasts_that_anyone_can_check(by_country, countries, landlocked):
    for name in countries.split():
        assert by_country[name].coast == ("no coast" if landlocked else "a coast"), name


def test_forty_five_countries_are_landlocked_and_none_of_them_is_an_island(by_country):
    assert len(LANDLOCKED) == 45
    found = {c.code for c in by_country.values() if c.coast == "no coast"}
    # Four of them have no city that is large enough.
    assert LANDLOCKED - found == {"AD", "LI", "SM", "VA"}
    for country in by_country.values():
        assert country.coast == "a coast" or country.neighbours


def test_uzbekistan_alone_has_landlocked_neighbours_only(by_country):
    """Liechtenstein is the other such country, and has no large city."""
    around = {
        c.name
        for c in by_country.values()
        if c.coast == "no coast" and all(code in LANDLOCKED for code in c.neighbours)
    }
    assert around == {"Uzbekistan"}
