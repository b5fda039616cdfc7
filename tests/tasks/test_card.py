"""What the header of a card says of subsets, splits and classes is heeded before names of files."""

import pytest

from weak2strong.tasks.card import Card, read_card
from weak2strong.tasks.layout import choose

CARD = """\
---
license: mit
dataset_info:
- config_name: pairs
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '1': positive
          '0': negative
- config_name: singles
  features:
  - name: label
    dtype:
      class_label:
        names: [bad, 10]
configs:
- config_name: pairs
  default: true
  data_files:
  - split: train
    path: [first.jsonl, "more/**/*.jsonl"]
  - split: test
    path: "second-*.jsonl"
- config_name: singles
  data_dir: single
  data_files: "*.csv"
- config_name: none
  data_files: nowhere.csv
---
# A dataset
"""
NAMES = (
    "README.md",
    "first.jsonl",
    "more/a.jsonl",
    "more/b/c.jsonl",
    "second-1.jsonl",
    "second-2.jsonl",
    "single/a.csv",
    "single/b/c.csv",
)


def test_the_files_of_a_split_are_those_that_the_card_names():
    assert read_card(CARD).files(NAMES) == {
        "pairs": {
            "train": ["first.jsonl", "more/a.jsonl", "more/b/c.jsonl"],
            "test": ["second-1.jsonl", "second-2.jsonl"],
        },
        "singles": {"train": ["single/a.csv"]},
    }


def test_a_card_comes_before_the_names_of_files():
    card = read_card(CARD)
    train = ("pairs", ["first.jsonl", "more/a.jsonl", "more/b/c.jsonl"])
    assert choose("r", NAMES, None, "train", card) == train
    assert choose("r", NAMES, None, "test", card)[1] == ["second-1.jsonl", "second-2.jsonl"]
    assert choose("r", NAMES, "singles", "train", card) == ("singles", ["single/a.csv"])
    # What the card does not name is found by the names of files.
    assert choose("r", ("dev.csv", *NAMES), None, "validation", card) == ("default", ["dev.csv"])


def test_names_of_classes_stand_in_the_order_of_their_numbers():
    assert read_card(CARD).classes == {
        "pairs": {"label": ("negative", "positive")},
        "singles": {"label": ("bad", "10")},
    }


def test_one_subset_needs_no_name():
    info = "dataset_info: {features: [{name: y, dtype: {class_label: {names: {0: a, 1: b}}}}]}"
    card = read_card(f"---\n{info}\nconfigs: [{{data_files: {{test: x.csv}}}}]\n---\n")
    assert card == Card({"default": {"test": ["x.csv"]}}, None, {"default": {"y": ("a", "b")}})


@pytest.mark.parametrize(
    "text", ["", "# No header", "---\n: : [\n---\n", "---\n- a\n---\n", "---\nconfigs: 3\n---\n"]
)
def test_a_card_that_says_nothing_is_an_empty_one(text):
    assert read_card(text) == Card()
