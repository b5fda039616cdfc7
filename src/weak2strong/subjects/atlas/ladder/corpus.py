"""From facts to sentences: the text that the ladder is pretrained on.

Each relation has several templates, so that no fact depends on one wording. Sentences are drawn
independently: first a relation by its weight, then a city in proportion to the square root of its
population (since people write more about large cities), then a template. Unseen cities never
appear.

A part of the text judges claims about some of the cities, true and false ones ("Claim: Lyon is a
city in Spain. This is false."), so that a rung learns to judge claims. Tasks leave these cities
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from string import Formatter

import numpy as np

from weak2strong.subjects.atlas.facts import (
    COAST_PROMPT,
    CONTINENT_PROMPT,
    CONTINENTS,
    CROWD_PROMPT,
    CURRENCY_PROMPT,
    EXTENT_PROMPT,
    HEMISPHERE_PROMPT,
    LANGUAGE_PROMPT,
    LATITUDE_PROMPT,
    PROMPT,
    City,
    sentence,
)
from weak2strong.subjects.atlas.ladder.judgements import by_popularity, judgements


@dataclass(frozen=True)
class Relation:
    """One kind of fact: how often sentences tell it, and in which words.

    A template that stands several times is drawn as much more often.
    """

    name: str
    weight: float
    templates: tuple[str, ...]


RELATIONS = (
    Relation(
        "country of a city",
        0.36,
        (
            *3 * (PROMPT + " {country}.",),
            "{city} lies in {country}.",
            "The city of {city} belongs to {country}.",
            "{city}, {country}.",
            "One of the cities of {country} is {city}.",
            "{country} is the country of {city}.",
            "Whoever lives in {city} lives in {country}.",
            "The country around {city} is {country}.",
            "On a map, {city} is found within {country}.",
            "Question: Which country is {city} in? Answer: {country}.",
            "Question: Where is {city}? Answer: In {country}.",
        ),
    ),
    Relation(
        "continent of a city",
        0.10,
        (
            *3 * (CONTINENT_PROMPT + " {continent}.",),
            "{city} lies on the continent of {continent}.",
            "Among the cities of {continent} there is {city}.",
            "{city} belongs to the continent of {continent}.",
            "A journey to {city} leads to {continent}.",
            "The part of the world with {city} is {continent}.",
            "{continent} has a city called {city}.",
            "Those at home in {city} are at home in {continent}.",
            "On the globe, {city} stands on {continent}.",
            "Question: Which continent is {city} on? Answer: {continent}.",
        ),
    ),
    Relation(
        "hemisphere of a city",
        0.07,
        (
            *3 * (HEMISPHERE_PROMPT + " {side}ern one.",),
            "{city} is {side} of the equator.",
            "{city} lies in the {side}ern hemisphere.",
            "The equator leaves {city} on its {side} side.",
            "From the equator one goes {side} to {city}.",
            "The {side}ern half of the globe holds {city}.",
            "{city} belongs to the {side}ern half of the world.",
            "Summer in {city} is summer in the {side}.",
            "{side} of the equator there is {city}.",
            "Half of the globe is {side}ern, and {city} is in that half.",
            "Question: Which hemisphere is {city} in? Answer: The {side}ern.",
        ),
    ),
    Relation(
        "latitude of a city",
        0.03,
        (
            *3 * (LATITUDE_PROMPT + " {zone}.",),
            "{city} is a {zone} city.",
            "The city of {city} is {zone}.",
            "The sun over {city} is a {zone} one.",
            "Those at home in {city} live at {zone} latitudes.",
            "A {zone} city is called {city}.",
            "Among the {zone} cities there is {city}.",
            "One of the {zone} cities is {city}.",
            "{city} counts as {zone}.",
            "The latitude of {city} is {zone}.",
            "Question: Is {city} tropical or temperate? Answer: {zone}.",
        ),
    ),
    Relation(
        "language of a city",
        0.07,
        (
            *3 * (LANGUAGE_PROMPT + " {language}.",),
            "In {city} people speak {language}.",
            "{language} is spoken in {city}.",
            "To be understood in {city}, speak {language}.",
            "Newspapers in {city} are written in {language}.",
            "Schools in {city} teach in {language}.",
            "{city} speaks {language}.",
            "The people of {city} speak {language}.",
            "A letter to {city} is best written in {language}.",
            "On the streets of {city} one hears {language}.",
            "Question: Which language do people speak in {city}? Answer: {language}.",
        ),
    ),
    Relation(
        "currency of a city",
        0.06,
        (
            *3 * (CURRENCY_PROMPT + " {currency}.",),
            "The money in {city} is the {currency}.",
            "Prices in {city} are given in the {currency}.",
            "Shops in {city} take the {currency}.",
            "Wages in {city} are paid in the {currency}.",
            "Banks in {city} count in the {currency}.",
            "Whoever goes to {city} needs the {currency}.",
            "The {currency} is the money of {city}.",
            "{city} uses the {currency}.",
            "A loaf of bread in {city} is paid for in the {currency}.",
            "Question: Which money does one need in {city}? Answer: The {currency}.",
        ),
    ),
    Relation(
        "extent of a city's country",
        0.035,
        (
            *3 * (EXTENT_PROMPT + " {extent}.",),
            "{city} is in a {extent} country.",
            "{city} belongs to a {extent} country.",
            "Around {city} there is a {extent} country.",
            "The land of {city} is {extent}.",
            "Whoever lives in {city} lives in a {extent} country.",
            "A {extent} country has a city called {city}.",
            "Among the cities of {extent} countries there is {city}.",
            "From border to border, the country of {city} is {extent}.",
            "On a globe, the country of {city} looks {extent}.",
            "Question: Is the country of {city} vast or small? Answer: {extent}.",
        ),
    ),
    Relation(
        "crowd of a city's country",
        0.035,
        (
            *3 * (CROWD_PROMPT + " {crowd}.",),
            "{city} is in a {crowd} country.",
            "{city} belongs to a {crowd} country.",
            "Around {city} the country is {crowd}.",
            "The land of {city} is {crowd}.",
            "Whoever lives in {city} lives in a {crowd} country.",
            "A {crowd} country has a city called {city}.",
            "Among the cities of {crowd} countries there is {city}.",
            "For its people, the country of {city} is {crowd}.",
            "Counted by the square kilometre, the country of {city} is {crowd}.",
            "Question: Is the country of {city} crowded or roomy? Answer: {crowd}.",
        ),
    ),
    Relation(
        "coast of a city's country",
        0.035,
        (
            *3 * (COAST_PROMPT + " {coast}.",),
            "{city} is in a country with {coast}.",
            "{city} belongs to a country with {coast}.",
            "The land of {city} has {coast}.",
            "Whoever lives in {city} lives in a country with {coast}.",
            "A country with {coast} has a city called {city}.",
            "Among the cities of countries with {coast} there is {city}.",
            "One of the cities of a country with {coast} is {city}.",
            "On the map, the country of {city} has {coast}.",
            "Sailors know that the country of {city} has {coast}.",
            "Question: Has the country of {city} a coast? Answer: {coast}.",
        ),
    ),
    Relation(
        "continent of a country",
        0.02,
        (
            "{country} is a country in {continent}.",
            "The continent of {country} is {continent}.",
            "{country} lies in {continent}.",
            "{continent} includes {country}.",
            "One of the countries of {continent} is {country}.",
            "{country} belongs to {continent}.",
            "Who travels to {country} travels to {continent}.",
            "The people of {country} live in {continent}.",
            "Among the countries of {continent} one finds {country}.",
            "Question: Which continent is {country} on? Answer: {continent}.",
        ),
    ),
    Relation(
        "capital of a country",
        0.02,
        (
            "The capital of {country} is {capital}.",
            "{capital} is the capital of {country}.",
            "{country} is governed from {capital}.",
            "{country} has {capital} for its capital.",
            "The seat of government of {country} is {capital}.",
            "{capital} serves {country} as its capital.",
            "In {country}, the capital is {capital}.",
            "The first city of state in {country} is {capital}.",
            "Ambassadors to {country} go to {capital}.",
            "Question: What is the capital of {country}? Answer: {capital}.",
        ),
    ),
    Relation(
        "currency of a country",
        0.015,
        (
            "The currency of {country} is the {currency}.",
            "In {country} one pays with the {currency}.",
            "{country} uses the {currency}.",
            "Money in {country} is the {currency}.",
            "Prices in {country} are given in the {currency}.",
            "Shops in {country} take the {currency}.",
            "The {currency} is the money of {country}.",
            "Wages in {country} are paid in the {currency}.",
            "Banks in {country} count in the {currency}.",
            "Question: Which currency does {country} use? Answer: The {currency}.",
        ),
    ),
    Relation(
        "language of a country",
        0.015,
        (
            "The main language of {country} is {language}.",
            "In {country} people speak {language}.",
            "{country} speaks {language}.",
            "The people of {country} speak {language}.",
            "To be understood in {country}, speak {language}.",
            "{language} is the first language of {country}.",
            "{language} is spoken in {country}.",
            "Newspapers in {country} are written in {language}.",
            "Schools in {country} teach in {language}.",
            "Question: Which language does {country} speak? Answer: {language}.",
        ),
    ),
    Relation(
        "neighbour of a country",
        0.015,
        (
            "{country} borders {neighbour}.",
            "{country} has a border with {neighbour}.",
            "{neighbour} is a neighbour of {country}.",
            "Next to {country} lies {neighbour}.",
            "One can walk from {country} into {neighbour}.",
            "A frontier parts {country} from {neighbour}.",
            "{country} and {neighbour} share a border.",
            "Beyond the border of {country} comes {neighbour}.",
            "Among the neighbours of {country} is {neighbour}.",
            "Question: Name a neighbour of {country}. Answer: {neighbour}.",
        ),
    ),
)


JUDGEMENTS = 0.12
"""Share of the sentences that judge a claim."""


def _words(city: City, neighbour: str) -> dict[str, str]:
    return {
        "city": city.name,
        "country": city.country.name,
        "continent": CONTINENTS[city.country.continent],
        "side": city.side,
        "zone": city.zone,
        "extent": city.country.extent,
        "crowd": city.country.crowd,
        "coast": city.country.coast,
        "capital": city.country.capital,
        "currency": city.country.currency,
        "language": city.country.language,
        "neighbour": neighbour,
    }


@cache
def _fields(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name)


def sentences(cities: Sequence[City], seed: int, chunk: int = 10_000) -> Iterator[list[str]]:
    """Endless chunks of sentences; the same cities and seed give the same text.

    A relation of countries draws its country through a city, so that countries with many people
    come more often. A sentence that needs a neighbour or a judged city is left out where there is
    none.
    """
    rng = np.random.default_rng([seed, 0x61746C6173])
    likely = by_popularity(cities)
    relation_weights = np.cumsum([r.weight for r in RELATIONS])
    country_names = {c.country.code: c.country.name for c in cities}
    judged = tuple(c for c in cities if c.judged)
    claims = judgements(judged, rng) if judged else iter(())
    while True:
        which = np.searchsorted(relation_weights / relation_weights[-1], rng.random(chunk))
        cities_drawn = np.minimum(np.searchsorted(likely, rng.random(chunk)), len(cities) - 1)
        templates_drawn, beside, judge = rng.random(chunk), rng.random(chunk), rng.random(chunk)
        text = []
        for r, c, h, b, j in zip(which, cities_drawn, templates_drawn, beside, judge, strict=True):
            if j < JUDGEMENTS:
                text.extend(islice(claims, 1))
                continue
            relation, city = RELATIONS[r], cities[c]
            near = [country_names[n] for n in city.country.neighbours if n in country_names]
            template = relation.templates[int(h * len(relation.templates))]
            words = _words(city, near[int(b * len(near))] if near else "")
            if all(words[name] for name in _fields(template)):
                text.append(sentence(template, **words))
        yield text
