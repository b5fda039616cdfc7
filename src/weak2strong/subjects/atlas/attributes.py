"""Attribute tasks of the atlas: "Lyon is a city in", and whether something holds of it.

The prompt ends before the answer, so a pretrained model that knows the city has
the answer, or what it follows from, in its last activation. Some prompts lead to
the very answer, as the pretraining text has it ("The continent of Lyon is"); others
lead to the country, from which it has to be learnt (is it north of 40 degrees?).

A language model that is not trained is asked for the words of the pretraining text
("Asia", or anything else), where that has words for it. Where it has not, it is asked a
question in plain English, which the ladder cannot read: its answers are chance there.
"""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.subjects.atlas.about import Cities, atlas_task, example_about
from weak2strong.subjects.atlas.facts import (
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
from weak2strong.tasks.prompt import CONTENT_FREE, PLACE, Prompt
from weak2strong.tasks.task import Example, Task

Answers = tuple[tuple[str, ...], tuple[str, ...]]
"""The words that go on a prompt: of the cities of which it does not hold, and of which it does."""


def wording(
    prompt: str, answers: Answers, rest: int | None = None, separator: str = ".\n"
) -> Prompt:
    """How a language model is asked to go on with a prompt about a city."""
    nothing = tuple(sentence(prompt, city=x) for x in CONTENT_FREE)
    return Prompt(answers, separator=separator, rest=rest, content_free=nothing)


def question_wording(question: str) -> Prompt:
    """How a language model is asked what the prompt, `PROMPT`, does not lead to."""
    return Prompt(
        ((" no",), (" yes",)),
        f"{PLACE} the world.\nQuestion: {question}\nAnswer:",
        content_free=tuple(sentence(PROMPT, city=x) for x in CONTENT_FREE),
    )


def attribute_task(
    name: str,
    question: str,
    holds: Callable[[City], bool],
    prompt: str = PROMPT,
    answers: Answers | None = None,
    rest: int | None = None,
    separator: str = ".\n",
) -> Task:
    """A task with one example a city.

    Args:
        name: of the task.
        question: what is asked of a city, for lists.
        holds: the answer.
        prompt: what the model reads, with {city} in it.
        answers: words that go on the prompt; None where none of them tell the answer.
        rest: the class that all other words stand for (see `Prompt`).
        separator: what comes after the words.
    """

    def examples(cities: Cities) -> list[Example]:
        return [
            example_about(name, sentence(prompt, city=c.name), (c,), int(holds(c))) for c in cities
        ]

    asked = wording(prompt, answers, rest, separator) if answers else question_wording(question)
    return atlas_task(name, question, examples, asked)


def in_continent(code: str) -> Task:
    """Is the city on this continent?"""
    name = CONTINENTS[code]
    return attribute_task(
        f"atlas-{name.lower()}",
        f"Is the city in {name}?",
        lambda city: city.country.continent == code,
        CONTINENT_PROMPT,
        ((" elsewhere",), (f" {name}",)),
        rest=0,
    )


def speaks(language: str) -> Task:
    """Is this the first language of the city's country?"""
    return attribute_task(
        f"atlas-{language.lower()}",
        f"Is {language} the first language of the city's country?",
        lambda city: city.country.language == language,
        LANGUAGE_PROMPT,
        ((" another",), (f" {language}",)),
        rest=0,
    )


def pays_with(currency: str) -> Task:
    """Is this the money of the city's country, whichever of that name?"""
    return attribute_task(
        f"atlas-{currency.lower()}",
        f"Is the money in the city called {currency.lower()}?",
        lambda city: city.country.currency == currency,
        CURRENCY_PROMPT,
        ((" other",), (f" {currency}",)),
        rest=0,
    )


ASIA = in_continent("AS")
EUROPE = in_continent("EU")
AFRICA = in_continent("AF")
AMERICAS = attribute_task(
    "atlas-americas",
    "Is the city in the Americas?",
    lambda city: city.country.continent in ("NA", "SA"),
    CONTINENT_PROMPT,
    # A shot cannot know which of the two, so that it has what is true of both.
    ((" elsewhere",), (" America", " North America", " South America")),
    rest=0,
)
SOUTHERN = attribute_task(
    "atlas-southern",
    "Is the city south of the equator?",
    lambda city: city.side == "south",
    HEMISPHERE_PROMPT,
    ((" northern",), (" southern",)),
    separator=" one.\n",
)
TROPICS = attribute_task(
    "atlas-tropics",
    f"Is the city between the tropics ({TROPIC} degrees)?",
    lambda city: city.zone == "tropical",
    LATITUDE_PROMPT,
    ((" temperate",), (" tropical",)),
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
    ((" a coast",), (" no coast",)),
)
VAST = attribute_task(
    "atlas-vast",
    f"Is the city's country larger than {VAST_ABOVE:,} square kilometres?",
    lambda city: city.country.extent == "vast",
    EXTENT_PROMPT,
    ((" small",), (" vast",)),
)
DENSE = attribute_task(
    "atlas-dense",
    f"Does the city's country have more than {CROWDED_ABOVE} people a square kilometre?",
    lambda city: city.country.crowd == "crowded",
    CROWD_PROMPT,
    ((" roomy",), (" crowded",)),
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
