"""Claim tasks of the atlas: "Claim: Lyon is a city in Spain. This is", and whether it is true.

A claim tells nothing by itself: every answer is claimed as often truly as falsely, and every city
stands in one claim.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from weak2strong.subjects.atlas import claims
from weak2strong.subjects.atlas.about import MOST, Cities, atlas_task, example_about
from weak2strong.subjects.atlas.claims import CLAIM, CLEARLY, VERDICTS, Topic, claim
from weak2strong.subjects.atlas.facts import City, draw
from weak2strong.tasks.prompt import CONTENT_FREE, Prompt
from weak2strong.tasks.task import Example, Task

WORDING = Prompt(
    tuple((f" {verdict}",) for verdict in VERDICTS),
    separator=".\n",
    content_free=tuple(CLAIM.format(statement=x) for x in CONTENT_FREE),
)
"""How a language model is asked: whether it goes on with "false" or with "true"."""


def topic_task(topic: Topic, question: str) -> Task:
    """Is what is claimed of one city true?"""
    name = f"atlas-claim-{topic.name}"

    def examples(cities: Cities) -> list[Example]:
        cities = at_most_half(shuffled(cities, name), topic.answer)
        return [
            example_about(name, claim(topic.statements[0], city=c.name, answer=answer), (c,), label)
            for c, answer, label in true_and_false(cities, topic)
        ]

    return atlas_task(name, question, examples, WORDING)


def true_and_false(cities: Sequence[City], topic: Topic) -> list[tuple[City, str, int]]:
    """What is claimed of each city, and whether that is true: each answer as often as not."""
    by_answer: dict[str, list[City]] = defaultdict(list)
    for city in cities:
        by_answer[topic.answer(city)].append(city)
    true = [c for answer in sorted(by_answer) for c in by_answer[answer][::2]]
    false = [c for answer in sorted(by_answer) for c in by_answer[answer][1::2]]
    # Halves of odd numbers are rounded, each on its own.
    false = at_most_half(false, topic.answer)
    answers = exchanged([topic.answer(c) for c in false])
    made = [(c, topic.answer(c), 1) for c in true]
    return made + [(c, answer, 0) for c, answer in zip(false, answers, strict=True)]


def exchanged(answers: Sequence[str], seed: int = 0) -> list[str]:
    """The same answers in an order in which every position has another answer than before.

    This is possible where no answer has more than half of the positions: the sorted list is turned
    by the largest number of equal answers, then pairs are exchanged at random where both stay
    wrong.

    Raises:
        ValueError: where one answer has more than half of the positions.
    """
    most = max(Counter(answers).values(), default=0)
    if 2 * most > len(answers):
        raise ValueError("one answer has more than half of the positions")
    order = sorted(range(len(answers)), key=lambda i: answers[i])
    answers_of_others = [""] * len(answers)
    for index, i in enumerate(order):
        answers_of_others[i] = answers[order[(index + most) % len(order)]]
    rng = np.random.default_rng(seed)
    for i, j in enumerate(rng.integers(len(answers), size=len(answers)).tolist()):
        if answers_of_others[j] != answers[i] and answers_of_others[i] != answers[j]:
            answers_of_others[i], answers_of_others[j] = answers_of_others[j], answers_of_others[i]
    return answers_of_others


def _same_country(cities: Cities) -> list[Example]:
    """Half of each country's cities make pairs among themselves, the others across countries."""
    name = "atlas-same-country"
    by_country: dict[str, list[City]] = defaultdict(list)
    for city in shuffled(cities, name):
        by_country[city.country.code].append(city)
    pairs, rest = [], []
    for code in sorted(by_country):
        mine = by_country[code]
        count = len(mine) // 4
        pairs += [(a, b, 1) for a, b in zip(mine[:count], mine[count : 2 * count], strict=True)]
        rest += mine[2 * count :]
    rest = shuffled(rest, name)
    half = len(rest) // 2
    pairs += [(a, b, 0) for a, b in across(rest[:half], rest[half:], _country)]
    return _pair_examples(name, claims.SAME_COUNTRY, pairs)


def across(
    cities: Sequence[City],
    others: Sequence[City],
    answer: Callable[[City], str],
    seed: int = 0,
) -> list[tuple[City, City]]:
    """Pairs of a city and one of the others, whose answers differ.

    Where both cities of a pair have the same answer, the second one is exchanged with that of
    another pair, which is drawn at random among those where both pairs are good afterwards. Without
    such a pair, the pair is left out.
    """
    order = list(others[: len(cities)])
    rng = np.random.default_rng(seed)
    for i, city in enumerate(cities):
        if answer(order[i]) == answer(city):
            for j in rng.permutation(len(cities)):
                if answer(order[j]) != answer(city) and answer(order[i]) != answer(cities[j]):
                    order[i], order[j] = order[j], order[i]
                    break
    return [(a, b) for a, b in zip(cities, order, strict=True) if answer(a) != answer(b)]


