"""File names of dataset repositories say their split and subset, as the hub's do."""

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.layout import choose, subset_and_split


@pytest.mark.parametrize(
    ("name", "subset", "split"),
    [
        ("data/train-00000-of-00001.parquet", "default", "train"),
        ("data/train-00000-of-00002-b42a775f407cee45.parquet", "default", "train"),
        ("data/validation_matched-00000-of-00001.parquet", "default", "validation_matched"),
        ("main/test-00000-of-00001.parquet", "main", "test"),
        ("sciq/train/0000.parquet", "sciq", "train"),
        ("default/partial-train/0003.parquet", "default", "train"),
        ("train.jsonl", "default", "train"),
        ("data/dev.csv", "default", "validation"),
        ("train_1.jsonl", "default", "train"),
        ("my-data-training.csv", "my-data", "train"),
        ("en/valid/part-a.jsonl", "en", "validation"),
        ("train/train-00000-of-00001.parquet", "default", "train"),
        ("data.csv", "default", "train"),
        ("en/reviews.csv", "en/reviews", "train"),
        ("train_test_split.csv", "train_test_split", "train"),
        ("trained.csv", "trained", "train"),
        ("data-00000-of-00001.arrow", "default", "train"),
        ("en/part-00001-of-00003.jsonl.gz", "en", "train"),
        ("test/part-00001-of-00003.jsonl", "default", "test"),
        ("train/a.json", "default", "train"),
        ("en/train.tsv.zst", "en", "train"),
    ],
)
def test_a_path_says_subset_and_split(name, subset, split):
    assert subset_and_split(name) == (subset, split)


def test_all_files_of_the_split_are_chosen_in_order_of_their_names():
    names = [f"data/train-0000{i}-of-00003.parquet" for i in (2, 0, 1)]
    others = ["data/test-00000-of-00001.parquet", "README.md", "train.py"]
    assert choose("r", [*names, *others], None, "train") == ("default", sorted(names))
    assert choose("r", [*names, *others], None, "test") == ("default", others[:1])


def test_folders_of_save_to_disk_are_splits_whatever_their_names():
    names = [f"{split}/data-00000-of-00001.arrow" for split in ("train", "test", "odd_ones")]
    others = ["train/cache-1.arrow", "train/state.json", "train/dataset_info.json"]
    saved = ["dataset_dict.json", *names, *others]
    for name in names:
        split = name.partition("/")[0]
        assert choose("r", saved, None, split) == ("default", [name])
        within = [f"en/{one}" for one in saved]
        assert choose("r", within, "en", split) == ("en", [f"en/{name}"])


def test_subsets_are_read_together_where_all_are_wanted():
    names = ["a/train.json", "b/train.json", "b/test.json"]
    assert choose("r", names, None, "train", pooled=True) == ("all", names[:2])
    assert choose("r", names, "b", "train", pooled=True) == ("b", names[1:2])
    again = ["default/train.json", *names]
    assert choose("r", again, None, "train", pooled=True) == ("default", again[:1])


def test_parquet_comes_before_other_formats():
    names = ["train.csv", "train.jsonl", "train.parquet"]
    assert choose("r", names, None, "train") == ("default", ["train.parquet"])
    assert choose("r", names[:2], None, "train") == ("default", ["train.jsonl"])


@pytest.mark.parametrize(
    ("names", "subset", "chosen"),
    [
        (["a/train.csv", "b/train.csv"], "b", "b/train.csv"),
        (["a/train.csv", "default/train.csv"], None, "default/train.csv"),
        (["a/train.csv", "train.csv"], None, "train.csv"),
        (["a/train.csv", "b/test.csv"], None, "a/train.csv"),
        (["reviews.csv"], None, "reviews.csv"),
    ],
)
def test_the_subset_is_the_one_named_or_default_or_the_only_one(names, subset, chosen):
    assert choose("r", names, subset, "train")[1] == [chosen]


@pytest.mark.parametrize(
    ("names", "subset", "split", "error"),
    [
        (["README.md", "x.txt"], None, "train", r"no \.parquet, .*\.csv, \.tsv file: conv"),
        (["a/train.csv", "b/train.csv"], "c", "train", r"no subset 'c'; it has a, b: .* --subset"),
        (["a/train.csv", "b/train.csv"], None, "train", r"the subsets a, b: choose .* --subset"),
        (["train.csv", "dev.csv"], None, "test", r"no split 'test'; it has train, validation: "),
        (["a/dev.csv", "b/train.csv"], "a", "train", r"r, subset a, has no split 'train'; it has"),
        (["train-00001-of-00003.csv"], None, "train", r"only 1 of the 3 files of split 'train'"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_a_sentence(names, subset, split, error):
    with pytest.raises(UserError, match=error):
        choose("r", names, subset, split)
