"""Claims say of a city what their topic is about, in words that no other topic uses."""

import re
from string import Formatter

import pytest

from weak2strong.subjects.atlas.claims import (
    CLAIM,
    LARGER,
    SAME_COUNTRY,
    TOPICS,
    VERDICTS,
    claim,
)
from weak2strong.subjects.atlas.facts import CONTINENTS, cities


@pytest.fixture(scope="module")
def by_name():
    return {c.name: c for c in cities()}


@pytest.mark.parametrize(
    ("city", "answers"),
    [
        ("Lyon", ["France", "Europe", "north", "French", "Euro"]),
        ("Lima", ["Peru", "South America", "south", "Spanish", "Sol"]),
        ("Tokyo", ["Japan", "Asia", "north", "Japanese", "Yen"]),
        ("Nairobi", ["Kenya", "Africa", "south", "English", "Shilling"]),
        ("Auckland", ["New Zealand", "Oceania", "south", "English", "Dollar"]),
        ("Toronto", ["Canada", "North America", "north", "English", "Dollar"]),
    ],
)
def test_true_answers_that_anyone_can_check(by_name, city, answers):
    names = ["country", "continent", "hemisphere", "language", "currency"]
    assert [t.name for t in TOPICS] == names
    assert [t.answer(by_name[city]) for t in TOPICS] == answers


def test_answers_are_those_of_the_facts_file(rows):
    country, continent, hemisphere, _, currency = TOPICS
    for c in cities():
        row = rows[c.id]
        assert country.answer(c) == row["country_name"]
        assert continent.answer(c) == CONTINENTS[row["country_continent"]]
        assert hemisphere.answer(c) == ("south" if row["latitude"] < 0 else "north")
        assert currency.answer(c) == row["country_currency"]


def test_a_claim_ends_where_its_judgement_begins():
    said = claim("{city} is a city in {answer}", city="Lyon", answer="Spain")
    assert said == "Claim: Lyon is a city in Spain. This is"
    assert VERDICTS == ("false", "true")


@pytest.mark.parametrize(
    ("city", "begins"), [("eMbalenhle", "EMbalenhle"), ("'s-Hertogenbosch", "'s-Hertogenbosch")]
)
def test_a_statement_begins_with_a_capital_and_leaves_the_rest_alone(city, begins):
    assert claim(LARGER, city=city, other=city) == (
        f"Claim: {begins} has more people than {city}. This is"
    )
    assert f"of {city} is" in claim("the hemisphere of {city} is", city=city)


def test_statements_name_a_city_and_an_answer_or_two_cities():
    wordings = [(s, {"city", "answer"}) for topic in TOPICS for s in topic.statements]
    wordings += [(SAME_COUNTRY, {"city", "other"}), (LARGER, {"city", "other"})]
    for statement, fields in wordings:
        names = [name for _, name, _, _ in Formatter().parse(statement) if name]
        assert sorted(names) == sorted(fields)
        assert not statement.endswith(".")
    assert all(len(topic.statements) >= 3 for topic in TOPICS)
    assert [name for _, name, _, _ in Formatter().parse(CLAIM) if name] == ["statement"]


def test_no_claim_can_be_read_in_two_ways():
    """No wording with a city and an answer put in is another wording with others put in."""
    wordings = [(t.name, s) for t in TOPICS for s in t.statements]
    wordings += [("same", SAME_COUNTRY), ("larger", LARGER)]
    assert len({s for _, s in wordings}) == len(wordings)
    readings = [re.compile(re.sub(r"\{\w+\}", "(.+)", s)) for _, s in wordings]
    seen = sorted(cities(), key=lambda c: c.id)[:300]
    for i, (name, statement) in enumerate(wordings):
        for city in seen:
            words = {"city": city.name, "other": "Lima"}
            answers = [t.answer(city) for t in TOPICS if t.name == name]
            text = statement.format(answer=answers[0] if answers else "", **words)
            assert [k for k, r in enumerate(readings) if r.fullmatch(text)] == [i]
