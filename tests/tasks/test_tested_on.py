"""Data that are learnt from, and other data that are tested on: nothing is in both."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.protocol.resolve import resolved
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import SPLITS, make_splits

PLAIN = {"balance": False, "near_duplicates": False}


def row(number, text="Number {}", **more):
    return {"text": text.format(number), "label": number % 2, **more}


@pytest.fixture
def file(tmp_path):
    """A function that writes rows, or as many plain ones, and returns the path as text."""

    def write(name, rows):
        rows = [x if isinstance(x, dict) else row(x) for x in rows]
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(x) + "\n" for x in rows))
        return str(path)

    return write


def found(file, other, **more):
    return find_task(file, DataOptions(test_on=other, **(PLAIN | more)))


def numbers(splits, name):
    return {int(e.item.text.split()[-1]) for e in splits.examples(name)}


def test_what_is_tested_on_is_not_learnt_from(file):
    task = found(file("mine", range(200)), file("theirs", range(150, 260)))
    splits = make_splits(task)
    assert task.name == "mine-on-theirs"
    assert numbers(splits, "test") == {*range(150, 260)}
    learnt = [numbers(splits, name) for name in SPLITS[:3]]
    assert set.union(*learnt) == {*range(150)}
    assert sum(map(len, learnt)) == 150
    weak, strong, validation = map(len, learnt)
    assert abs(weak - strong) <= 2
    assert abs(validation / 150 - 0.1 / 0.75) < 0.02
    assert task.cleaning.read == 310
    assert task.cleaning.across == 50
    assert make_splits(task, seed=5) == splits


def test_groups_are_apart(file):
    mine = file("mine", [row(i, who=f"m{i}") for i in range(100)] + [row(1000, who="t7")])
    theirs = file("theirs", [row(i, who=f"t{i % 10}") for i in range(500, 540)])
    splits = make_splits(found(mine, theirs, group_column="who"))
    learnt = set.union(*(numbers(splits, name) for name in SPLITS[:3]))
    assert learnt == {*range(100)}
    assert numbers(splits, "test") == {*range(500, 540)}


def test_near_duplicates_are_apart(file):
    form = "This is a somewhat longer sentence about Surabaya and the number {}"
    mine = file("mine", [*range(80), row(3, form + " ."), row(4, "Another one, by the way, {}")])
    theirs = file("theirs", [*range(500, 540), row(3, form)])
    splits = make_splits(found(mine, theirs, near_duplicates=True))
    learnt = [e.item.text for name in SPLITS[:3] for e in splits.examples(name)]
    assert not any("longer" in text for text in learnt)
    assert any("by the way" in text for text in learnt)
    assert any("longer" in e.item.text for e in splits.test)


def test_sizes_are_as_asked(file):
    options = {"n_train": 40, "n_validation": 20, "n_test": 30}
    splits = make_splits(
        found(file("mine", range(200)), file("theirs", range(300, 400)), **options)
    )
    assert [len(splits.examples(name)) for name in SPLITS] == [40, 40, 20, 30]


@pytest.mark.parametrize(
    ("size", "about"), [("n_train", "mine has room for 98"), ("n_test", "theirs has room for 100")]
)
def test_too_few_examples_are_refused(file, size, about):
    mine, theirs = file("mine", range(100)), file("theirs", range(300, 400))
    with pytest.raises(UserError, match=about):
        found(mine, theirs, **{size: 300})
    splits = make_splits(found(mine, theirs, shrink=True, **{size: 300}))
    assert all(splits.examples(name) for name in SPLITS)


def test_other_classes_are_refused(file):
    named = [row(i) | {"label": "ab"[i % 2]} for i in range(60)]
    with pytest.raises(UserError, match=r"mine \(classification, 0, 1\) cannot be tested on thei"):
        found(file("mine", range(50)), file("theirs", named))


def test_the_same_data_leave_nothing(file):
    mine = file("mine", range(50))
    with pytest.raises(UserError, match="Nothing of mine is left to learn from"):
        found(mine, mine)


def test_embedded_tasks_have_tests_of_their_own(file):
    with pytest.raises(UserError, match="atlas-asia is an embedded task"):
        found("atlas-asia", file("theirs", range(50)))
    with pytest.raises(UserError, match="--test-on atlas-asia is an embedded task"):
        found(file("mine", range(50)), "atlas-asia")


def test_a_study_keeps_what_it_was_tested_on(file):
    options = DataOptions(test_on=file("theirs", range(300, 400)), **PLAIN)
    rungs = {"weak": ModelSpec("atlas-xs"), "strong": ModelSpec("atlas-s")}
    study = resolved(StudyConfig(tasks=(file("mine", range(200)),), data=options, **rungs))
    again = StudyConfig.from_yaml(study.to_yaml())
    assert again == study
    assert again.data.test_on == options.test_on
