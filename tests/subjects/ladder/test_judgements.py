"""Judged claims: judged rightly, about judged cities alone, and as often true as false."""

import re
from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import polars as pl
import pytest

from weak2strong.subjects.atlas.countries import LANGUAGES
from weak2strong.subjects.atlas.facts import CONTINENTS, FACTS_FILE, seen_cities
from weak2strong.subjects.atlas.ladder.judgements import by_popularity, judgements
from weak2strong.tasks import TASKS

SAID = 25_000
CLAIM_TASKS = [n for n in TASKS if "-claim-" in n] + ["atlas-same-country", "atlas-larger"]

# Every wording, by what it claims.
WORDINGS = {
    "country": (
        "(.+) is a city in (.+)",
        "The city of (.+) belongs to (.+)",
        "The country of (.+) is (.+)",
    ),
    "continent": (
        "The continent of (.+) is (.+)",
        "(.+) lies on the continent of (.+)",
        "The part of the world with (.+) is (.+)",
    ),
    "hemisphere": (
        "(.+) is (north|south) of the equator",
        "The hemisphere of (.+) is the (north|south)ern one",
        "(.+) lies in the (north|south)ern hemisphere",
    ),
    "language": (
        "The main language in (.+) is (.+)",
        "In (.+) people speak (.+)",
        "Schools in (.+) teach in (.+)",
    ),
    "currency": (
        "In (.+) one pays with the (.+)",
        "The money in (.+) is the (.+)",
        "Shops in (.+) take the (.+)",
    ),
    "same country": ("(.+) and (.+) are in the same country",),
    "larger": ("(.+) has more people than (.+)",),
}
READINGS = {
    (topic, i): re.compile(rf"Claim: {wording}\. This is (true|false)\.")
    for topic, wordings in WORDINGS.items()
    for i, wording in enumerate(wordings)
}


def read(text):
    """Topic, number of the wording, the two things that are named, and the verdict."""
    found = [(key, m.groups()) for key, r in READINGS.items() if (m := r.fullmatch(text))]
    assert len(found) == 1, text
    ((topic, wording), (city, answer, verdict)) = found[0]
    return topic, wording, city, answer, verdict == "true"


@pytest.fixture(scope="module")
def rows():
    """The facts file by the name of the city as sentences begin with it."""
    return {
        row["name"][0].upper() + row["name"][1:]: row
        for row in pl.read_parquet(FACTS_FILE).iter_rows(named=True)
    }


@pytest.fixture(scope="module")
def said():
    """Claims of the real facts."""
    judged = [c for c in seen_cities() if c.judged]
    return [read(s) for s in islice(judgements(judged, np.random.default_rng(0)), SAID)]


def row_of(rows, name):
    return rows[name[0].upper() + name[1:]]


TRUTHS = {
    "country": lambda row: row["country_name"],
    "continent": lambda row: CONTINENTS[row["country_continent"]],
    "hemisphere": lambda row: "south" if row["latitude"] < 0 else "north",
    "language": lambda row: LANGUAGES[row["country_languages"][0].partition("-")[0]],
    "currency": lambda row: row["country_currency"],
}


def test_every_verdict_is_right(said, rows):
    for topic, _, city, answer, verdict in said:
        row = row_of(rows, city)
        if topic in TRUTHS:
            right = TRUTHS[topic](row) == answer
        elif topic == "same country":
            right = row["country_code"] == row_of(rows, answer)["country_code"]
        else:
            right = row["population"] > row_of(rows, answer)["population"]
        assert verdict == right, (topic, city, answer)


def test_two_cities_that_are_compared_are_two_and_clearly_of_another_size(said, rows):
    for topic, _, city, other, _ in said:
        if topic in ("same country", "larger"):
            assert row_of(rows, city) is not row_of(rows, other)
        if topic == "larger":
            sizes = sorted(row_of(rows, name)["population"] for name in (city, other))
            assert sizes[1] >= 2 * sizes[0]


def test_only_judged_cities_are_spoken_of_and_no_unseen_one(said, rows):
    judged = {c.name for c in seen_cities() if c.judged}
    unseen = {row["name"] for row in rows.values() if not row["seen"]}
    spoken = {row_of(rows, city)["name"] for _, _, city, _, _ in said}
    spoken |= {row_of(rows, x)["name"] for t, _, _, x, _ in said if t not in TRUTHS}
    assert len(spoken) > 0.9 * len(judged)
    assert spoken <= judged
    assert not {x for t, _, _, x, _ in said if t in TRUTHS} & unseen


def test_about_half_of_the_verdicts_of_every_topic_and_wording_are_true(said):
    given = Counter((topic, wording, verdict) for topic, wording, _, _, verdict in said)
    for key in READINGS:
        true, false = (given[*key, verdict] for verdict in (True, False))
        n = true + false
        # Cities without a compatriot can only be in false claims of one country: 1.5 percent.
        assert abs(true / n - 0.5) < 4 * (0.25 / n) ** 0.5 + 0.015


