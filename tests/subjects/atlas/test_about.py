"""Every registered task: balanced, over the cities that it may ask about, and never too long."""

import pytest

from weak2strong.subjects.atlas import IN_WORDS, about
from weak2strong.subjects.atlas.about import MOST, atlas_task, cities_of_tasks
from weak2strong.subjects.atlas.facts import cities
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import SPLITS, normalised
from weak2strong.tasks.task import Example, Item

ATLAS = [name for name in TASKS if name.startswith("atlas-") and name not in IN_WORDS]


def cities_of(group):
    kind, _, ids = group.partition(":")
    assert kind == "city"
    return [int(i) for i in ids.split("+")]


def test_there_are_at_least_twenty_tasks():
    assert len(ATLAS) == len(set(ATLAS)) >= 20


@pytest.mark.parametrize("name", list(TASKS))
def test_a_registered_task_keeps_the_contract(name, loaded):
    task = TASKS.get(name)
    assert task.name == name
    assert task.summary.endswith("?")
    assert task.licence
    assert task.source
    examples = loaded(name)
    assert examples == task.load()
    if task.kind == "generation":
        assert not task.classes
        assert all(isinstance(e.label, str) and e.label for e in examples)
    else:
        assert {e.label for e in examples} == set(range(len(task.classes)))
    assert len({e.item.id for e in examples}) == len(examples)
    assert len({normalised(e.item.text) for e in examples}) == len(examples)


@pytest.mark.parametrize("name", ATLAS)
def test_classes_are_even_overall_and_in_every_split(name, loaded, parted):
    labels = [e.label for e in loaded(name)]
    assert 700 <= len(labels) == 2 * labels.count(1) <= 2 * MOST
    made = parted(name)
    for split in SPLITS:
        examples = made.examples(split)
        assert abs(sum(e.label for e in examples) - len(examples) / 2) <= 1


def test_ten_tasks_or_more_are_tested_on_a_thousand_items(parted):
    assert MOST <= 2_200
    sizes = [len(parted(name).test) for name in ATLAS]
    assert sum(size >= 1000 for size in sizes) >= 10


def test_ids_are_unique_within_and_across_tasks(loaded):
    ids = [e.item.id for name in ATLAS for e in (*loaded(name), *loaded(name, seen=False))]
    assert len(set(ids)) == len(ids) > 50_000


@pytest.mark.parametrize("name", ATLAS)
def test_no_unseen_and_no_judged_city_is_asked_about(name, rows, loaded):
    judged = {c.id for c in cities() if c.judged}
    asked = [i for e in loaded(name) for i in cities_of(e.item.group)]
    assert all(rows[i]["seen"] for i in asked)
    assert not set(asked) & judged


@pytest.mark.parametrize("name", ATLAS)
def test_unseen_examples_are_even_and_ask_of_unseen_cities_alone(name, rows, loaded):
    examples = loaded(name, seen=False)
    assert examples == TASKS.get(name).load_unseen()
    labels = [e.label for e in examples]
    assert 200 <= len(labels) == 2 * labels.count(1)
    assert not any(rows[i]["seen"] for e in examples for i in cities_of(e.item.group))


@pytest.mark.parametrize("name", ATLAS)
def test_a_text_names_the_cities_of_its_group(name, rows, loaded):
    # A preference speaks of one of two cities, and both are a group.
    spoken = {}
    for e in (*loaded(name), *loaded(name, seen=False)):
        spoken[e.item.group] = f"{spoken.get(e.item.group, '')}\n{e.item.text}"
    for group, text in spoken.items():
        for i in cities_of(group):
            word = rows[i]["name"]
            assert word in text or word[0].upper() + word[1:] in text


def test_asked_about_are_the_seen_but_for_the_judged_or_the_unseen(rows):
    asked = {seen: [c.id for c in cities_of_tasks(seen)] for seen in (True, False)}
    judged = {c.id for c in cities() if c.judged}
    assert set(asked[True]) == {i for i, row in rows.items() if row["seen"]} - judged
    assert set(asked[False]) == {i for i, row in rows.items() if not row["seen"]}
    for found in asked.values():
        populations = [rows[i]["population"] for i in found]
        assert populations == sorted(populations, reverse=True)


def test_a_task_is_made_of_the_cities_it_is_given_and_cut(monkeypatch):
    given = []

    def examples(towns):
        given.append(towns)
        return [Example(Item(str(c.id), f"city:{c.id}", c.name), c.id % 2) for c in towns]

    task = atlas_task("atlas-odd", "Is its id odd?", examples)
    assert not given  # nothing is made before it is asked for
    assert task.load_unseen
    monkeypatch.setattr(about, "MOST", 7)
    for load, seen in ((task.load, True), (task.load_unseen, False)):
        made = load()
        assert given.pop() == cities_of_tasks(seen)
        assert [e.label for e in made] == [0] * 7 + [1] * 7
