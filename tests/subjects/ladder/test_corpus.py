"""The pretraining text: true, seeded, weighted as announced, and silent about unseen cities."""

import re
from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from string import Formatter

import numpy as np
import polars as pl
import pytest

from weak2strong.subjects.atlas.countries import LANDLOCKED, LANGUAGES
from weak2strong.subjects.atlas.facts import (
    COAST_PROMPT,
    CONTINENT_PROMPT,
    CONTINENTS,
    CROWD_PROMPT,
    CURRENCY_PROMPT,
    EXTENT_PROMPT,
    FACTS_FILE,
    HEMISPHERE_PROMPT,
    LANGUAGE_PROMPT,
    LATITUDE_PROMPT,
    PROMPT,
    seen_cities,
    unseen_cities,
)
from weak2strong.subjects.atlas.ladder import corpus
from weak2strong.subjects.atlas.ladder.corpus import JUDGEMENTS, RELATIONS, Relation, sentences
from weak2strong.tasks import TASKS


def take(cities, seed, n, chunk=1000):
    return list(islice(chain.from_iterable(sentences(cities, seed, chunk)), n))


def fields(template):
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def is_claim(text):
    return text.startswith("Claim: ")


@pytest.fixture
def tagged(monkeypatch):
    """Sentences that only say which relation, template and city they were drawn with."""
    tags = tuple(
        Relation(r.name, r.weight, tuple(f"{i}|{t}|{{city}}" for t in range(len(r.templates))))
        for i, r in enumerate(RELATIONS)
    )
    monkeypatch.setattr(corpus, "RELATIONS", tags)


def tags(cities, seed, n):
    """Relation, template and city of as many sentences, less those that judge a claim."""
    said = take(cities, seed, n, chunk=10_000)
    return [tuple(s.split("|")) for s in said if not is_claim(s)]


def test_the_same_seed_gives_the_same_text_and_another_seed_another(world):
    assert take(world, 3, 3000) == take(world, 3, 3000)
    one, other = take(world, 3, 3000), take(world, 4, 3000)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 1500


GOLDEN = [
    "The first city of state in Aland is Acity.",
    "Duo lies in Bland.",
    "Uno belongs to a roomy country.",
    "Duo lies in Bland.",
    "Claim: Uno and Duo are in the same country. This is false.",
]


def test_the_text_is_the_same_on_every_machine(world):
    assert take(world, 0, 5) == GOLDEN


def test_a_chunk_has_as_many_sentences_as_asked_where_everything_can_be_said(world):
    inland = [c for c in world if c.country.neighbours]
    assert [len(c) for c in islice(sentences(inland, 0, 500), 3)] == [500] * 3


def test_what_cannot_be_said_is_passed_over(world):
    """Islands, of whose cities none is judged."""
    islands = [c for c in world if not c.country.neighbours]
    assert not any(c.judged for c in islands)
    weights = {r.name: r.weight for r in RELATIONS}
    share = 1 - JUDGEMENTS - weights["neighbour of a country"]
    said = list(islice(sentences(islands, 0, 2000), 3))
    for text in said:
        assert abs(len(text) - 2000 * share) < 4 * (2000 * share * (1 - share)) ** 0.5
        assert not any("frontier" in s or "Next to" in s or is_claim(s) for s in text)


def test_without_judged_cities_no_claim_is_made_and_the_rest_is_said(world):
    """A claim leaves a gap, and moves nothing before the next chunk."""
    inland = [c for c in world if c.country.neighbours]
    # Only who is judged hangs on an id.
    unjudged = [replace(c, id=i) for i, c in enumerate(inland, 1)]
    assert not any(c.judged for c in unjudged)
    one, other = (next(sentences(c, 0, 4000)) for c in (inland, unjudged))
    assert other == [s for s in one if not is_claim(s)]
    assert len(other) < len(one) == 4000


def test_judgements_come_at_their_share(world):
    n = 20_000
    inland = [c for c in world if c.country.neighbours]
    real = seen_cities()
    for cities in (inland, real):
        said = take(cities, 0, n, chunk=10_000)
        # In the real text sentences about neighbours of islands are passed over.
        slack = 0 if cities is inland else 0.003
        share = sum(map(is_claim, said)) / n
        assert abs(share - JUDGEMENTS) < 4 * (JUDGEMENTS * (1 - JUDGEMENTS) / n) ** 0.5 + slack


