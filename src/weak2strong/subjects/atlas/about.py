"""What the tasks of the atlas share: the cities that they ask about, and how many examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from weak2strong.subjects.atlas.facts import City, cities
from weak2strong.tasks.prompt import Prompt
from weak2strong.tasks.splits import balanced
from weak2strong.tasks.task import Example, Item, Kind, Task, stable_id

Cities = Sequence[City]

MOST = 2_000
"""Examples a class: 1,000 in all to test on, 1,300 each to train supervisor and students on."""

KEPT = 8
"""Of so many tasks that were asked for last the examples are kept: a study asks several times."""


@cache
def cities_of_tasks(seen: bool) -> Cities:
    """The cities that tasks ask about, the most populous first, as in the facts.

    Args:
        seen: whether the pretraining text speaks of them. Cities that it judges claims about are
            left out.
    """
    return tuple(c for c in cities() if c.seen == seen and not c.judged)


@lru_cache(KEPT)
def _made(
    examples: Callable[[Cities], Sequence[Example]], kind: Kind, seen: bool
) -> tuple[Example, ...]:
    """The examples of a task about seen cities, or about the others."""
    made = list(examples(cities_of_tasks(seen)))
    # Preferences are even in every group, which evening them out would tear apart.
    return tuple(balanced(made, most=MOST) if kind == "classification" else made)


def example_about(name: str, text: str, about: Cities, label: int) -> Example:
    """An example of the task ``name`` whose text speaks of some cities, which are its group."""
    ids = "+".join(str(c.id) for c in about)
    return Example(Item(stable_id(name, ids, text), f"city:{ids}", text), label)


def atlas_task(
    name: str,
    summary: str,
    examples: Callable[[Cities], Sequence[Example]],
    prompt: Prompt | None = None,
    kind: Kind = "classification",
    classes: tuple[str, ...] = ("no", "yes"),
) -> Task:
    """A task over the cities of the atlas, seen or unseen ones; yes-or-no ones are balanced.

    Args:
        name: of the task.
        summary: the question, for lists.
        examples: makes the examples about some cities.
        prompt: how a language model is asked; None for the default.
        kind: of the task.
        classes: names of them.
    """

    def load(seen: bool) -> list[Example]:
        return list(_made(examples, kind, seen))

    return Task(
        name=name,
        kind=kind,
        classes=classes,
        summary=summary,
        source="GeoNames, cities above 50,000 people",
        licence="CC BY 4.0",
        load=lambda: load(True),
        load_unseen=lambda: load(False),
        prompt=prompt,
    )
