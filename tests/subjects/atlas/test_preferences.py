"""Preference tasks of the atlas: true as the facts say, and of no use to whoever knows answers."""

import re
from collections import Counter

import pytest

from weak2strong.subjects.atlas import PREFERENCES
from weak2strong.subjects.atlas.facts import CONTINENTS
from weak2strong.tasks import GROUPS, TASKS
from weak2strong.tasks.pairs import PREFERRED
from weak2strong.tasks.splits import SPLITS, make_splits
from weak2strong.tasks.task import stable_id

TOPICS = {
    "atlas-preference": (
        r"The continent of (.+) is",
        lambda row: CONTINENTS[row["country_continent"]],
    ),
    "atlas-preference-hemisphere": (
        r"The hemisphere of (.+) is the",
        lambda row: "southern one" if row["latitude"] < 0 else "northern one",
    ),
}


@pytest.mark.parametrize("unseen", [False, True])
@pytest.mark.parametrize("name", PREFERENCES)
def test_the_preferred_answer_is_the_one_of_the_facts(name, unseen, loaded, by_title):
    pattern, truth = TOPICS[name]
    examples = TASKS.get(name).load_unseen() if unseen else loaded(name)
    cities = set()
    for e in examples:
        match = re.fullmatch(pattern, e.item.text)
        row = by_title[match[1][0].upper() + match[1][1:]]
        answers = [c.removeprefix(" ") for c in e.item.completions]
        assert answers[e.label] == truth(row) != answers[1 - e.label]
        assert str(row["id"]) in e.item.group.removeprefix("city:").split("+")
        assert e.item.id == stable_id(name, str(row["id"]), e.item.text, *e.item.completions)
        assert row["seen"] != unseen
        cities.add(row["id"])
    assert len(cities) == len(examples) > 100


@pytest.mark.parametrize("name", PREFERENCES)
def test_in_every_split_an_answer_is_right_as_often_as_wrong_against_every_other(name, loaded):
    splits = make_splits(TASKS.get(name))
    for split in SPLITS:
        examples = splits.examples(split)
        sides = [(e.item.completions[e.label], e.item.completions[1 - e.label]) for e in examples]
        right = Counter(sides)
        assert all(right[a, b] == right[b, a] for a, b in sides)
        assert set(Counter(e.item.group for e in examples).values()) == {2}
        # The place of the right one tells nothing either, whatever the two answers are.
        placed = Counter((e.item.completions, e.label) for e in examples)
        assert all(placed[two, 0] == placed[two, 1] for two, _ in placed)


def test_preferences_are_tasks_of_their_own(loaded):
    assert not set(PREFERENCES) & set(GROUPS.get("atlas-suite"))
    for name in PREFERENCES:
        assert (TASKS.get(name).kind, TASKS.get(name).classes) == ("preference", PREFERRED)
    sizes = [len(make_splits(TASKS.get("atlas-preference")).examples(s)) for s in SPLITS]
    assert sizes == [1300, 1300, 400, 1000]
