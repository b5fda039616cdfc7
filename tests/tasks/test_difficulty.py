"""Selections take what they say, of training and test each, and say what is wrong otherwise."""

import random
from dataclasses import replace

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.difficulty import read_selection, select
from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.task import Example, Item


def example(i, difficulty):
    return Example(Item(f"e{i:03}", f"g{i}", f"text {i}"), i % 2, difficulty)


RATINGS = [1000, 1200, 1200, 1400, 1600, 1601, -5, 0.5]
EXAMPLES = [example(i, rating) for i, rating in enumerate(RATINGS)]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("below:1200", {1000, -5, 0.5}),
        ("below:1200.5", {1000, 1200, -5, 0.5}),
        ("above:1600", {1601}),
        ("between:1200:1600", {1200, 1400, 1600}),
        ("between:-5:.5", {-5, 0.5}),
        ("between:1400:1400", {1400}),
        ("below:-5", set()),
        ("easiest:0.25", {-5, 0.5}),
        ("hardest:0.25", {1600, 1601}),
        ("easiest:1", set(RATINGS)),
    ],
)
def test_a_selection_takes_what_it_says(text, taken):
    ids = read_selection(text)(EXAMPLES)
    assert {e.difficulty for e in EXAMPLES if e.item.id in ids} == taken


def test_equally_hard_examples_stand_by_id_whatever_their_order():
    alike = [example(i, 7.0) for i in range(10)]
    random.Random(0).shuffle(alike)
    easy, hard = (read_selection(f"{how}:0.5")(alike) for how in ("easiest", "hardest"))
    assert easy == {f"e00{i}" for i in range(5)}
    assert hard == {f"e00{i}" for i in range(5, 10)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1200",
        "below",
        "below:",
        "below:hard",
        "below:1:2",
        "between:1",
        "between:1:2:3",
        "under:1200",
        "below:1e3",
        "below:nan",
        " below:1",
    ],
)
def test_what_is_no_selection_is_told_how_to_write_one(text):
    with pytest.raises(UserError, match=f"Difficulty {text!r} is no selection: write below:1200"):
        read_selection(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("easiest:0", "a share is above 0"),
        ("hardest:1.5", "at most 1"),
        ("easiest:-0.5", "a share is above 0"),
        ("between:2:1", "nothing is between 2 and 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(text, says):
    with pytest.raises(UserError, match=says):
        read_selection(text)


def splits(difficulty=float):
    """Forty examples a split, numbered through; the difficulty of each is a function of that."""
    parts = {
        name: tuple(example(i, difficulty(i)) for i in range(40 * k, 40 * k + 40))
        for k, name in enumerate(SPLITS)
    }
    return Splits(**parts)


def numbers(made, name):
    return [int(e.item.id[1:]) for e in made.examples(name)]


def test_training_and_validation_go_by_one_and_the_test_by_the_other():
    whole = splits(lambda i: i % 40)
    made = select(whole, "below:10", "above:29", "Task toy")
    for k, name in enumerate(SPLITS[:3]):
        assert numbers(made, name) == list(range(40 * k, 40 * k + 10))
    assert numbers(made, "test") == list(range(150, 160))
    assert set(made.test) < set(whole.test)


def test_without_one_of_them_its_splits_stay_whole():
    whole = splits(lambda i: i % 40)
    for name in SPLITS:
        trained = name != "test"
        easy = select(whole, "below:10", None, "Task toy").examples(name)
        hard = select(whole, None, "below:10", "Task toy").examples(name)
        assert len(easy) == (10 if trained else 40)
        assert len(hard) == (40 if trained else 10)
    assert select(whole, None, None, "Task toy") is whole


def test_shares_are_of_the_whole_task_so_that_halves_do_not_meet():
    made = select(splits(lambda i: (i * 7) % 160), "easiest:0.5", "hardest:0.5", "Task toy")
    trained = [e.difficulty for name in SPLITS[:3] for e in made.examples(name)]
    assert max(trained) < 80 <= min(e.difficulty for e in made.test)


def test_examples_without_a_difficulty_are_refused_only_if_asked_for():
    nobody = splits(lambda i: None if i == 77 else 1.0)
    assert select(nobody, None, None, "Task toy") is nobody
    with pytest.raises(UserError, match="Task toy does not say how hard its examples are"):
        select(nobody, None, "above:0", "Task toy")


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        ("below:0", None, r"keeps 0 of 40 examples of weak_train with --train-difficulty below:0"),
        (None, "above:159", r"keeps 0 of 40 examples of test with --test-difficulty above:159"),
        ("below:1", None, r"keeps 1 of 40 .* too few .* go from 0 to 159"),
    ],
)
def test_a_split_that_loses_a_class_is_refused(train, test, says):
    with pytest.raises(UserError, match=says):
        select(splits(), train, test, "Task toy")


def test_a_test_of_one_group_is_refused():
    whole = splits(lambda i: i % 40)
    one = tuple(
        replace(e, item=replace(e.item, group="one")) if e.difficulty < 4 else e for e in whole.test
    )
    with pytest.raises(UserError, match="keeps 4 of 40 examples of test"):
        select(replace(whole, test=one), None, "below:4", "Task toy")
