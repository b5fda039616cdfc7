"""The table of splits says what a count over their examples says."""

import pytest

from weak2strong.tasks.splits import SPLITS, Splits
from weak2strong.tasks.table import split_table
from weak2strong.tasks.task import Example, Item


def made(*rows):
    return tuple(Example(Item(f"{g}{i}", g, t), y) for i, (g, t, y) in enumerate(rows))


SPLIT = made(("a", "one", 0), ("a", "one two", 1), ("b", "one two three four", 1))
OTHER = made(("c", "one", 2))
EXAMPLES = Splits(SPLIT, OTHER, OTHER, ())


def words(items):
    return [len(text.split()) for item in items for text in item.texts]


def test_a_row_a_split_with_what_it_holds():
    rows = split_table(EXAMPLES, ("no", "yes", "both"), words, longest=2)
    assert [row["split"] for row in rows] == list(SPLITS)
    assert rows[0] == {
        "split": "weak_train",
        "examples": 3,
        "groups": 2,
        "classes": {"no": 1 / 3, "yes": 2 / 3, "both": 0},
        "median_tokens": 2,
        "longest_tokens": 4,
        "truncated": pytest.approx(1 / 3),
    }
    assert rows[1]["classes"] == {"no": 0, "yes": 0, "both": 1}


def test_what_cannot_be_known_is_none():
    first, *_, empty = split_table(EXAMPLES, ("no", "yes", "both"))
    assert (first["median_tokens"], first["longest_tokens"], first["truncated"]) == (None,) * 3
    assert empty["examples"] == empty["groups"] == 0
    assert set(empty["classes"].values()) == {None}
    unlimited = split_table(EXAMPLES, ("no", "yes", "both"), words)
    assert unlimited[0]["truncated"] is None
    assert unlimited[0]["longest_tokens"] == 4
    assert unlimited[3]["median_tokens"] is None
