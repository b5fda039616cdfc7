"""Claims about some of the cities with their judgements: what teaches a rung to judge."""

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
"""Cities drawn for a false answer before the claim is given up."""


def by_popularity(cities: Sequence[City]) -> np.ndarray:
    """Cumulative probabilities of being spoken of, by the square root of the population."""
    weights = np.sqrt([c.population for c in cities])
    return np.cumsum(weights / weights.sum())


def judgements(cities: Sequence[City], rng: np.random.Generator) -> Iterator[str]:
    """Endless judged claims about ``cities``, as often true as false.

    A topic, or one of the two comparisons, is drawn evenly; a false answer is
    that of another city, drawn as cities are, so that common answers are
    common in true and in false claims (but for the hemisphere: of two answers,
    the one that is rarely true is claimed falsely).

    Args:
        cities: at least one.
        rng: what is drawn from; the text follows from its state.
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
