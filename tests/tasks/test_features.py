"""Folders of features: labels by id, groups, splits, and what is wrong with them."""

import numpy as np
import polars as pl
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import FileTask
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import SPLITS, make_splits

N = 40


@pytest.fixture
def folder(tmp_path):
    """A folder whose labels a test may change."""
    for name in ("weak.npy", "strong.npy"):
        np.save(tmp_path / name, np.zeros((N, 2), dtype="f4"))

    def write(ids=None, labels=None, **more):
        ids = ids or [f"Row {n}" for n in range(N)]
        labels = labels or ["cat" if n % 2 else "dog" for n in range(len(ids))]
        pl.DataFrame({"id": ids, "label": labels, **more}).write_csv(tmp_path / "labels.csv")
        return tmp_path

    return write


def test_a_folder_of_features_is_a_task_with_a_pair_of_its_own(folder):
    path = folder()
    task = find_task(str(path), DataOptions())
    assert isinstance(task, FileTask)
    assert (task.inputs, task.kind, task.classes) == ("features", "classification", ("cat", "dog"))
    assert task.pair == (str(path / "weak.npy"), str(path / "strong.npy"))
    assert [e.item.id for e in task.load()] == sorted(f"Row {n}" for n in range(N))
    assert task.accounts[0].sentences() == (
        "Read as features with classes: class from label; id from id.",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_ids_and_labels_alone_is_one_of_features(tmp_path, separator):
    ids = [f"r{n}" for n in range(N)]
    table = pl.DataFrame({"id": ids, "label": ["a", "b"] * (N // 2), "group": ids})
    table.write_csv(tmp_path / "labels.csv", separator=separator, include_bom=True)
    for path in (tmp_path, tmp_path / "labels.csv"):
        task = find_task(str(path), DataOptions())
        assert (task.inputs, task.pair) == ("features", ("", ""))
    table.with_columns(text=pl.col("id")).write_csv(tmp_path / "labels.csv")
    assert find_task(str(tmp_path / "labels.csv"), DataOptions()).inputs == "text"
    named = DataOptions(text_column=("id",))
    table.write_csv(tmp_path / "labels.csv")
    assert find_task(str(tmp_path / "labels.csv"), named).inputs == "text"


def test_columns_that_tell_nothing_apart_are_told(folder):
    task = find_task(str(folder(split=["train"] * N, group=["one"] * N)), DataOptions())
    assert isinstance(task, FileTask)
    assert task.given is None
    assert task.accounts[0].labels == (
        "Column 'group' has one entry only, and is not taken for a group.",
        "Column 'split' has 'train' in every row, so that splits are drawn.",
    )


def test_ids_that_differ_in_case_alone_are_two_items(folder):
    ids = [f"{'a' if n % 2 else 'A'}{n // 2}" for n in range(N)]
    task = find_task(str(folder(ids)), DataOptions())
    assert {e.item.id for e in task.load()} == set(ids)
    assert task.cleaning.contradictory == 0


def test_groups_stay_together_and_the_column_of_splits_is_heeded(folder):
    groups = [f"g{n // 4}" for n in range(N)]
    splits = make_splits(find_task(str(folder(group=groups)), DataOptions()))
    found = [{e.item.group for e in splits.examples(name)} for name in SPLITS]
    assert sum(map(len, found)) == len(set().union(*found)) == N // 4
    named = [SPLITS[n // 2 % 4] for n in range(N)]
    task = find_task(str(folder(split=named)), DataOptions())
    splits = make_splits(task)
    assert [len(splits.examples(name)) for name in SPLITS] == [10] * 4
    assert {e.item.id for e in splits.test} == {f"Row {n}" for n in range(N) if n // 2 % 4 == 3}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"ids": ["a", *(f"r{n}" for n in range(N - 2)), "a"]},
            r"row 40 has the id 'a' of",
        ),
        ({"split": ["train"] * (N - 1) + ["somewhere"]}, r"somewhere"),
    ],
)
def test_wrong_labels_are_a_sentence(folder, changes, said):
    with pytest.raises(UserError, match=said):
        find_task(str(folder(**changes)), DataOptions())


def test_labels_without_ids_are_a_sentence(folder):
    path = folder()
    (path / "labels.csv").write_text("name,label\na,cat\nb,dog\n")
    with pytest.raises(UserError, match=r"no column 'id'; it has name, label: call the column"):
        find_task(str(path), DataOptions())


@pytest.mark.parametrize(
    "options", [{"text_column": ("words",)}, {"template": "{a}"}, {"subset": "a"}]
)
def test_options_about_texts_are_refused(folder, options):
    with pytest.raises(UserError, match=r"holds features, and --(text-column|template|subset)"):
        find_task(str(folder()), DataOptions(**options))


def test_a_pair_that_stands_there_twice_has_to_be_named(folder):
    path = folder()
    pl.DataFrame({"id": ["a"], "x": [1.0]}).write_parquet(path / "weak.parquet")
    with pytest.raises(UserError, match=r"has weak.npy, weak.parquet, and one of them is meant"):
        find_task(str(path), DataOptions())