def _country(city: City) -> str:
    return city.country.code


def _larger(cities: Cities) -> list[Example]:
    """Pairs of a city of the more populous half and one of the other half that clearly differ."""
    name = "atlas-larger"
    order = sorted(cities, key=lambda c: -c.population)
    half = len(order) // 2
    above, below = shuffled(order[:half], name), shuffled(order[half:], name)
    pairs = []
    for i, (large, small) in enumerate(zip(above, below, strict=False)):
        if large.population >= CLEARLY * small.population:
            pairs.append((large, small, 1) if i % 2 else (small, large, 0))
    return _pair_examples(name, claims.LARGER, pairs)


def _pair_examples(
    name: str, statement: str, pairs: Sequence[tuple[City, City, int]]
) -> list[Example]:
    return [
        example_about(name, claim(statement, city=a.name, other=b.name), (a, b), label)
        for a, b, label in pairs
    ]


def shuffled(cities: Sequence[City], name: str) -> list[City]:
    """The cities in an order drawn for the task of that name."""
    return sorted(cities, key=lambda c: draw(name, c.id))


def at_most_half(cities: Sequence[City], answer: Callable[[City], str]) -> list[City]:
    """The cities without those that would give one answer more than half of the positions."""
    (frequent, most), *_ = Counter(map(answer, cities)).most_common(1)
    others = len(cities) - most
    kept, allowed = [], others
    for city in cities:
        if answer(city) == frequent:
            if not allowed:
                continue
            allowed -= 1
        kept.append(city)
    return kept


CLAIM_COUNTRY = topic_task(claims.COUNTRY, "Is the city in the country that is claimed?")
CLAIM_CONTINENT = topic_task(claims.CONTINENT, "Is the city on the continent that is claimed?")
CLAIM_HEMISPHERE = topic_task(
    claims.HEMISPHERE, "Is the city on the side of the equator that is claimed?"
)
CLAIM_LANGUAGE = topic_task(claims.LANGUAGE, "Is the first language there the one that is claimed?")
CLAIM_CURRENCY = topic_task(claims.CURRENCY, "Is the money there the one that is claimed?")


def _continents_twice(name: str, other: str, opposed: bool) -> Callable[[Cities], list[Example]]:
    """What makes two claims about the continent of each city, which belong together as a pair.

    Args:
        name: of the task.
        other: the statement of the second claim, with {city} and {answer} in it.
        opposed: whether it says the opposite of the first one.
    """
    topic = claims.CONTINENT

    def examples(cities: Cities) -> list[Example]:
        cities = at_most_half(shuffled(cities, name), topic.answer)
        # Evening the classes out would tear pairs apart, so cities are left out in their place.
        made = true_and_false(cities[:MOST], topic)
        false = sum(not label for _, _, label in made)
        made = [*made[:false], *made[-false:]]
        return [
            _of_pair(example_about(name, claim(said, city=c.name, answer=answer), (c,), of), sign)
            for c, answer, label in made
            for said, of, sign in (
                (topic.statements[0], label, ""),
                (other, 1 - label if opposed else label, "-" if opposed else ""),
            )
        ]

    return examples


def _of_pair(example: Example, sign: str) -> Example:
    """The example as one of the two about its city."""
    return replace(example, item=replace(example.item, pair=sign + example.item.group))


CONTINENT_REWORDED = atlas_task(
    "atlas-claim-continent-reworded",
    "Is the claim about the continent true, in either of two wordings?",
    _continents_twice("atlas-claim-continent-reworded", claims.CONTINENT.statements[1], False),
    WORDING,
)
CONTINENT_NEGATED = atlas_task(
    "atlas-claim-continent-negated",
    "Is the claim about the continent, or its negation, true?",
    _continents_twice("atlas-claim-continent-negated", claims.NOT_ON_CONTINENT, True),
    WORDING,
)
SAME_COUNTRY = atlas_task(
    "atlas-same-country", "Are the two cities in the same country?", _same_country, WORDING
)
LARGER = atlas_task(
    "atlas-larger", "Does the first city have more people than the second?", _larger, WORDING
)
