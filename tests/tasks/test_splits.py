"""Splits never share what they must not, whatever the rows look like and in whatever order."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.tasks.splits import (
    LEARNT,
    SPLITS,
    Splits,
    _clusters,
    balanced,
    digest,
    hold_out,
    make_splits,
    normalised,
    part,
    redrawn,
)
from weak2strong.tasks.task import Example, Item, Shares, Task


def example(id, group, text, label=0):
    return Example(Item(id, group, text), label)


def plain(n, classes=2):
    """Examples that share nothing."""
    return [example(f"e{i}", f"g{i}", f"text {i}", i % classes) for i in range(n)]


def task(examples, classes=("no", "yes")):
    return Task("toy", "classification", classes, "A toy?", "here", "CC0", lambda: examples)


def split_of(parts):
    return {e.item.id: name for name in SPLITS for e in parts[name]}


# Few groups and few texts in several spellings, so that groups often share a text.
TEXTS = ["Lyon", "lyon", " LYON ", "Lima  is", "lima is", "Oslo", "Rome", "Bonn", "Kiel"]
ROWS = st.lists(
    st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from(TEXTS), st.integers(0, 2)),
    min_size=1,
    max_size=40,
).map(lambda rows: [example(f"e{i}", *row) for i, row in enumerate(rows)])


@given(ROWS, st.integers(0, 3))
def test_no_example_is_lost_and_splits_share_no_group_and_no_text(examples, seed):
    parts = part(examples, Shares(), seed)
    assert sorted(e.item.id for p in parts.values() for e in p) == sorted(
        e.item.id for e in examples
    )
    for sees in (lambda e: e.item.group, lambda e: " ".join(e.item.text.lower().split())):
        where = {}
        for name in SPLITS:
            for e in parts[name]:
                assert where.setdefault(sees(e), name) == name


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(examples, rng):
    shuffled = examples.copy()
    rng.shuffle(shuffled)
    assert part(shuffled, Shares(), 0) == part(examples, Shares(), 0)


def test_groups_that_share_a_text_are_joined_through_others():
    # A chain: 0 and 1 share a text, 1 and 2 another one, ..., but 0 and 39 share nothing.
    chain = [example(f"c{i}{k}", f"chain {i}", f"link {i + k}") for i in range(40) for k in (0, 1)]
    for seed in range(5):
        where = split_of(part(chain + plain(400), Shares(), seed))
        assert len({where[e.item.id] for e in chain}) == 1


def test_without_shared_texts_the_chain_is_parted():
    apart = [example(f"c{i}{k}", f"chain {i}", f"{i} {k}") for i in range(40) for k in (0, 1)]
    assert len(set(split_of(part(apart, Shares(), 0)).values())) == 4


@pytest.mark.parametrize("n", [8, 100, 999])
@pytest.mark.parametrize("shares", [Shares(), Shares(0.4, 0.3, 0.1, 0.2)])
def test_every_class_is_parted_in_the_shares_to_within_one_example(n, shares):
    examples = plain(n, classes=3)
    parts = part(examples, shares, 1)
    for label, total in Counter(e.label for e in examples).items():
        for name in SPLITS:
            have = sum(e.label == label for e in parts[name])
            assert have - getattr(shares, name) * total < 1
            assert have - getattr(shares, name) * total > -3  # what is over elsewhere
    sizes = [len(parts[name]) / n for name in SPLITS]
    assert sizes == pytest.approx([getattr(shares, name) for name in SPLITS], abs=9 / n)


def test_large_groups_bend_the_shares_by_less_than_a_group():
    examples = [example(f"e{i}", f"g{i // 5}", f"text {i}") for i in range(500)]
    parts = part(examples, Shares(), 0)
    for name in SPLITS:
        assert len(parts[name]) - getattr(Shares(), name) * 500 < 5


def test_a_group_counts_for_its_most_frequent_class_and_the_first_of_two():
    """It is parted as if all of it were of that class, beside groups of one class each."""
    mixed = [(f"m{g}", (0, 0, 1)) for g in range(60)] + [(f"t{g}", (1, 0)) for g in range(60)]
    plain = [(f"p{g}", (g % 3 % 2,)) for g in range(90)]

    def rows(counted):
        return [
            example(f"{group}{i}", group, f"text {group} {i}", label if not counted else counts)
            for group, labels in mixed + plain
            for counts in [min(labels)]
            for i, label in enumerate(labels)
        ]

    assert split_of(part(rows(False), Shares(), 0)) == split_of(part(rows(True), Shares(), 0))


def test_a_seed_says_who_is_where():
    examples = plain(200)
    assert part(examples, Shares(), 3) == part(examples, Shares(), 3)
    first, second = (split_of(part(examples, Shares(), seed)) for seed in (3, 4))
    # Independent draws agree on a row with probability 2 * .325^2 + .1^2 + .25^2 = .28.
    assert 0.1 < sum(first[i] == second[i] for i in first) / 200 < 0.5


GOLDEN = {
    "weak_train": ["e1", "e11", "e4", "e8"],
    "strong_train": ["e10", "e2", "e5", "e7"],
    "validation": ["e0", "e3"],
    "test": ["e6", "e9"],
}


@given(ROWS, st.integers(0, 3), st.randoms())
def test_redrawn_splits_keep_the_test_lose_nothing_and_share_no_text(examples, seed, rng):
    before = Splits(**{name: tuple(p) for name, p in part(examples, Shares(), 0).items()})
    try:
        found = redrawn(task(examples, ()), before, seed)
    except UserError:
        return
    assert found.test == before.test
    every = [e for name in SPLITS for e in found.examples(name)]
    assert sorted(e.item.id for e in every) == sorted(e.item.id for e in examples)
    where = {}
    for name in SPLITS:
        for e in found.examples(name):
            assert where.setdefault(e.item.group, name) == name
            assert where.setdefault(f"text {normalised(e.item.text)}", name) == name
    mixed = {n: tuple(rng.sample(before.examples(n), len(before.examples(n)))) for n in LEARNT}
    assert redrawn(task(examples, ()), Splits(**mixed, test=before.test), seed) == found


@pytest.mark.parametrize("seed", range(3))
def test_redrawn_splits_have_as_many_of_every_class_in_another_order(seed):
    made = task(plain(97, 3), ("a", "b", "c"))
    before = make_splits(made)
    found = redrawn(made, before, seed)
    for name in LEARNT:
        counts = [Counter(e.label for e in s.examples(name)) for s in (before, found)]
        assert counts[0] == counts[1]
        assert before.examples(name) != found.examples(name)


def test_every_example_is_as_likely_to_be_anywhere_once_redrawn():
    """Over many seeds, an example is in each split as often as that split has a share."""
    made = task(plain(40))
    before = make_splits(made)
    draws = [redrawn(made, before, seed) for seed in range(400)]
    pool = [e.item.id for name in LEARNT for e in before.examples(name)]
    for name in LEARNT:
        share = len(before.examples(name)) / len(pool)
        often = Counter(e.item.id for splits in draws for e in splits.examples(name))
        for id in pool:
            assert abs(often[id] / len(draws) - share) < 4.5 * (share * (1 - share) / 400) ** 0.5


def test_splits_are_the_same_on_every_machine():
    made = make_splits(task(plain(12)), seed=0)
    assert {name: [e.item.id for e in made.examples(name)] for name in SPLITS} == GOLDEN


def test_of_groups_that_are_joined_the_first_name_decides_on_every_machine():
    """The draw of another name would give a stored study other splits."""
    pairs = [example(f"e{i}", f"g{i}", f"text {i // 2}", i // 2 % 2) for i in range(24)]
    parts = part(pairs, Shares(), 0)
    assert {name: {int(e.item.id[1:]) // 2 for e in parts[name]} for name in SPLITS} == {
        "weak_train": {0, 1, 5, 8},
        "strong_train": {3, 4, 6, 9},
        "validation": {10, 11},
        "test": {2, 7},
    }
    _, held = hold_out(pairs, 0.25, 0)
    assert {int(e.item.id[1:]) // 2 for e in held} == {2, 5, 11}
    # As if only the first of each pair were there.
    alone = part(pairs[::2], Shares(), 0)
    assert {e.item.id for e in alone["test"]} <= {e.item.id for e in parts["test"]}


def test_made_splits_are_sorted_by_id_and_show_items_without_labels():
    examples = plain(60)
    random.Random(0).shuffle(examples)
    made = make_splits(task(examples))
    for name in SPLITS:
        ids = [e.item.id for e in made.examples(name)]
        assert ids == sorted(ids)
        assert made.items(name) == tuple(e.item for e in made.examples(name))


def test_bad_tasks_are_refused_in_sentences():
    with pytest.raises(UserError, match=r"Task toy: id 'e1' occurs more than once\."):
        make_splits(task([*plain(40), example("e1", "other", "other")]))
    with pytest.raises(UserError, match=r"split weak_train has no example of class 'yes'.*more"):
        make_splits(task([e for e in plain(40) if e.label == 0]))
    with pytest.raises(UserError, match="has no example of class"):
        make_splits(task(plain(4)))
    with pytest.raises(UserError, match="has no example of class 'no'"):
        make_splits(task([]))


@given(ROWS, st.floats(0, 1), st.integers(0, 3))
def test_held_out_groups_are_whole_and_as_many_as_asked(examples, share, seed):
    train, held = hold_out(examples, share, seed)
    assert sorted(train + held, key=examples.index) == examples
    ours, theirs = ({e.item.group for e in rows} for rows in (train, held))
    assert not ours & theirs
    whole, taken = len(_clusters(examples)), len(_clusters(held))
    assert abs(taken - share * whole) <= 0.5 or taken == 1
    backwards = hold_out(examples[::-1], share, seed)
    assert backwards == (train[::-1], held[::-1])


def test_another_seed_holds_out_others():
    one, two = (hold_out(plain(200), 0.1, seed)[1] for seed in (0, 1))
    assert len(one) == len(two) == 20
    assert one != two


def test_held_out_texts_are_not_trained_on():
    examples = [example(f"e{i}", f"g{i}", f"text {i // 2}") for i in range(200)]
    train, held = hold_out(examples, 0.5, 0)
    assert not {e.item.text for e in train} & {e.item.text for e in held}


@pytest.mark.parametrize("n", [2, 4, 5])
def test_something_is_held_out_of_the_smallest_training_set(n):
    train, held = hold_out(plain(n), 0.1, 0)
    assert len(held) == 1
    assert len(train) == n - 1


@given(ROWS, st.integers(0, 3), st.randoms(use_true_random=False))
def test_balancing_keeps_the_rarest_class_and_as_many_of_the_others(examples, seed, rng):
    kept = balanced(examples, seed)
    before, after = (Counter(e.label for e in rows) for rows in (examples, kept))
    assert after == dict.fromkeys(before, min(before.values()))
    assert len({e.item.id for e in kept}) == len(kept)
    assert {e.item.id for e in kept} <= {e.item.id for e in examples}
    shuffled = examples.copy()
    rng.shuffle(shuffled)
    assert balanced(shuffled, seed) == kept


def test_balancing_draws_by_the_seed():
    examples = [e if int(e.item.id[1:]) < 20 else Example(e.item, 0) for e in plain(200)]
    one, two = ({e.item.id for e in balanced(examples, seed)} for seed in (0, 1))
    assert len(one) == len(two) == 20
    assert one != two


@given(ROWS, st.integers(0, 3), st.integers(0, 20), st.randoms(use_true_random=False))
def test_balancing_keeps_no_more_than_asked_of_the_same_examples(examples, seed, most, rng):
    whole, kept = balanced(examples, seed), balanced(examples, seed, most)
    before, after = (Counter(e.label for e in rows) for rows in (whole, kept))
    assert after == {label: min(n, most) for label, n in before.items() if most}
    # A lower limit takes away, and puts nothing else in the place.
    for label in before:
        first = [e for e in whole if e.label == label][:most]
        assert [e for e in kept if e.label == label] == first
    shuffled = examples.copy()
    rng.shuffle(shuffled)
    assert balanced(shuffled, seed, most) == kept


def test_a_limit_above_the_rarest_class_changes_nothing():
    examples = [e if int(e.item.id[1:]) < 20 else Example(e.item, 0) for e in plain(200)]
    assert balanced(examples, 0, 10) == balanced(examples, 0) == balanced(examples, 0, 11)
    assert len(balanced(examples, 0, 9)) == 18


def test_a_digest_sees_every_field_and_the_order():
    rows = plain(4)
    changed = [
        rows[::-1],
        rows[:-1],
        [*rows[:-1], example("x", "g3", "text 3", 1)],
        [*rows[:-1], example("e3", "x", "text 3", 1)],
        [*rows[:-1], example("e3", "g3", "x", 1)],
        [*rows[:-1], example("e3", "g3", "text 3", 0)],
        [*rows[:-1], example("e3g", "3", "text 3", 1)],
        [e.item for e in rows],
        [],
    ]
    digests = {digest(x) for x in [rows, *changed]}
    assert len(digests) == len(changed) + 1
    assert digest(iter(rows)) == digest(plain(4))


@given(st.lists(st.text(alphabet='ab",[]\\\x1f', max_size=3), min_size=6, max_size=6))
def test_texts_that_look_like_borders_make_no_collision(parts):
    a, b, c, d, e, f = parts
    one, two = [Item(a, b, c), Item(d, e, f)], [Item(a, b, c + d), Item("", e, f)]
    assert (digest(one) == digest(two)) == (one == two)


@pytest.mark.parametrize(
    ("text", "same"),
    [("Lyon is", "  lyon\t\nIS "), ("STRASSE", "straße"), ("a b", "a\u00a0b")],
)
def test_case_and_spacing_do_not_make_a_text_another(text, same):
    assert normalised(text) == normalised(same)
    assert normalised(text) != normalised(text + "x")
    assert normalised("a b") != normalised("ab")