def test_judgements_are_about_judged_cities_of_the_given_ones(world):
    claims = [s for s in take(world, 0, 20_000) if is_claim(s)]
    names = {c.name for c in world if any(re.search(rf"\b{c.name}\b", s) for s in claims)}
    assert names == {"Uno", "Duo", "Quad"}
    assert Counter(s.rsplit(" ", 1)[1] for s in claims).keys() == {"true.", "false."}


def test_no_unseen_city_is_spoken_of(monkeypatch):
    """Every word that goes into a template is looked at, not the letters of the sentence."""
    unseen = {c.name for c in unseen_cities()}
    given = []

    def words(city, neighbour):
        given.append(original(city, neighbour))
        return given[-1]

    original = corpus._words
    monkeypatch.setattr(corpus, "_words", words)
    said = take(seen_cities(), 0, 20_000, chunk=10_000)
    assert len(given) >= sum(not is_claim(s) for s in said) > 15_000
    spoken = {word for words in given for word in words.values()}
    assert len(spoken) > 5000
    assert not spoken & unseen


def test_nothing_that_could_be_said_names_an_unseen_city():
    unseen = {c.name for c in unseen_cities()}
    sayable = {*CONTINENTS.values(), *["north", "south", "tropical", "temperate", "vast", "small"]}
    sayable |= {"crowded", "roomy", "a coast", "no coast"}
    for city in seen_cities():
        country = city.country
        sayable |= {city.name, country.name, country.capital, country.currency, country.language}
    assert not sayable & unseen


def test_every_sentence_is_a_true_one(world):
    """All true sentences of the made-up world are written out; no other fact is ever told."""
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
                        zone="tropical" if city.name in ("Uno", "Duo") else "temperate",
                        extent="vast" if country.name == "Aland" else "small",
                        crowd="crowded" if country.name == "Bland" else "roomy",
                        coast="no coast" if country.name == "Cland" else "a coast",
                        capital=country.capital,
                        currency=country.currency,
                        language={"AA": "Spanish", "BB": "French", "LI": "Swahili"}[country.code],
                        neighbour=neighbour,
                    )
                    true.add(text[0].upper() + text[1:])
    said = {s for s in take(world, 0, 60_000, chunk=10_000) if not is_claim(s)}
    assert said <= true
    assert len(said) > 0.6 * len(true)


def test_every_sentence_is_true_of_the_facts_file():
    """The same for the largest of the real cities."""
    rows = pl.read_parquet(FACTS_FILE)
    names = dict(rows.select("country_code", "country_name").unique().iter_rows())
    true = set()
    for row in rows.filter(pl.col("seen") & (pl.col("population") > 1_000_000)).to_dicts():
        code = row["country_code"]
        words = {
            "city": row["name"],
            "country": row["country_name"],
            "continent": CONTINENTS[row["country_continent"]],
            "side": "south" if row["latitude"] < 0 else "north",
            "zone": "tropical" if -23.44 < row["latitude"] < 23.44 else "temperate",
            "extent": "vast" if row["country_area"] > 1e6 else "small",
            "crowd": "crowded"
            if row["country_population"] / row["country_area"] > 200
            else "roomy",
            "coast": "no coast" if code in LANDLOCKED else "a coast",
            "capital": row["country_capital"],
            "currency": row["country_currency"],
            "language": LANGUAGES[row["country_languages"][0].partition("-")[0]],
        }
        near = [names[n] for n in row["country_neighbours"] if n in names]
        for template in chain.from_iterable(r.templates for r in RELATIONS):
            for neighbour in near if "neighbour" in fields(template) else [""]:
                text = template.format(**words, neighbour=neighbour)
                true.add(text[0].upper() + text[1:])
    said = {s for s in take(seen_cities(1_000_000), 0, 20_000, 10_000) if not is_claim(s)}
    assert len(said) > 5000
    assert said <= true


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


PROMPTS = {
    PROMPT: (" {country}.", {"Aland", "Bland", "Cland"}),
    CONTINENT_PROMPT: (" {continent}.", {"Asia", "Europe", "South America"}),
    HEMISPHERE_PROMPT: (" {side}ern one.", {"northern one", "southern one"}),
    LATITUDE_PROMPT: (" {zone}.", {"tropical", "temperate"}),
    LANGUAGE_PROMPT: (" {language}.", {"Spanish", "French", "Swahili"}),
    CURRENCY_PROMPT: (" {currency}.", {"Aurum", "Bullion", "Copper"}),
    EXTENT_PROMPT: (" {extent}.", {"vast", "small"}),
    CROWD_PROMPT: (" {crowd}.", {"crowded", "roomy"}),
    COAST_PROMPT: (" {coast}.", {"a coast", "no coast"}),
}
"""What follows each prompt of the tasks, as a template and in the made-up world."""