def test_topics_and_their_wordings_are_drawn_evenly(said):
    drawn = Counter(topic for topic, *_ in said)
    # Comparisons that are not clear are passed over, hence fewer of them.
    expected = dict.fromkeys(WORDINGS, drawn["country"]) | {"larger": drawn["larger"]}
    for topic, n in expected.items():
        assert abs(drawn[topic] - n) < 5 * (2 * n) ** 0.5
    assert drawn["larger"] > drawn["country"] / 2
    wordings = Counter((topic, i) for topic, i, *_ in said)
    for topic, i in READINGS:
        k, n = len(WORDINGS[topic]), drawn[topic]
        assert abs(wordings[topic, i] - n / k) < 4 * (n / k) ** 0.5


@pytest.mark.parametrize(
    "topic",
    [
        "country",
        "language",
        "currency",
        "continent",
        pytest.param(
            "hemisphere",
            marks=pytest.mark.xfail(
                reason="a false answer to a question of two is the one that is rarely true"
            ),
        ),
    ],
)
def test_answers_that_are_common_in_true_claims_are_common_in_false_ones(said, topic):
    """Otherwise a verdict could be learnt from the answer, without the city."""
    verdicts = Counter((x, verdict) for t, _, _, x, verdict in said if t == topic)
    answers = {x for x, _ in verdicts}
    right = sum(max(verdicts[x, True], verdicts[x, False]) for x in answers)
    assert right / verdicts.total() < 0.62


@pytest.mark.xfail(reason="compatriots are drawn evenly, cities of other countries by popularity")
def test_the_second_city_is_as_populous_in_true_pairs_as_in_false_ones(said, rows):
    sizes = {True: [], False: []}
    for topic, _, _, other, verdict in said:
        if topic == "same country":
            sizes[verdict].append(row_of(rows, other)["population"])
    above = np.mean(np.array(sizes[True]) > np.median(sizes[False]))
    assert abs(above - 0.5) < 0.06


@pytest.mark.parametrize("name", CLAIM_TASKS)
def test_claims_of_tasks_are_made_in_words_that_are_judged_here(name, said):
    learnt = {(topic, wording) for topic, wording, *_ in said}
    for e in TASKS.get(name).load()[::40]:
        topic, wording, *_ = read(f"{e.item.text} true.")
        assert (topic, wording) in learnt


def test_popularity_is_the_square_root_of_the_population(world):
    shares = np.diff(by_popularity(world), prepend=0)
    np.testing.assert_allclose(shares, np.array([1024, 256, 64, 16, 4, 1]) / 1365)
    assert by_popularity(world)[-1] == pytest.approx(1)


def take(cities, n, seed=0):
    return list(islice(judgements(cities, np.random.default_rng(seed)), n))


def test_cities_are_claimed_of_by_their_popularity(said):
    """Of one city alone, so that no comparison that is passed over plays a part."""
    cities = [c for c in seen_cities() if c.judged]
    named = [city for topic, _, city, _, _ in said if topic in TRUTHS]
    shares = np.diff(by_popularity(cities), prepend=0)
    top = {c.name for c in cities[:100]}
    p = shares[:100].sum()
    drawn = sum(city in top for city in named) / len(named)
    assert abs(drawn - p) < 4 * (p * (1 - p) / len(named)) ** 0.5


GOLDEN = [
    "Claim: Uno is a city in Aland. This is true.",
    "Claim: The money in Duo is the Aurum. This is false.",
    "Claim: The country of Duo is Aland. This is false.",
    "Claim: Schools in Uno teach in French. This is false.",
]


def test_the_claims_are_the_same_on_every_machine(world):
    judged = [c for c in world if c.judged]
    assert take(judged, 4) == GOLDEN
    assert take(judged, 4, seed=1) != GOLDEN


class Patience(np.random.Generator):
    """A generator that fails whoever draws on and on."""

    def __init__(self, seed, most):
        super().__init__(np.random.PCG64(seed))
        self.left = most

    def random(self, *args, **kwargs):
        self.left -= 1
        assert self.left > 0, "numbers are drawn without end"
        return super().random(*args, **kwargs)


@pytest.mark.parametrize("alike", ["one city", "one country", "one hemisphere", "one size"])
def test_claims_end_where_cities_have_too_much_in_common(world, alike):
    cities = list(world)
    if alike == "one city":
        cities = cities[:1]
    if alike == "one country":
        cities = [replace(c, country=world[0].country) for c in cities]
    if alike == "one hemisphere":
        cities = [replace(c, latitude=1.0) for c in cities]
    if alike == "one size":
        cities = [replace(c, population=1000) for c in cities]
    # A claim that is given up has cost a hundred numbers, and most of one city are.
    said = [read(s) for s in islice(judgements(cities, Patience(0, 300 * 300)), 300)]
    false = {topic for topic, _, _, _, verdict in said if not verdict}
    topics = {topic for topic, *_ in said}
    every = set(WORDINGS)
    expected = {
        "one city": (set(TRUTHS), set()),
        "one country": (every, {"hemisphere", "larger"}),
        "one hemisphere": (every, every - {"hemisphere"}),
        "one size": (every - {"larger"}, every - {"larger"}),
    }
    assert (topics, false) == expected[alike]
