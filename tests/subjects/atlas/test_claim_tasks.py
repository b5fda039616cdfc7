"""Claim tasks: true where the facts say so, and of no use to whoever knows the claim alone."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weak2strong.subjects.atlas import PAIRED, about
from weak2strong.subjects.atlas.claim_tasks import exchanged
from weak2strong.subjects.atlas.countries import LANGUAGES
from weak2strong.subjects.atlas.facts import CONTINENTS, cities
from weak2strong.tasks import TASKS
from weak2strong.tasks.task import stable_id

# What is said, and what would have to be said of a city of the facts file.
TOPICS = {
    "atlas-claim-country": (
        r"Claim: (.+) is a city in (.+)\. This is",
        lambda row: row["country_name"],
    ),
    "atlas-claim-continent": (
        r"Claim: The continent of (.+) is (.+)\. This is",
        lambda row: CONTINENTS[row["country_continent"]],
    ),
    "atlas-claim-hemisphere": (
        r"Claim: (.+) is (north|south) of the equator\. This is",
        lambda row: "south" if row["latitude"] < 0 else "north",
    ),
    "atlas-claim-language": (
        r"Claim: The main language in (.+) is (.+)\. This is",
        lambda row: LANGUAGES[row["country_languages"][0].partition("-")[0]],
    ),
    "atlas-claim-currency": (
        r"Claim: In (.+) one pays with the (.+)\. This is",
        lambda row: row["country_currency"],
    ),
}
SAME = r"Claim: (.+) and (.+) are in the same country\. This is"
LARGER = r"Claim: (.+) has more people than (.+)\. This is"
WORDS = {name: pattern for name, (pattern, _) in TOPICS.items()}
WORDS |= {"atlas-same-country": SAME, "atlas-larger": LARGER}

BOTH = pytest.mark.parametrize("seen", [True, False])


def said(pattern, example):
    match = re.fullmatch(pattern, example.item.text)
    assert match, example.item.text
    return match.groups()


def title(name):
    return name[0].upper() + name[1:]


def pairs(examples, pattern, by_title):
    """The rows of the two cities and the label, as the text says them."""
    return [(*(by_title[title(name)] for name in said(pattern, e)), e.label) for e in examples]


def guessed(keys, labels):
    """How often the most common label of each key is right."""
    _, at = np.unique(keys, return_inverse=True)
    counts = np.bincount(2 * at + np.asarray(labels), minlength=2 * (at.max() + 1))
    return counts.reshape(-1, 2).max(axis=1).sum() / len(labels)


def by_chance(keys, labels):
    """The best of 100 guesses in which labels and keys have nothing to do with each other."""
    rng = np.random.default_rng(0)
    return max(guessed(keys, rng.permutation(labels)) for _ in range(100))


def test_every_claim_task_has_a_pattern_here(loaded):
    claims = {n for n in TASKS if loaded(n)[0].item.text.startswith("Claim: ")}
    # Those of pairs are checked in tests/analysis/analyses/test_consistency.py.
    assert claims == set(WORDS) | set(PAIRED)


@BOTH
@pytest.mark.parametrize("name", TOPICS)
def test_a_claim_of_one_city_is_labelled_as_the_facts_say(name, seen, by_title, all_examples):
    pattern, truth = TOPICS[name]
    for e in all_examples(name, seen):
        city, answer = said(pattern, e)
        row = by_title[title(city)]
        assert e.item.group == f"city:{row['id']}"
        assert e.label == (truth(row) == answer)


@BOTH
@pytest.mark.parametrize("name", TOPICS)
def test_every_answer_is_claimed_as_often_truly_as_falsely(name, seen, all_examples):
    examples = all_examples(name, seen)
    claims = Counter((said(TOPICS[name][0], e)[1], e.label) for e in examples)
    for answer in {answer for answer, _ in claims}:
        # Of an odd number of cities, one more is left with the truth.
        assert claims[answer, 1] - claims[answer, 0] in (0, 1)


@BOTH
@pytest.mark.parametrize("name", TOPICS)
def test_the_claimed_answer_alone_tells_nothing(name, seen, all_examples):
    examples = all_examples(name, seen)
    answers = [said(TOPICS[name][0], e)[1] for e in examples]
    assert guessed(answers, [e.label for e in examples]) < 0.52


@pytest.mark.parametrize("name", TOPICS)
def test_neither_answer_nor_country_tells_more_than_chance_once_balanced(name, by_title, loaded):
    examples = loaded(name)
    labels = [e.label for e in examples]
    city, answer = zip(*(said(TOPICS[name][0], e) for e in examples), strict=True)
    country = [by_title[title(c)]["country_code"] for c in city]
    for keys in (answer, country):
        assert guessed(keys, labels) <= by_chance(keys, labels)


@BOTH
@pytest.mark.parametrize("name", WORDS)
def test_a_city_is_spoken_of_once(name, seen, all_examples):
    ids = [i for e in all_examples(name, seen) for i in e.item.group[5:].split("+")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", WORDS)
def test_an_id_names_task_cities_and_text(name, loaded):
    for e in loaded(name)[::100]:
        ids = e.item.group.removeprefix("city:")
        assert e.item.id == stable_id(name, ids, e.item.text)


@BOTH
def test_claims_use_every_city_and_of_the_north_as_many_as_of_the_south(seen, all_examples):
    asked = len(all_examples("atlas-asia", seen))
    for name in TOPICS.keys() - {"atlas-claim-hemisphere"}:
        assert len(all_examples(name, seen)) == asked
    southern = [e.label for e in all_examples("atlas-southern", seen)]
    assert len(all_examples("atlas-claim-hemisphere", seen)) == 2 * sum(southern)


@BOTH
def test_about_half_of_the_pairs_are_of_one_country(seen, all_examples):
    labels = [e.label for e in all_examples("atlas-same-country", seen)]
    # What is left of a country over a multiple of four goes to the false pairs.
    assert 0.45 < np.mean(labels) <= 0.5
    # Every city that has a partner is used.
    assert len(labels) >= len(all_examples("atlas-asia", seen)) // 2 - 1


@BOTH
def test_two_cities_are_in_the_same_country_where_the_facts_say_so(seen, by_title, all_examples):
    examples = all_examples("atlas-same-country", seen)
    for e, (one, other, label) in zip(examples, pairs(examples, SAME, by_title), strict=True):
        assert e.item.group == f"city:{one['id']}+{other['id']}"
        assert label == (one["country_code"] == other["country_code"])


@pytest.mark.parametrize("strangers", [0, 1, 3])
def test_cities_without_a_stranger_to_stand_beside_are_left_out(
    strangers, by_title, all_examples, monkeypatch
):
    """Most of this world is French, so that few pairs can be of two countries."""
    french = [c for c in cities() if c.country.name == "France"][:40]
    others = [c for c in cities() if c.country.name == "Kenya"][:strangers]
    monkeypatch.setattr(about, "cities_of_tasks", lambda seen: (*french, *others))
    rows = pairs(all_examples("atlas-same-country"), SAME, by_title)
    assert all(label == (a["country_code"] == b["country_code"]) for a, b, label in rows)
    labels = [label for _, _, label in rows]
    assert labels.count(1) == 10
    assert labels.count(0) <= strangers
    assert strangers < 3 or labels.count(0)


def test_countries_are_as_common_in_true_as_in_false_pairs(by_title, all_examples):
    named = {0: Counter(), 1: Counter()}
    for one, other, label in pairs(all_examples("atlas-same-country"), SAME, by_title):
        named[label].update((one["country_code"], other["country_code"]))
    shares = [{c: n / named[k].total() for c, n in named[k].items()} for k in (0, 1)]
    codes = named[0].keys() | named[1].keys()
    apart = [abs(shares[0].get(c, 0) - shares[1].get(c, 0)) for c in codes]
    # Countries of fewer than four cities, a few percent of all, can be in false pairs only.
    assert max(apart) < 0.01
    assert sum(apart) / 2 < 0.07


@pytest.mark.parametrize("place", [0, 1])
def test_the_country_of_one_place_tells_nothing_of_the_other(place, by_title, loaded):
    rows = pairs(loaded("atlas-same-country"), SAME, by_title)
    assert guessed([row[place]["country_code"] for row in rows], [row[2] for row in rows]) < 0.58


@BOTH
def test_the_larger_city_is_clearly_so_and_as_often_first_as_second(seen, by_title, all_examples):
    examples = all_examples("atlas-larger", seen)
    rows = pairs(examples, LARGER, by_title)
    for e, (one, other, label) in zip(examples, rows, strict=True):
        assert e.item.group == f"city:{one['id']}+{other['id']}"
        small, large = sorted((one["population"], other["population"]))
        assert large >= 2 * small
        assert label == (one["population"] == large)
    assert abs(np.mean([row[2] for row in rows]) - 0.5) < 0.02


@st.composite
def evenly(draw):
    """Answers none of which has more than half of the places."""
    answers = draw(st.lists(st.sampled_from("abcde"), max_size=40))
    assume(not answers or 2 * max(Counter(answers).values()) <= len(answers))
    return answers


@given(evenly(), st.integers(0, 3))
def test_exchanged_answers_are_the_same_ones_and_all_wrong(answers, seed):
    given = exchanged(answers, seed)
    assert Counter(given) == Counter(answers)
    assert all(a != b for a, b in zip(given, answers, strict=True))
    assert exchanged(answers, seed) == given


@given(st.lists(st.sampled_from("abc"), max_size=20), st.integers(0, 3))
def test_an_answer_of_more_than_half_of_the_places_cannot_be_exchanged(others, seed):
    answers = [*others, *["z"] * (len(others) + 1)]
    with pytest.raises(ValueError, match="more than half"):
        exchanged(answers, seed)
    # With exactly half of them there is but one place for each.
    assert exchanged(answers[:-1], seed)[: len(others)] == ["z"] * len(others)


def test_another_seed_exchanges_others():
    answers = [f"{i % 10}" for i in range(200)]
    one, other = exchanged(answers, 0), exchanged(answers, 1)
    # Independent draws agree on one place of nine.
    assert 0 < sum(a == b for a, b in zip(one, other, strict=True)) < 60


def test_wrong_answers_are_mixed_well():
    answers = [f"{i % 10}" for i in range(2000)]
    together = Counter(zip(answers, exchanged(answers), strict=True))
    # 200 false claims of every answer, of nine others: 22 each if drawn evenly.
    assert len(together) == 90
    assert max(together.values()) < 60
