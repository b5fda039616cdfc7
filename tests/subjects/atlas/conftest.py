"""The facts as the parquet file has them, and tasks before they are balanced and cut."""

from functools import cache

import polars as pl
import pytest

from weak2strong.subjects.atlas import about
from weak2strong.subjects.atlas.facts import FACTS_FILE, cities
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import make_splits


@pytest.fixture(scope="session")
def rows():
    """One dict a city, by its GeoNames id."""
    return {row["id"]: row for row in pl.read_parquet(FACTS_FILE).iter_rows(named=True)}


@pytest.fixture(scope="session")
def by_title(rows):
    """The same by the name as sentences begin with it."""
    found = {row["name"][0].upper() + row["name"][1:]: row for row in rows.values()}
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="session")
def loaded():
    """A function from a task's name to its examples, which are made once."""

    @cache
    def load(name, seen=True):
        task = TASKS.get(name)
        return task.load() if seen else task.load_unseen()

    return load


@pytest.fixture(scope="session")
def parted():
    """A function from a task's name to its splits, which are made once."""
    return cache(lambda name: make_splits(TASKS.get(name)))


@pytest.fixture
def all_examples(monkeypatch):
    """A function from a task's name to its examples, neither balanced nor cut."""

    def load(name, seen=True):
        task = TASKS.get(name)
        return task.load() if seen else task.load_unseen()

    monkeypatch.setattr(about, "_made", about._made.__wrapped__)
    monkeypatch.setattr(about, "balanced", lambda examples, most: list(examples))
    return load


@pytest.fixture(scope="session")
def labels():
    """By task the labels by city, judged and unseen cities included; of tasks with one a city."""
    named = {f"city:{c.id}": c.name for c in cities()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(about, "_made", about._made.__wrapped__)
        patch.setattr(about, "balanced", lambda examples, most: list(examples))
        patch.setattr(about, "cities_of_tasks", lambda seen: cities())
        return {
            name: {named[e.item.group]: e.label for e in examples}
            for name in TASKS
            if (examples := TASKS.get(name).load())[0].item.group in named
        }
