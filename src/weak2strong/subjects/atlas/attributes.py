"""Attribute tasks of the atlas: "Lyon is a city in", and whether something is true of the city.

The prompt ends before the answer. So a pretrained model that knows the city has the answer, or
what the answer follows from, in its last activation. Some prompts lead to the very answer, as the
pretraining text has it ("The continent of Lyon is"). Others lead to the country, and the student
has to learn the answer from the country (is the city north of 40 degrees?).

A language model that is not trained is asked for the words of the pretraining text ("Asia", or
anything else), where the pretraining text has words for the answer. Where it has none, the model
is asked a question in plain English. The ladder cannot read such a question: its answers are
chance there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from weak2strong.subjects.atlas.about import Cities, atlas_task, example_about
from weak2strong.subjects.atlas.claims import CONTINENT, CURRENCY, LANGUAGE
from weak2strong.subjects.atlas.facts import (
    COAST_PROMPT,
    CONTINENT_PROMPT,
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
"""The words that go on a prompt: for cities without the attribute, and for cities with it."""


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

    words = wording(prompt, answers, rest, separator) if answers else question_wording(question)
    return atlas_task(name, question, examples, words)


def word_task(
    question: str, answer: Callable[[City], str], prompt: str, other: str, word: str
) -> Task:
    """Does this word go on the prompt?

    Args:
        question: for lists, with {word} or {lower} in it.
        answer: the word that goes on the prompt for a city.
        prompt: with {city} in it.
        other: what stands for every other word.
        word: what is asked about, which names the task.
    """
    return attribute_task(
        f"atlas-{word.lower()}",
        question.format(word=word, lower=word.lower()),
        lambda city: answer(city) == word,
        prompt,
        ((f" {other}",), (f" {word}",)),
        rest=0,
    )


in_continent = partial(
    word_task, "Is the city in {word}?", CONTINENT.answer, CONTINENT_PROMPT, "elsewhere"
)
speaks = partial(
    word_task,
    "Is {word} the first language of the city's country?",
    LANGUAGE.answer,
    LANGUAGE_PROMPT,
    "another",
)
pays_with = partial(
    word_task, "Is the money in the city called {lower}?", CURRENCY.answer, CURRENCY_PROMPT, "other"
)

ASIA, EUROPE, AFRICA = map(in_continent, ("Asia", "Europe", "Africa"))
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
ENGLISH, SPANISH, ARABIC = map(speaks, ("English", "Spanish", "Arabic"))
EURO, DOLLAR = map(pays_with, ("Euro", "Dollar"))
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
