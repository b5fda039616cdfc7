"""Claims about cities, true or false, and their words.

A claim ends before its judgement ("Claim: Lyon is a city in Spain. This is"), both in tasks and in
the pretraining text. The pretraining text judges claims about cities that tasks do not ask about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from weak2strong.subjects.atlas.facts import CONTINENTS, City, sentence

CLAIM = "Claim: {statement}. This is"
VERDICTS = ("false", "true")


@dataclass(frozen=True)
class Topic:
    """Something that a claim can say of a city; ``statements`` name {city} and {answer}."""

    name: str
    statements: tuple[str, ...]
    answer: Callable[[City], str]


COUNTRY = Topic(
    "country",
    (
        "{city} is a city in {answer}",
        "The city of {city} belongs to {answer}",
        "The country of {city} is {answer}",
    ),
    lambda city: city.country.name,
)
CONTINENT = Topic(
    "continent",
    (
        "The continent of {city} is {answer}",
        "{city} lies on the continent of {answer}",
        "The part of the world with {city} is {answer}",
    ),
    lambda city: CONTINENTS[city.country.continent],
)
HEMISPHERE = Topic(
    "hemisphere",
    (
        "{city} is {answer} of the equator",
        "The hemisphere of {city} is the {answer}ern one",
        "{city} lies in the {answer}ern hemisphere",
    ),
    lambda city: city.side,
)
LANGUAGE = Topic(
    "language",
    (
        "The main language in {city} is {answer}",
        "In {city} people speak {answer}",
        "Schools in {city} teach in {answer}",
    ),
    lambda city: city.country.language,
)
CURRENCY = Topic(
    "currency",
    (
        "In {city} one pays with the {answer}",
        "The money in {city} is the {answer}",
        "Shops in {city} take the {answer}",
    ),
    lambda city: city.country.currency,
)
TOPICS = (COUNTRY, CONTINENT, HEMISPHERE, LANGUAGE, CURRENCY)

NOT_ON_CONTINENT = "The continent of {city} is not {answer}"
"""The negation of the first statement about continents."""

SAME_COUNTRY = "{city} and {other} are in the same country"
LARGER = "{city} has more people than {other}"

CLEARLY = 2.0
"""How many times as many people as the other city the larger one must have in a claim."""


def claim(statement: str, **words: str) -> str:
    """The text of a claim, up to its judgement."""
    return CLAIM.format(statement=sentence(statement, **words))
