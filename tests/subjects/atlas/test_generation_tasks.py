"""What the atlas asks for in words is what its facts file and its pretraining text say."""

import polars as pl
import pytest

from weak2strong.subjects.atlas import IN_WORDS
from weak2strong.subjects.atlas.facts import FACTS_FILE, cities, sentence
from weak2strong.subjects.atlas.ladder.corpus import RELATIONS, _words
from weak2strong.tasks import GROUPS, TASKS
from weak2strong.tasks.splits import SPLITS, make_splits


@pytest.mark.parametrize(
    ("name", "column", "prompt"),
    [
        ("atlas-generation", "country_name", "{} is a city in"),
        ("atlas-generation-currency", "country_currency", "In {} one pays with the"),
    ],
)
def test_targets_are_those_of_the_facts_file(name, column, prompt):
    frame = pl.read_parquet(FACTS_FILE, columns=["id", "name", "seen", column])
    facts = {f"city:{i}": rest for i, *rest in frame.iter_rows()}
    task = TASKS.get(name)
    for load, seen in ((task.load, True), (task.load_unseen, False)):
        for e in load():
            city, read, target = facts[e.item.group]
            text = prompt.format(city)
            assert (e.item.text, e.label, read) == (text[0].upper() + text[1:], target, seen)


@pytest.mark.parametrize("name", IN_WORDS)
def test_prompt_and_target_are_a_sentence_of_the_pretraining_text(name):
    by_group = {f"city:{c.id}": c for c in cities()}
    for e in TASKS.get(name).load()[::40]:
        words = _words(by_group[e.item.group], "")
        read = {sentence(t, **words) for r in RELATIONS for t in r.templates}
        assert f"{e.item.text} {e.label}." in read


@pytest.mark.parametrize("name", IN_WORDS)
def test_sizes_are_those_of_other_tasks_and_no_target_is_most_of_them(name):
    task = TASKS.get(name)
    splits = make_splits(task)
    assert [len(splits.examples(s)) for s in SPLITS] == [1300, 1300, 400, 1000]
    targets = [e.label for e in splits.test]
    assert max(targets.count(t) for t in set(targets)) < 0.35 * len(targets)
    assert len(set(targets)) > 20


def test_they_are_no_part_of_the_suite():
    """What is scored by another metric cannot be in one study with it."""
    assert not set(GROUPS.get("atlas-suite")) & set(IN_WORDS)