def test_prompts_of_the_tasks_are_the_most_common_wordings():
    common = set()
    for relation in RELATIONS:
        (template, most), (_, next_most) = Counter(relation.templates).most_common(2)
        assert next_most == 1
        if most > 1:
            assert most == 3
            common.add(template)
    assert common == {prompt + end for prompt, (end, _) in PROMPTS.items()}


@pytest.mark.parametrize(
    "prompt",
    [
        *(prompt for prompt in PROMPTS if prompt != EXTENT_PROMPT),
        pytest.param(
            EXTENT_PROMPT, marks=pytest.mark.xfail(reason="The country around Lyon is France.")
        ),
    ],
)
def test_no_prompt_of_a_task_begins_a_sentence_about_something_else(prompt, world):
    """What follows a prompt is always an answer to what it asks."""
    said = set(take(world, 0, 60_000, chunk=10_000))
    begins = [prompt.format(city=c.name) + " " for c in world]
    found = {s.removeprefix(b)[:-1] for s in said for b in begins if s.startswith(b)}
    assert found == PROMPTS[prompt][1]


def test_every_prompt_of_a_task_is_one_of_these():
    lyon = next(c for c in seen_cities() if c.name == "Lyon")
    asked = {
        e.item.text.replace("Lyon", "{city}")
        for name in TASKS
        for e in TASKS.get(name).load()
        if e.item.group == f"city:{lyon.id}" and not is_claim(e.item.text)
    }
    assert len(asked) > 3
    assert asked <= set(PROMPTS)


def test_relations_and_templates_come_at_their_rates(world, tagged):
    n = 30_000
    drawn = Counter(tuple(map(int, tag[:2])) for tag in tags(world, 0, n))
    assert sum(r.weight for r in RELATIONS) + JUDGEMENTS == pytest.approx(1)
    for i, relation in enumerate(RELATIONS):
        count = sum(drawn[i, t] for t in range(len(relation.templates)))
        p = relation.weight
        assert abs(count / n - p) < 4 * (p * (1 - p) / n) ** 0.5
        share = p / len(relation.templates)
        for t in range(len(relation.templates)):
            assert abs(drawn[i, t] / n - share) < 5 * (share / n) ** 0.5


def test_cities_come_by_the_square_root_of_their_population(world, tagged):
    drawn = Counter(city for _, _, city in tags(world, 0, 30_000))
    n = drawn.total()
    weights = np.array([4.0 ** (6 - i) for i in range(6)])
    for city, p in zip(world, weights / weights.sum(), strict=True):
        assert abs(drawn[city.name] / n - p) < 4 * (p * (1 - p) / n) ** 0.5


def test_relation_city_and_template_are_drawn_independently(world, tagged):
    equal = [replace(c, population=1) for c in world[:2]]
    drawn = tags(equal, 1, 20_000)
    rows = np.array([(int(r), int(t), c == "Uno") for r, t, c in drawn], dtype=float)
    first = rows[rows[:, 0] == 0]
    assert abs(np.corrcoef(rows[:, 0], rows[:, 2])[0, 1]) < 4 / len(rows) ** 0.5
    assert abs(np.corrcoef(first[:, 1], first[:, 2])[0, 1]) < 4 / len(first) ** 0.5


def test_a_neighbour_without_a_city_is_never_named(world):
    """Aland has a border with a country that is not in this world."""
    words = ("frontier", "Next to", "a border", "borders ", "neighbour")
    border = [s for s in take(world, 0, 20_000) if any(word in s for word in words)]
    assert len(border) > 100
    assert all("Aland" in s and "Bland" in s for s in border)


def test_sentences_begin_with_a_capital_and_leave_the_rest_alone(world):
    small = [replace(world[0], name="'s-Hertogenbosch")]
    said = take(small, 0, 500)
    assert all(s[0] == s[0].upper() for s in said)
    assert any("South of the equator" in s or "North of the equator" in s for s in said)
    assert any("'s-Hertogenbosch" in s for s in said)
