"""Both sides of preferences are even, and no row is left out for that."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weak2strong.config.data import DataOptions
from weak2strong.tasks.files import file_task
from weak2strong.tasks.parts import parted_task
from weak2strong.tasks.sides import even_sides, turns
from weak2strong.tasks.texts import read_texts

from .test_pairs import preferences, write

PAIRS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["x", "X ", "y", "z"]), st.integers(0, 1)),
    max_size=30,
).map(lambda rows: [((p, c, "w"), label) for p, c, label in rows])


def clear(pairs, turned):
    """The label of each pair that has one, once some are turned."""
    said = {}
    for (key, label), turn in zip(pairs, turned, strict=True):
        said.setdefault(tuple(" ".join(k.lower().split()) for k in key), set()).add(label ^ turn)
    return {key: min(labels) for key, labels in said.items() if len(labels) == 1}


def turned_of(pairs):
    return turns([p for p, _ in pairs], [label for _, label in pairs])


@settings(deadline=None, max_examples=30)
@given(PAIRS, st.integers(0, 10))
def test_labels_are_even_whatever_the_order_and_as_few_pairs_are_turned_as_it_takes(pairs, seed):
    turned = turned_of(pairs)
    before, after = clear(pairs, [False] * len(pairs)), clear(pairs, turned)
    counts = [Counter(labels.values()) for labels in (before, after)]
    assert abs(counts[1][0] - counts[1][1]) <= 1
    differing = [key for key in before if before[key] != after[key]]
    assert len(differing) == abs(counts[0][0] - counts[0][1]) // 2
    shuffled = random.Random(seed).sample(range(len(pairs)), len(pairs))
    assert turned_of([pairs[i] for i in shuffled]) == [turned[i] for i in shuffled]


def test_every_row_of_a_file_is_kept_and_half_of_the_labels_are_first(tmp_path):
    task = file_task(write(tmp_path / "d.jsonl", preferences(301)), DataOptions())
    assert (task.cleaning.kept, task.cleaning.uneven) == (301, 0)
    assert sorted(Counter(e.label for e in task.load()).values()) == [150, 151]
    for e in task.load():
        number = int(e.item.text.removeprefix("What is ").removesuffix("?"))
        assert e.item.completions[e.label] == f" It is {number}."
    # Where sides are even, sizes are exact.
    options = DataOptions(n_train=100, n_validation=20, n_test=40)
    assert file_task(tmp_path / "d.jsonl", options).cleaning.kept == 260


def test_chats_are_turned_with_their_completions(tmp_path):
    asked = [{"role": "user", "content": f"{i}?"} for i in range(61)]
    sides = [[{"role": "assistant", "content": text}] for text in ("Right.", "Wrong.")]
    rows = [{"prompt": [turn], "chosen": sides[0], "rejected": sides[1]} for turn in asked]
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(near_duplicates=False))
    assert sorted(Counter(e.label for e in task.load()).values()) == [30, 31]
    for e in task.load():
        assert e.item.dialogues[e.label][-1] == ("assistant", "Right.")


def test_rows_that_are_no_pairs_stay(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "".join(f"t{i},{'ab'[i % 3 == 0]}\n" for i in range(60)))
    task = file_task(path, DataOptions())
    assert even_sides(task.rows) == list(task.rows)
    assert task.cleaning.uneven == 20


@pytest.mark.parametrize("own", [False, True])
def test_what_answers_the_file_has_its_pairs_in_the_order_of_the_study(tmp_path, own):
    rows = [row | ({"id": f"r{i}"} if own else {}) for i, row in enumerate(preferences(151))]
    path = write(tmp_path / "d.jsonl", rows)
    task = file_task(path, DataOptions(id_column="id" if own else None))
    texts = read_texts(path, "preference", task.classes)
    answered = {
        item.id: (item, label) for item, label in zip(texts.items, texts.labels, strict=True)
    }
    for e in task.load():
        item, label = answered[e.item.id]
        assert (item.completions, label) == (e.item.completions, e.label)


def test_three_files_lose_no_pair_for_evenness(tmp_path):
    files = [write(tmp_path / f"{n}.jsonl", preferences(61, 61 * n)) for n in range(3)]
    task = parted_task(files, DataOptions())
    assert task.cleaning.kept == 183
    assert sorted(Counter(e.label for e in task.load()).values()) == [91, 92]
