"""From rows to examples: what is left out, what is grouped, and that nothing else plays a part."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.tasks.cleaning import Cleaning, clean
from weak2strong.tasks.duplicates import near_duplicates
from weak2strong.tasks.rows import Row
from weak2strong.tasks.splits import SPLITS, normalised, part

CLASSES = ("no", "yes")


def row(text, label=0, group=None, id=None):
    return Row("d.csv", 1, text, label, group, id)


def plain(n, classes=2):
    """Rows that share nothing, each class as often."""
    return [row(f"Number {i}", i % classes) for i in range(n)]


def cleaned(rows, classes=CLASSES, sizes=None, balance=False, join=False):
    return clean(rows, classes, "d.csv", sizes or {}, balance, join)


def test_plain_rows_are_examples_each_a_group_of_its_own():
    rows = plain(20)
    examples, _, cleaning = cleaned(rows, balance=True, join=True)
    assert {(e.item.text, e.label) for e in examples} == {(r.text, r.label) for r in rows}
    assert len({e.item.group for e in examples}) == len({e.item.id for e in examples}) == 20
    assert [e.item.id for e in examples] == sorted(e.item.id for e in examples)
    assert cleaning == Cleaning(20, 0, 0, 0, 0, 0, 0, 20)
    assert cleaning.sentences() == ("20 of 20 rows are used.",)


def test_ids_and_groups_are_the_users_where_there_are_some():
    rows = [row(f"Number {i}", i % 2, f"g{i // 4}", f"id {i}") for i in range(20)]
    examples, _, _ = cleaned(rows)
    assert {(e.item.id, e.item.group, e.item.text) for e in examples} == {
        (r.id, r.group, r.text) for r in rows
    }


def test_an_id_made_from_the_text_does_not_depend_on_the_other_rows_or_options():
    few, _, _ = cleaned(plain(8))
    many, _, _ = cleaned([*plain(50), row("number  3", 1)], balance=True, join=True)
    found = {e.item.text: e.item.id for e in many}
    assert all(found[e.item.text] == e.item.id for e in few if "3" not in e.item.text)
    grouped, _, _ = cleaned([row(r.text, r.label, "g") for r in plain(8)])
    assert not {e.item.id for e in few} & {e.item.id for e in grouped}


def test_repeats_are_kept_once_and_contradictions_not_at_all():
    repeats = [row("number 4", 0), row(" NUMBER  4", 0)]
    examples, _, cleaning = cleaned([*plain(20), *repeats, row("number 5", 0)])
    texts = [normalised(e.item.text) for e in examples]
    assert texts.count("number 4") == 1
    assert "number 5" not in texts
    assert (cleaning.read, cleaning.exact, cleaning.contradictory, cleaning.kept) == (23, 2, 2, 19)


# Few words, so that rows repeat, contradict and resemble one another.
WORDS = [" ".join(f"w{i}" for i in range(30)), " ".join(f"w{i}" for i in range(1, 31)), "Lyon"]
ROWS = st.lists(
    st.tuples(st.sampled_from([*WORDS, "lyon", "Lima", "Oslo"]), st.integers(0, 1)),
    max_size=12,
).flatmap(
    lambda some: st.tuples(
        st.just(some), st.lists(st.sampled_from("abc"), min_size=len(some), max_size=len(some))
    )
)


@given(ROWS, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(drawn, grouped, rng):
    some, groups = drawn
    rows = [
        row(text, label, group if grouped else None)
        for (text, label), group in zip(some, groups, strict=True)
    ]
    rows += [row(r.text, r.label, r.text if grouped else None) for r in plain(40)]
    shuffled = rows.copy()
    rng.shuffle(shuffled)
    sizes = {"weak_train": 6, "strong_train": 6, "validation": 4, "test": 6}
    options = {"sizes": sizes, "balance": True, "join": True}
    assert cleaned(shuffled, **options) == cleaned(rows, **options)


def noisy(rng, count):
    """Long texts, half of them with one or two near-duplicates of either label."""
    rows = []
    for _ in range(count):
        words = rng.choices([f"w{i}" for i in range(2000)], k=60)
        for at in rng.sample(range(60), rng.choice([1, 1, 2, 3])):
            copy = words.copy()
            copy[at] = "changed"
            rows.append(row(" ".join(copy), rng.randrange(2)))
    return rows


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [{}, dict.fromkeys(SPLITS, 20)])
def test_near_duplicates_never_straddle_splits(seed, sizes):
    rows = noisy(random.Random(seed), 100)
    examples, shares, cleaning = cleaned(rows, sizes=sizes, balance=True, join=True)
    parts = part(examples, shares, seed)
    where = {e.item.text: name for name in SPLITS for e in parts[name]}
    texts = sorted(where)
    families = near_duplicates(texts)
    assert len(families) > 10
    for family in families:
        assert len({where[texts[i]] for i in family}) == 1
    found = near_duplicates([r.text for r in rows])
    assert cleaning.near == sum(map(len, found))
    assert cleaning.largest == max(map(len, found))


def test_without_joining_they_do():
    examples, shares, cleaning = cleaned(noisy(random.Random(0), 100), balance=True)
    parts = part(examples, shares, 0)
    where = {e.item.text: name for name in SPLITS for e in parts[name]}
    texts = sorted(where)
    assert any(len({where[texts[i]] for i in family}) > 1 for family in near_duplicates(texts))
    assert cleaning.near == cleaning.largest == 0


def test_near_duplicates_link_the_groups_of_a_user():
    words = [f"w{i}" for i in range(60)]
    near = [" ".join([*words[:i], "changed", *words[i + 1 :]]) for i in (10, 50)]
    rows = [row(near[0], 0, "b"), row(near[1], 1, "a"), row("other", 1, "b"), row("more", 0, "c")]
    rows += [row(r.text, r.label, r.text) for r in plain(40)]
    examples, _, cleaning = cleaned(rows, join=True)
    group = {e.item.text: e.item.group for e in examples}
    assert [group[t] for t in (*near, "other", "more")] == ["a", "a", "a", "c"]
    assert (cleaning.near, cleaning.largest) == (2, 2)
    assert cleaned(rows[::-1], join=True)[0] == examples


def test_classes_are_made_even():
    rows = [row(f"Number {i}", int(i % 5 == 0)) for i in range(100)]
    examples, _, cleaning = cleaned(rows, balance=True)
    assert Counter(e.label for e in examples) == {0: 20, 1: 20}
    assert (cleaning.uneven, cleaning.kept) == (60, 40)
    assert len(cleaned(rows)[0]) == 100


def test_sizes_asked_for_come_out_of_three_classes():
    sizes = {"weak_train": 30, "strong_train": 30, "validation": 12, "test": 21}
    rows = plain(200, classes=3)
    examples, shares, cleaning = cleaned(rows, ("a", "b", "c"), sizes, True, True)
    assert {name: len(p) for name, p in part(examples, shares, 5).items()} == sizes
    assert (cleaning.uneven, cleaning.spare, cleaning.kept) == (2, 105, 93)


def test_what_was_left_out_is_said():
    cleaning = Cleaning(1300, 20, 10, 100, 90, 40, 30, 1200)
    assert cleaning.sentences() == (
        "1,200 of 1,300 rows are used.",
        "Left out as repeats of another row: 20.",
        "Left out since other rows have the same content and another label: 10.",
        "Left out to make the classes even: 40.",
        "Left out for the sizes asked for: 30.",
        "Kept in one split with their near-duplicates: 100.",
        "90 rows are one family of near-duplicates: if they only share a template, "
        "take it out of the texts or use --no-near-duplicates.",
    )
    assert len(Cleaning(1000, 0, 0, 100, 50, 0, 0, 1000).sentences()) == 2


def test_a_class_that_is_left_with_too_little_is_named():
    rows = [row(f"Number {i}", 0) for i in range(50)] + [row(f"Word {i}", 1) for i in range(3)]
    with pytest.raises(
        UserError, match=r"^Class 'yes' of d\.csv, one of 2, has too few .* \(3\) f"
    ):
        cleaned(rows)
    contradicted = [row(f"Word {i}", 0) for i in range(3)]
    with pytest.raises(UserError, match=r"^Class 'yes' of .* \(0\) for the 4 splits: add ex"):
        cleaned([*rows, *contradicted])


def test_a_family_that_no_split_can_hold_is_refused():
    page = " ".join(f"w{i}" for i in range(100))
    rows = [row(f"{page} Number {i}", i % 2) for i in range(20)]
    with pytest.raises(UserError, match=r"d\.csv has 20 of 40 texts in one family of near-dup"):
        cleaned([*rows, *plain(20)], join=True)
    assert len(cleaned([*rows, *plain(20)])[0]) == 40


def test_too_few_examples_for_the_sizes_are_counted():
    sizes = {"weak_train": 40, "strong_train": 40}
    with pytest.raises(UserError) as caught:
        cleaned([*plain(80), row("one more")], sizes=sizes, balance=True)
    assert str(caught.value) == (
        "d.csv has 80 examples of even classes, and the splits asked for need 84: "
        "lower --n-train, --n-validation or --n-test, or add examples."
    )
    with pytest.raises(UserError, match="has 81 examples, and the splits asked for need 84"):
        cleaned([*plain(80), row("one more")], sizes=sizes)
    assert len(cleaned(plain(84), sizes=sizes)[0]) == 84


def test_a_split_has_room_for_every_class():
    with pytest.raises(UserError, match=r"A test of 1 is too small for the 2 classes of d\.csv"):
        cleaned(plain(80), sizes={"test": 1})


def test_a_split_that_shrinks_to_less_than_its_classes_is_told_as_that():
    sizes = {"weak_train": 5000, "strong_train": 5000, "validation": 100, "test": 500}
    with pytest.raises(UserError) as caught:
        clean(plain(80), CLASSES, "d.csv", sizes, False, False, shrink=True)
    assert str(caught.value) == (
        "d.csv has 80 examples to use, too few for the sizes asked for, and with all of them "
        "smaller alike (--shrink) a validation of 100 would have 0: add examples, or ask for less "
        "of the others."
    )
