"""Claims about some of the cities with their judgements, which teach a rung to judge claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from weak2strong.subjects.atlas.claims import (
    CLEARLY,
    LARGER,
    SAME_COUNTRY,
    TOPICS,
    VERDICTS,
    Topic,
    claim,
)
from weak2strong.subjects.atlas.facts import City

TRIES = 100
"""How many cities are drawn for a false answer before the claim is given up."""


def by_popularity(cities: Sequence[City]) -> np.ndarray:
    """Cumulative probabilities of cities, in proportion to the square root of the population."""
    weights = np.sqrt([c.population for c in cities])
    return np.cumsum(weights / weights.sum())


def judgements(cities: Sequence[City], rng: np.random.Generator) -> Iterator[str]:
    """Endless judged claims about ``cities``, as often true as false.

    Topics and the two comparisons have equal probability. A false answer is that of another city,
    which is drawn as cities are. So a common answer is common both in true and in false claims. The
    hemisphere has two answers only: there, the answer that is rarely true is often claimed falsely.

    Args:
        cities: at least one.
        rng: decides the text by its state.
    """
    likely = by_popularity(cities)
    of_country: dict[str, list[City]] = defaultdict(list)
    for city in cities:
        of_country[city.country.code].append(city)

    def some() -> City:
        return cities[min(int(np.searchsorted(likely, rng.random())), len(cities) - 1)]

    def another(than: Callable[[City], object], city: City) -> City | None:
        drawn = (some() for _ in range(TRIES))
        return next((c for c in drawn if than(c) != than(city)), None)

    while True:
        city, verdict = some(), int(rng.random() < 0.5)
        about = int(rng.random() * (len(TOPICS) + 2))
        if about < len(TOPICS):
            topic: Topic = TOPICS[about]
            answering = city if verdict else another(topic.answer, city)
            if answering is None:
                continue
            statement = topic.statements[int(rng.random() * len(topic.statements))]
            text = claim(statement, city=city.name, answer=topic.answer(answering))
        elif about == len(TOPICS):
            compatriots = of_country[city.country.code]
            other = compatriots[int(rng.random() * len(compatriots))]
            if not verdict:
                other = another(lambda c: c.country.code, city)
            if other is None or other is city:
                continue
            text = claim(SAME_COUNTRY, city=city.name, other=other.name)
        else:
            other = some()
            larger, smaller = sorted((city, other), key=lambda c: -c.population)
            if larger.population < CLEARLY * smaller.population:
                continue
            pair = (larger, smaller) if verdict else (smaller, larger)
            text = claim(LARGER, city=pair[0].name, other=pair[1].name)
        yield f"{text} {VERDICTS[verdict]}."
