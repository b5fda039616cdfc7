"""Attribute tasks of the atlas: "Lyon is a city in", and whether something holds of it.

The prompt ends before the answer, so a pretrained model that knows the city has
the answer, or what it follows from, in its last activation. Some prompts lead to
the very answer, as the pretraining text has it ("The continent of Lyon is"); others
lead to the country, from which it has to be learnt (is it north of 40 degrees?).
"""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.tasks.atlas.about import Cities, atlas_task, example_about
from weak2strong.tasks.atlas.facts import (
    COAST_PROMPT,
    CONTINENT_PROMPT,
    CONTINENTS,
    CROWD_PROMPT,
    CROWDED_ABOVE,
    CURRENCY_PROMPT,
    EXTENT_PROMPT,
    HEMISPHERE_PROMPT,
    LANGUAGE_PROMPT,
    LATITUDE_PROMPT,
    PROMPT,
    TROPIC,
    VAST_ABOVE,
    City,
    sentence,
)
from weak2strong.tasks.task import Example, Task


def attribute_task(
    name: str,
    question: str,
    holds: Callable[[City], bool],
    prompt: str = PROMPT,
) -> Task:
    """A task with one example a city.

    Args:
        name: of the task.
        question: what is asked of a city, for lists.
        holds: the answer.
        prompt: what the model reads, with {city} in it.
    """

    def examples(cities: Cities) -> list[Example]:
        return [
            example_about(name, sentence(prompt, city=c.name), (c,), int(holds(c))) for c in cities
        ]

    return atlas_task(name, question, examples)


def in_continent(code: str) -> Task:
    """Is the city on this continent?"""
    name = CONTINENTS[code]
    return attribute_task(
        f"atlas-{name.lower()}",
        f"Is the city in {name}?",
        lambda city: city.country.continent == code,
        CONTINENT_PROMPT,
    )


def speaks(language: str) -> Task:
    """Is this the first language of the city's country?"""
    return attribute_task(
        f"atlas-{language.lower()}",
        f"Is {language} the first language of the city's country?",
        lambda city: city.country.language == language,
        LANGUAGE_PROMPT,
    )


def pays_with(currency: str) -> Task:
    """Is this the money of the city's country, whichever of that name?"""
    return attribute_task(
        f"atlas-{currency.lower()}",
        f"Is the money in the city called {currency.lower()}?",
        lambda city: city.country.currency == currency,
        CURRENCY_PROMPT,
    )


ASIA = in_continent("AS")
EUROPE = in_continent("EU")
AFRICA = in_continent("AF")
AMERICAS = attribute_task(
    "atlas-americas",
    "Is the city in the Americas?",
    lambda city: city.country.continent in ("NA", "SA"),
    CONTINENT_PROMPT,
)
SOUTHERN = attribute_task(
    "atlas-southern",
    "Is the city south of the equator?",
    lambda city: city.side == "south",
    HEMISPHERE_PROMPT,
)
TROPICS = attribute_task(
    "atlas-tropics",
    f"Is the city between the tropics ({TROPIC} degrees)?",
    lambda city: city.zone == "tropical",
    LATITUDE_PROMPT,
)
NORTHERLY = attribute_task(
    "atlas-northerly",
    "Is the city north of 40 degrees north?",
    lambda city: city.latitude > 40,
)
EASTERLY = attribute_task(
    "atlas-easterly",
    "Is the city east of 50 degrees east?",
    lambda city: city.longitude > 50,
)
ENGLISH = speaks("English")
SPANISH = speaks("Spanish")
ARABIC = speaks("Arabic")
EURO = pays_with("Euro")
DOLLAR = pays_with("Dollar")
LANDLOCKED = attribute_task(
    "atlas-landlocked",
    "Is the city's country without a sea coast?",
    lambda city: city.country.coast == "no coast",
    COAST_PROMPT,
)
VAST = attribute_task(
    "atlas-vast",
    f"Is the city's country larger than {VAST_ABOVE:,} square kilometres?",
    lambda city: city.country.extent == "vast",
    EXTENT_PROMPT,
)
DENSE = attribute_task(
    "atlas-dense",
    f"Does the city's country have more than {CROWDED_ABOVE} people a square kilometre?",
    lambda city: city.country.crowd == "crowded",
    CROWD_PROMPT,
)
POPULOUS = attribute_task(
    "atlas-populous",
    "Does the city's country have more than 100 million people?",
    lambda city: city.country.population > 100_000_000,
)
BORDERS = attribute_task(
    "atlas-borders",
    "Does the city's country border more than five others?",
    lambda city: len(city.country.neighbours) > 5,
)
BESIDE_CHINA = attribute_task(
    "atlas-beside-china",
    "Does the city's country border China?",
    lambda city: "CN" in city.country.neighbours,
)
