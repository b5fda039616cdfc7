"""Preference tasks of the atlas: "The continent of Lyon is", and which of two answers is true.

Cities come in pairs: the true answer for one city is the false answer for the other. Both cities
stand in one split, so that in every split each answer is preferred as often as it is rejected. So
two answers tell nothing without the city.
"""

from __future__ import annotations

from collections.abc import Callable

from weak2strong.subjects.atlas.about import MOST, Cities, atlas_task
from weak2strong.subjects.atlas.claim_tasks import across, at_most_half, shuffled
from weak2strong.subjects.atlas.facts import (
    CONTINENT_PROMPT,
    CONTINENTS,
    HEMISPHERE_PROMPT,
    City,
    sentence,
)
from weak2strong.tasks.pairs import PREFERRED
from weak2strong.tasks.task import Example, Item, Task, stable_id


def preference_task(name: str, question: str, prompt: str, answer: Callable[[City], str]) -> Task:
    """A task with one example a city.

    Args:
        name: of the task.
        question: what is asked of a city, for lists.
        prompt: what an answer follows, with {city} in it.
        answer: the true one.
    """

    def examples(cities: Cities) -> list[Example]:
        cities = at_most_half(shuffled(cities, name), answer)
        half = len(cities) // 2
        twos = across(cities[:half], cities[half:], answer)
        return [e for two in twos[:MOST] for e in _both(name, prompt, answer, two)]

    return atlas_task(name, question, examples, kind="preference", classes=PREFERRED)


def _both(
    name: str, prompt: str, answer: Callable[[City], str], two: tuple[City, City]
) -> list[Example]:
    """One example for each of two cities, in one group, with the answers in the same order.

    So the first answer is preferred as often as the second one.
    """
    group = "+".join(str(c.id) for c in two)
    turned = int(stable_id("order", name, group), 16) % 2
    order = two[::-1] if turned else two
    completions = tuple(f" {answer(c)}" for c in order)
    examples = []
    for label, city in enumerate(order):
        text = sentence(prompt, city=city.name)
        id = stable_id(name, str(city.id), text, *completions)
        examples.append(Example(Item(id, f"city:{group}", text, completions), label))
    return examples


PREFERENCE = preference_task(
    "atlas-preference",
    "On which of two continents is the city?",
    CONTINENT_PROMPT,
    lambda city: CONTINENTS[city.country.continent],
)
PREFERENCE_HEMISPHERE = preference_task(
    "atlas-preference-hemisphere",
    "On which side of the equator is the city?",
    HEMISPHERE_PROMPT,
    lambda city: f"{city.side}ern one",
)
