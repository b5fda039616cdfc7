"""The pretraining text: true, seeded, weighted as announced, and silent about unseen cities."""

from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from string import Formatter

import numpy as np
import pytest

from weak2strong.atlas import corpus
from weak2strong.atlas.corpus import RELATIONS, Relation, sentences
from weak2strong.tasks.atlas.facts import CONTINENTS, PROMPT, seen_cities, unseen_cities


def take(cities, seed, n, chunk=1000):
    return list(islice(chain.from_iterable(sentences(cities, seed, chunk)), n))


def fields(template):
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.fixture
def tagged(monkeypatch):
    """Sentences that only say which relation, template and city they were drawn with."""
    tags = tuple(
        Relation(r.name, r.weight, tuple(f"{i}|{t}|{{city}}" for t in range(len(r.templates))))
        for i, r in enumerate(RELATIONS)
    )
    monkeypatch.setattr(corpus, "RELATIONS", tags)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(world):
    assert take(world, 3, 3000) == take(world, 3, 3000)
    one, other = take(world, 3, 3000), take(world, 4, 3000)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 1500


GOLDEN = [
    "The first city of state in Aland is Acity.",
    "Duo lies in Bland.",
    "From the equator one goes north to Uno.",
]


def test_the_text_is_the_same_on_every_machine(world):
    assert take(world, 0, 3) == GOLDEN


def test_a_chunk_has_as_many_sentences_as_asked_less_those_without_a_neighbour(world):
    inland = [c for c in world if c.country.neighbours]
    assert [len(c) for c in islice(sentences(inland, 0, 500), 3)] == [500] * 3
    islands = [c for c in world if not c.country.neighbours]
    said = list(islice(sentences(islands, 0, 500), 3))
    assert all(465 <= len(c) < 500 for c in said)


def test_no_unseen_city_is_spoken_of(monkeypatch):
    """Every word that goes into a template is looked at, not the letters of the sentence."""
    unseen = {c.name for c in unseen_cities()}
    given = []

    def words(city, neighbour):
        given.append(original(city, neighbour))
        return given[-1]

    original = corpus._words
    monkeypatch.setattr(corpus, "_words", words)
    said = take(seen_cities(100_000), 0, 20_000, chunk=10_000)
    assert len(given) >= len(said) == 20_000
    spoken = {word for words in given for word in words.values()}
    assert len(spoken) > 2000
    assert not spoken & unseen


def test_nothing_that_could_be_said_names_an_unseen_city():
    unseen = {c.name for c in unseen_cities()}
    sayable = set(CONTINENTS.values())
    for city in seen_cities():
        country = city.country
        sayable |= {city.name, country.name, country.capital, country.currency}
    assert not sayable & unseen


def test_every_sentence_is_a_true_one(world):
    """All true sentences of the made-up world are written out; nothing else is ever said."""
    by_code = {c.country.code: c.country for c in world}
    true = set()
    for city in world:
        country = city.country
        near = [by_code[n].name for n in country.neighbours if n in by_code]
        for relation in RELATIONS:
            for template in relation.templates:
                for neighbour in near if "neighbour" in fields(template) else [""]:
                    text = template.format(
                        city=city.name,
                        country=country.name,
                        continent={"AS": "Asia", "EU": "Europe", "SA": "South America"}[
                            country.continent
                        ],
                        side="south" if city.latitude < 0 else "north",
                        capital=country.capital,
                        currency=country.currency,
                        neighbour=neighbour,
                    )
                    true.add(text[0].upper() + text[1:])
    said = Counter(take(world, 0, 60_000, chunk=10_000))
    assert set(said) <= true
    assert len(said) > 0.6 * len(true)


def test_every_template_says_something_of_somebody():
    subject = {"city", "country"}
    for relation in RELATIONS:
        assert len(set(relation.templates)) >= 10
        # All wordings of one relation speak of the same two things.
        assert len({frozenset(fields(t)) for t in relation.templates}) == 1
        for template in relation.templates:
            assert len(fields(template)) == 2
            assert fields(template) & subject
            assert template.endswith(".")


def test_the_prompt_of_the_tasks_is_the_most_common_wording():
    templates = RELATIONS[0].templates
    assert Counter(templates).most_common(1) == [(PROMPT + " {country}.", 3)]


def test_relations_and_templates_come_at_their_rates(world, tagged):
    n = 30_000
    drawn = Counter(tuple(map(int, s.split("|")[:2])) for s in take(world, 0, n, chunk=10_000))
    total = sum(r.weight for r in RELATIONS)
    assert total == pytest.approx(1)
    for i, relation in enumerate(RELATIONS):
        count = sum(drawn[i, t] for t in range(len(relation.templates)))
        p = relation.weight
        assert abs(count / n - p) < 4 * (p * (1 - p) / n) ** 0.5
        share = p / len(relation.templates)
        for t in range(len(relation.templates)):
            assert abs(drawn[i, t] / n - share) < 5 * (share / n) ** 0.5


def test_cities_come_by_the_square_root_of_their_population(world, tagged):
    n = 30_000
    drawn = Counter(s.split("|")[2] for s in take(world, 0, n, chunk=10_000))
    weights = np.array([4.0 ** (6 - i) for i in range(6)])
    for city, p in zip(world, weights / weights.sum(), strict=True):
        assert abs(drawn[city.name] / n - p) < 4 * (p * (1 - p) / n) ** 0.5


def test_relation_city_and_template_are_drawn_independently(world, tagged):
    equal = [replace(c, population=1) for c in world[:2]]
    pairs = [tuple(s.split("|")) for s in take(equal, 1, 20_000, chunk=10_000)]
    rows = np.array([(int(r), int(t), c == "Uno") for r, t, c in pairs], dtype=float)
    first = rows[rows[:, 0] == 0]
    assert abs(np.corrcoef(rows[:, 0], rows[:, 2])[0, 1]) < 4 / len(rows) ** 0.5
    assert abs(np.corrcoef(first[:, 1], first[:, 2])[0, 1]) < 4 / len(first) ** 0.5


def test_a_neighbour_without_a_city_is_never_named(world):
    border = [s for s in take(world, 0, 20_000) if "border" in s or "Next to" in s]
    assert border
    assert all("Aland" in s and "Bland" in s for s in border)


def test_sentences_begin_with_a_capital_and_leave_the_rest_alone(world):
    small = [replace(world[0], name="'s-Hertogenbosch")]
    said = take(small, 0, 500)
    assert all(s[0] == s[0].upper() for s in said)
    assert any("South of the equator" in s or "North of the equator" in s for s in said)
    assert any("'s-Hertogenbosch" in s for s in said)
