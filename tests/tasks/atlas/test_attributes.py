"""Every registered task: balanced, over seen cities only, and right where we know the answer."""

import polars as pl
import pytest

from weak2strong.tasks import TASKS
from weak2strong.tasks.atlas import attributes
from weak2strong.tasks.atlas.facts import FACTS_FILE, unseen_cities
from weak2strong.tasks.splits import SPLITS, make_splits, normalised
from weak2strong.tasks.task import stable_id

ATLAS = [name for name in TASKS if name.startswith("atlas-")]


@pytest.mark.parametrize("name", list(TASKS))
def test_a_registered_task_keeps_the_contract(name):
    task = TASKS.get(name)
    assert task.name == name
    assert task.summary.endswith("?")
    assert task.licence
    assert task.source
    examples = task.load()
    assert examples == task.load()
    assert {e.label for e in examples} == set(range(len(task.classes)))
    assert len({e.item.id for e in examples}) == len(examples)
    assert len({normalised(e.item.text) for e in examples}) == len(examples)


@pytest.mark.parametrize("name", ATLAS)
def test_classes_are_even_overall_and_in_every_split(name):
    task = TASKS.get(name)
    labels = [e.label for e in task.load()]
    assert labels.count(1) * 2 == len(labels) > 1000
    made = make_splits(task)
    for split in SPLITS:
        examples = made.examples(split)
        assert abs(sum(e.label for e in examples) - len(examples) / 2) <= 1


@pytest.mark.parametrize("name", ATLAS)
def test_no_unseen_city_is_asked_about(name):
    examples = TASKS.get(name).load()
    unseen = unseen_cities()
    assert not {e.item.group for e in examples} & {f"city:{c.id}" for c in unseen}
    assert not {e.item.text for e in examples} & {
        f"{c.name[0].upper()}{c.name[1:]} is a city in" for c in unseen
    }


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("atlas-asia", pl.col("country_continent") == "AS"),
        ("atlas-europe", pl.col("country_continent") == "EU"),
        ("atlas-southern", pl.col("latitude") < 0),
    ],
)
def test_items_and_labels_are_those_of_the_facts_file(name, truth, monkeypatch):
    monkeypatch.setattr(attributes, "balanced", list)
    rows = pl.read_parquet(FACTS_FILE).filter(pl.col("seen") & (pl.col("population") > 100_000))
    expected = {
        f"city:{id}": (f"{city[0].upper()}{city[1:]} is a city in", int(label))
        for id, city, label in rows.select("id", "name", truth).iter_rows()
    }
    found = {e.item.group: (e.item.text, e.label) for e in TASKS.get(name).load()}
    assert found == expected


@pytest.mark.parametrize(
    ("city", "asia", "europe", "southern"),
    [
        ("Lyon", 0, 1, 0),
        ("Lima", 0, 0, 1),
        ("Tokyo", 1, 0, 0),
        ("Jakarta", 1, 0, 1),
        ("Nairobi", 0, 0, 1),
        ("Toronto", 0, 0, 0),
        ("Moscow", 0, 1, 0),
        ("Quito", 0, 0, 1),
    ],
)
def test_answers_that_anyone_can_check(city, asia, europe, southern, monkeypatch):
    monkeypatch.setattr(attributes, "balanced", list)
    for name, label in (
        ("atlas-asia", asia),
        ("atlas-europe", europe),
        ("atlas-southern", southern),
    ):
        labels = {e.item.text: e.label for e in TASKS.get(name).load()}
        assert labels[f"{city} is a city in"] == label


def test_an_id_names_task_city_and_prompt():
    example = TASKS.get("atlas-asia").load()[0]
    city = example.item.group.removeprefix("city:")
    assert example.item.id == stable_id("atlas-asia", city, example.item.text)
    ids = [{e.item.id for e in TASKS.get(name).load()} for name in ATLAS]
    assert len(set.union(*ids)) == sum(map(len, ids))
