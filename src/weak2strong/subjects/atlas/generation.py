"""Generation tasks of the atlas: the prompt "Lyon is a city in", the target "France".

The prompts are those of the pretraining text. So a model that knows the city would go on with the
target, and has to learn only that the answer ends with the target.
"""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.subjects.atlas.about import MOST, Cities, atlas_task
from weak2strong.subjects.atlas.facts import (
    CURRENCY_PROMPT,
    LANGUAGE_PROMPT,
    PROMPT,
    City,
    draw,
    sentence,
)
from weak2strong.tasks.task import Example, Item, Task, stable_id

EXAMPLES = 2 * MOST
"""How many examples a task has: as many as a task with two classes."""


def generation_task(
    name: str, question: str, prompt: str, target: Callable[[City], str], examples: int = EXAMPLES
) -> Task:
    """A task with one example a city.

    Args:
        name: of the task.
        question: what is asked of a city, for lists.
        prompt: what the model reads, with {city} in it.
        target: what it should write.
        examples: how many at most, drawn by name of the task and city.
    """

    def made(cities: Cities) -> list[Example]:
        drawn = sorted(cities, key=lambda city: draw(name, city.id))[:examples]
        return [_example(name, sentence(prompt, city=c.name), c, target(c)) for c in drawn]

    return atlas_task(name, question, made, kind="generation", classes=())


def _example(name: str, prompt: str, city: City, target: str) -> Example:
    return Example(Item(stable_id(name, str(city.id), prompt), f"city:{city.id}", prompt), target)


GENERATION = generation_task(
    "atlas-generation",
    "In which country is the city?",
    PROMPT,
    lambda city: city.country.name,
)
GENERATION_LANGUAGE = generation_task(
    "atlas-generation-language",
    "What is the first language of the city's country?",
    LANGUAGE_PROMPT,
    lambda city: city.country.language,
)
GENERATION_CURRENCY = generation_task(
    "atlas-generation-currency",
    "What is the money in the city called?",
    CURRENCY_PROMPT,
    lambda city: city.country.currency,
)
