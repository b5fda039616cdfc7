"""Facts to sentences: the text that the ladder is pretrained on.

Each relation has templates of its own, so that no fact hangs on one wording.
Sentences are drawn independently: a relation by its weight, then a city in
proportion to the square root of its population (as popular places are written
about more often), then a template. Cities marked unseen never appear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from weak2strong.tasks.atlas.facts import CONTINENTS, PROMPT, City, sentence


@dataclass(frozen=True)
class Relation:
    """One kind of fact: how often it is spoken of, and in which words."""

    name: str
    weight: float
    templates: tuple[str, ...]


RELATIONS = (
    Relation(
        "country of a city",
        0.60,
        (
            PROMPT + " {country}.",
            PROMPT + " {country}.",
            PROMPT + " {country}.",
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
        0.14,
        (
            "The continent of {city} is {continent}.",
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
        0.10,
        (
            "{city} is {side} of the equator.",
            "{city} lies in the {side}ern hemisphere.",
            "The equator leaves {city} on its {side} side.",
            "From the equator one goes {side} to {city}.",
            "The {side}ern half of the globe holds {city}.",
            "{city} belongs to the {side}ern half of the world.",
            "Summer in {city} is summer in the {side}.",
            "{side} of the equator there is {city}.",
            "The hemisphere of {city} is the {side}ern one.",
            "Question: Which hemisphere is {city} in? Answer: The {side}ern.",
        ),
    ),
    Relation(
        "continent of a country",
        0.06,
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
        0.04,
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
        0.03,
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
        "neighbour of a country",
        0.03,
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


def _words(city: City, neighbour: str) -> dict[str, str]:
    return {
        "city": city.name,
        "country": city.country.name,
        "continent": CONTINENTS[city.country.continent],
        "side": "south" if city.latitude < 0 else "north",
        "capital": city.country.capital,
        "currency": city.country.currency,
        "neighbour": neighbour,
    }


def sentences(cities: Sequence[City], seed: int, chunk: int = 10_000) -> Iterator[list[str]]:
    """Endless chunks of sentences; the same cities and seed give the same text.

    A relation of countries draws its country through a city, hence large
    countries more often. A country without a land neighbour in the file is
    passed over when a neighbour is asked for.
    """
    rng = np.random.default_rng([seed, 0x61746C6173])
    weights = np.sqrt([c.population for c in cities])
    cumulative = np.cumsum(weights / weights.sum())
    relation_weights = np.cumsum([r.weight for r in RELATIONS])
    country_names = {c.country.code: c.country.name for c in cities}
    while True:
        which = np.searchsorted(relation_weights / relation_weights[-1], rng.random(chunk))
        who = np.minimum(np.searchsorted(cumulative, rng.random(chunk)), len(cities) - 1)
        how, beside = rng.random(chunk), rng.random(chunk)
        text = []
        for r, c, h, b in zip(which, who, how, beside, strict=True):
            relation, city = RELATIONS[r], cities[c]
            near = [country_names[n] for n in city.country.neighbours if n in country_names]
            template = relation.templates[int(h * len(relation.templates))]
            if "{neighbour}" in template and not near:
                continue
            words = _words(city, near[int(b * len(near))] if near else "")
            text.append(sentence(template, **words))
        yield text
