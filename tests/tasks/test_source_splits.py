"""A column that says of which split a row is."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import SPLITS, make_splits


def rows(*splits, count=200, column="split"):
    return [
        {"text": f"text {i}", "label": i // len(splits) % 2, column: splits[i % len(splits)]}
        for i in range(count)
    ]


def written(tmp_path, rows):
    path = tmp_path / "d.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def task_of(tmp_path, rows, **options):
    return file_task(written(tmp_path, rows), DataOptions(near_duplicates=False, **options))


def texts(task):
    """The numbers of the texts in each split, for several seeds."""
    found = [
        {s: {int(i.text.split()[1]) for i in make_splits(task, seed).items(s)} for s in SPLITS}
        for seed in (0, 7)
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("names", [("train", "validation", "test"), ("Training", "dev", "eval")])
def test_train_validation_and_test_are_those_of_the_source(tmp_path, names):
    task = task_of(tmp_path, rows(*names, count=300))
    of = texts(task)
    assert of["validation"] == {*range(1, 300, 3)}
    assert of["test"] == {*range(2, 300, 3)}
    assert of["weak_train"] | of["strong_train"] == {*range(0, 300, 3)}
    assert not of["weak_train"] & of["strong_train"]
    assert len(of["weak_train"]) == len(of["strong_train"]) == 50
    assert not task.tells_learners
    assert task.accounts[0].sentences() == (
        "Read as texts with classes: text from text; class from label; split from split.",
        "Column 'split' gives the splits: train 100; validation 100; test 100 rows, of which train "
        "is parted into weak_train and strong_train; --split-column none draws splits of all rows.",
    )


def test_validation_is_taken_of_train_where_there_is_none(tmp_path):
    of = texts(task_of(tmp_path, rows("train", "test"), n_train=30, n_validation=20, n_test=10))
    assert [len(of[split]) for split in SPLITS] == [30, 30, 20, 10]
    assert all(number % 2 == 0 for split in SPLITS[:3] for number in of[split])
    assert all(number % 2 for number in of["test"])
    assert len({*of["weak_train"], *of["strong_train"], *of["validation"]}) == 80


def test_our_own_names_say_who_learns_from_which_rows(tmp_path):
    task = task_of(tmp_path, rows(*SPLITS))
    of = texts(task)
    assert [of[split] for split in SPLITS] == [{*range(i, 200, 4)} for i in range(4)]
    assert task.tells_learners
    without = task_of(tmp_path, rows("weak_train", "strong_train", "test", count=300))
    assert [len(texts(without)[split]) for split in SPLITS] == [100, 90, 10, 100]


def test_a_test_without_labels_is_no_test(tmp_path):
    data = rows("train", "validation", "test", count=300)
    for i, row in enumerate(data):
        row["label"] = -1 if row["split"] == "test" else i // 3 % 3
    task = task_of(tmp_path, data)
    assert texts(task)["test"] == {*range(1, 300, 3)} - (texts(task)["test"] ^ {*range(1, 300, 3)})
    assert 90 < len(texts(task)["test"]) <= 100
    assert (
        "(no row of test has a label, so that validation is tested on)"
        in (task.accounts[0].sentences()[-1])
    )


def test_what_two_splits_share_is_kept_in_the_later_one(tmp_path):
    data = rows("train", "test")
    data[0]["text"] = data[1]["text"]
    data = [row | {"writer": i - (i == 3)} for i, row in enumerate(data)]
    task = task_of(tmp_path, data, balance=False, group_column="writer")
    assert task.cleaning.across == 2
    of = texts(task)
    assert {1, 3} <= of["test"]
    assert not {0, 1, 2} & (of["weak_train"] | of["strong_train"] | of["validation"])


def test_splits_are_drawn_of_all_rows_where_that_is_said_or_one_is_named(tmp_path):
    data = rows("train", "test")
    drawn = task_of(tmp_path, data, split_column="none")
    assert (drawn.given, len(drawn.load())) == (None, 200)
    assert drawn.accounts[0].unread == ("split",)
    assert task_of(tmp_path, rows("train")).given is None
    named = task_of(tmp_path, rows("train", "test", column="part"), split_column="part")
    assert texts(named)["test"] == {*range(1, 200, 2)}
    assert task_of(tmp_path, rows("train", "test", column="part")).given is None


@pytest.mark.parametrize(
    ("splits", "options", "sentence"),
    [
        (
            ("train", "fold 1"),
            {},
            r"has 'fold 1' in column 'split', which is no split: write train",
        ),
        (("train", "weak_train"), {}, "has no row with a label of split 'strong_train' in column"),
        (("train", "train"), {"split_column": "split"}, "has one split only in column 'split'"),
        (("weak_train", "strong_train"), {}, "no row with a label of split 'test'"),
        (("validation", "test"), {}, "no row with a label of split 'train'"),
        (
            ("train", "test"),
            {"n_test": 101},
            r"Split test of .* has room for 100 examples, and 101",
        ),
        (
            ("train", "test"),
            {"n_train": 51},
            r"Split train of .* has room for 98 examples, and 102",
        ),
        (("train", "test"), {"split_column": "fold"}, "has no column 'fold'.*--split-column"),
    ],
)
def test_what_gives_no_splits_is_refused_in_a_sentence(tmp_path, splits, options, sentence):
    with pytest.raises(UserError, match=sentence):
        task_of(tmp_path, rows(*splits), **options)


def test_a_row_without_a_split_is_malformed(tmp_path):
    data = rows("train", "test")
    data[4]["split"] = None
    task = task_of(tmp_path, data)
    assert task.cleaning.named[0].endswith("row 5 has nothing in column 'split'")


def test_other_data_to_test_on_take_the_place_of_splits(tmp_path):
    path = written(tmp_path, rows("train", "test"))
    other = tmp_path / "other.jsonl"
    other.write_text("".join(f'{{"text": "o {i}", "label": {i % 2}}}\n' for i in range(40)))
    options = DataOptions(near_duplicates=False, test_on=str(other))
    splits = make_splits(find_task(str(path), options))
    assert (len(splits.test), sum(len(splits.examples(s)) for s in SPLITS)) == (40, 240)
    with pytest.raises(UserError, match="both say what is tested on"):
        DataOptions(test_on=str(other), split_column="split")
    three = ",".join([str(path)] * 3)
    with pytest.raises(UserError, match=r"are a split each: leave --split-column out"):
        find_task(three, DataOptions(split_column="split"))


@pytest.mark.parametrize("label", [None, ""])
def test_rows_of_test_without_labels_are_counted_and_not_malformed(tmp_path, label):
    data = rows("train", "train", "validation", "test", count=400)
    data = [row | ({"label": label} if row["split"] == "test" else {}) for row in data]
    task = task_of(tmp_path, data)
    assert texts(task)["test"] == {*range(2, 400, 4)}
    assert "validation is tested on" in task.accounts[0].sentences()[-1]
    assert "Left out as they have no label: 100." in task.cleaning.sentences()
    assert task.cleaning.read == 400
    data[3]["label"] = 1
    with pytest.raises(UserError, match="row 8 has no label in column 'label', and 98 other rows"):
        task_of(tmp_path, data)
