"""Sizes asked for come out, and what has to go is drawn by group and class."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.tasks.sizes import cut, least, shrunk
from weak2strong.tasks.splits import SPLITS, part
from weak2strong.tasks.task import Example, Item, Shares


def examples(counts, size=1):
    """As many examples of each class as counts say, in groups of a size."""
    return [
        Example(Item(f"{label}-{i}", f"g{label}-{i // size}", f"text {label} {i}"), label)
        for label, count in enumerate(counts)
        for i in range(count)
    ]


def parted(rows, asked, seed=0):
    kept, shares = cut(rows, asked)
    return kept, part(kept, shares, seed)


def all_four(train, validation, test):
    return {"weak_train": train, "strong_train": train, "validation": validation, "test": test}


@given(
    st.integers(2, 6),
    st.integers(1, 12),
    st.integers(1, 6),
    st.integers(1, 12),
    st.integers(0, 9),
    st.integers(0, 2),
)
def test_even_classes_come_out_exactly(classes, train, validation, test, spare, seed):
    asked = all_four(train * classes, validation * classes, test * classes)
    rows = examples([2 * train + validation + test + spare] * classes)
    kept, parts = parted(rows, asked, seed)
    assert {name: len(parts[name]) for name in SPLITS} == asked
    assert len(rows) - len(kept) == spare * classes
    for name in SPLITS:
        assert set(Counter(e.label for e in parts[name]).values()) == {asked[name] // classes}


def test_what_classes_cannot_share_evenly_is_rounded_down():
    _, parts = parted(examples([500] * 3), all_four(100, 50, 200))
    assert [len(parts[name]) for name in SPLITS] == [99, 99, 48, 198]


@given(st.lists(st.integers(60, 200), min_size=2, max_size=5, unique=True), st.integers(0, 2))
def test_uneven_classes_come_out_to_one_example_a_class(counts, seed):
    asked = all_four(30, 10, 25)
    kept, parts = parted(examples(counts), asked, seed)
    assert len(kept) == sum(asked.values())
    for name in SPLITS:
        assert abs(len(parts[name]) - asked[name]) < len(counts)
    share = Counter(e.label for e in kept)
    for label, count in enumerate(counts):
        assert abs(share[label] - len(kept) * count / sum(counts)) < 1


@pytest.mark.parametrize("size", [2, 5])
def test_groups_stay_whole_and_bend_the_sizes_by_less_than_one(size):
    rows = examples([400, 400], size)
    asked = all_four(100, 40, 60)
    kept, parts = parted(rows, asked)
    for name in SPLITS:
        assert abs(len(parts[name]) - asked[name]) < 2 * size
    sizes = Counter(e.item.group for e in kept)
    assert set(sizes.values()) == {size}


def test_mixed_groups_are_cut_too():
    rows = [Example(Item(f"e{i}", f"g{i // 2}", f"text {i}"), i % 2) for i in range(600)]
    kept, parts = parted(rows, all_four(100, 40, 60))
    assert len(kept) == 300
    for name, n in all_four(100, 40, 60).items():
        assert abs(len(parts[name]) - n) <= 2


def test_groups_are_kept_by_their_most_frequent_label_in_proportion():
    labels = [(0, 1, 1) if g % 2 else (0, 0, 1) for g in range(400)]
    rows = [
        Example(Item(f"e{g}-{i}", f"g{g}", f"text {g} {i}"), label)
        for g, group in enumerate(labels)
        for i, label in enumerate(group)
    ]
    kept, _ = cut(rows, all_four(90, 30, 60))
    assert Counter(e.label for e in kept) == {0: 135, 1: 135}


def test_splits_that_are_not_asked_for_share_the_rest_as_usual():
    kept, parts = parted(examples([1000, 1000]), {"weak_train": 200, "strong_train": 200})
    assert len(kept) == 2000
    assert [len(parts[name]) for name in SPLITS[:2]] == [200, 200]
    share = Shares().validation / (Shares().validation + Shares().test)
    assert len(parts["validation"]) == pytest.approx(1600 * share, abs=2)


def test_nothing_asked_changes_nothing():
    rows = examples([7, 9])
    assert cut(rows, {}) == (rows, Shares())


@given(st.randoms(use_true_random=False))
def test_the_order_of_examples_plays_no_part(rng):
    rows = examples([90, 70, 80], size=2)
    shuffled = rows.copy()
    rng.shuffle(shuffled)
    assert cut(shuffled, all_four(20, 10, 20)) == cut(rows, all_four(20, 10, 20))


def test_who_stays_is_drawn_and_not_the_first():
    kept, _ = cut(examples([500, 500]), all_four(50, 20, 30))
    numbers = [int(e.item.id.split("-")[1]) for e in kept]
    assert 200 < sum(numbers) / len(numbers) < 300


def test_least_counts_what_the_other_splits_need():
    assert least({}, 3) == 12
    assert least({"weak_train": 50, "strong_train": 50}, 2) == 104
    assert least(all_four(50, 10, 20), 2) == 130


def test_sizes_shrink_alike_and_only_where_they_must():
    asked = all_four(5000, 1000, 5000)
    assert shrunk(asked, 16_000, 2) == asked
    assert shrunk(asked, 1_600, 2) == all_four(500, 100, 500)
    some = {"weak_train": 300, "strong_train": 300}
    assert shrunk(some, 304, 2) == {"weak_train": 150, "strong_train": 150}, "two a class remain"


@given(st.integers(40, 400), st.integers(2, 4))
def test_what_is_shrunk_comes_out(count, classes):
    asked = shrunk(all_four(5000, 1000, 5000), count * classes, classes)
    rows = examples([count] * classes)
    assert sum(asked.values()) <= len(rows)
    _, parts = parted(rows, asked)
    for name, n in asked.items():
        assert len(parts[name]) == n - n % classes
