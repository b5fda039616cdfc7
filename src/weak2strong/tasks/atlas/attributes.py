"""Attribute tasks of the atlas: "Lyon is a city in", and whether something holds of it.

The prompt ends before the answer, so a pretrained model that knows the city
has the country, and all that follows from it, in its last activation.
"""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.tasks.atlas.facts import (
    CONTINENTS,
    PROMPT,
    SPOKEN_OF_ABOVE,
    City,
    seen_cities,
    sentence,
)
from weak2strong.tasks.splits import balanced
from weak2strong.tasks.task import Example, Item, Task, stable_id


def attribute_task(name: str, question: str, holds: Callable[[City], bool]) -> Task:
    """A balanced yes-or-no task over the seen cities, one example a city.

    Args:
        name: of the task.
        question: what is asked of a city, for lists.
        holds: the answer.
    """

    def load() -> list[Example]:
        examples = []
        for city in seen_cities(SPOKEN_OF_ABOVE):
            text = sentence(PROMPT, city=city.name)
            item = Item(stable_id(name, str(city.id), text), f"city:{city.id}", text)
            examples.append(Example(item, int(holds(city))))
        return balanced(examples)

    return Task(
        name=name,
        kind="classification",
        classes=("no", "yes"),
        summary=question,
        source="GeoNames cities above 100,000 people, in the ladder's pretraining text",
        licence="CC BY 4.0",
        load=load,
    )


def in_continent(code: str) -> Task:
    """Is the city on this continent?"""
    name = CONTINENTS[code]
    return attribute_task(
        f"atlas-{name.lower().replace(' ', '-')}",
        f"Is the city in {name}?",
        lambda city: city.country.continent == code,
    )


ASIA = in_continent("AS")
EUROPE = in_continent("EU")
SOUTHERN = attribute_task(
    "atlas-southern",
    "Is the city south of the equator?",
    lambda city: city.latitude < 0,
)
