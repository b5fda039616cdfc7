"""Preferences: an order that tells nothing, chats and texts, and rows of a user's own file."""

import json
import random
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task
from weak2strong.tasks.pairs import PREFERRED, Completion, chat_pair, dialogue_text, pair, read_pair
from weak2strong.tasks.parts import parted_task
from weak2strong.tasks.splits import SPLITS, digest, make_splits, normalised
from weak2strong.tasks.task import Item

ASKED = {"role": "user", "content": "Where is Lyon?"}
RIGHT = {"role": "assistant", "content": "In France."}
WRONG = {"role": "assistant", "content": "In Peru."}
PAIRS = [(f"Question {i}", f"good {i}", f"bad {i}") for i in range(400)]


def preferences(n, first=0):
    """Rows with prompts of their own."""
    return [
        {"prompt": f"What is {i}?", "chosen": f"It is {i}.", "rejected": f"It is {i + 1}."}
        for i in range(first, first + n)
    ]


def write(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        pl.DataFrame(rows).write_parquet(path)
    return path


def test_the_preferred_one_is_as_often_first_as_second():
    labels = [pair(p, Completion(c), Completion(r)).label for p, c, r in PAIRS]
    # Four standard deviations of a fair coin, though "bad" always sorts before "good".
    assert abs(np.sum(labels) - 200) < 40


def test_the_order_does_not_depend_on_which_one_is_preferred():
    for p, c, r in PAIRS:
        one, other = pair(p, Completion(c), Completion(r)), pair(p, Completion(r), Completion(c))
        assert one.completions == other.completions
        assert one.label == 1 - other.label
        assert one.completions[one.label] == c


def test_case_and_spacing_do_not_change_the_order():
    for p, c, r in PAIRS[:50]:
        one, other = (
            pair(p, Completion(c), Completion(r)),
            pair(f" {p}".upper(), Completion(f"{c} "), Completion(r.upper())),
        )
        assert one.label == other.label
        assert [*map(normalised, one.completions)] == [*map(normalised, other.completions)]


@pytest.mark.parametrize(
    ("prompt", "chosen", "text"),
    [
        ("Lyon is in", "France", "Lyon is in France"),
        ("Lyon is in", " France", "Lyon is in France"),
        ("Lyon is in\n", "France", "Lyon is in\nFrance"),
        ("", "France", "France"),
        (None, "France", "France"),
    ],
)
def test_a_completion_follows_its_prompt_after_a_space(prompt, chosen, text):
    found = read_pair(prompt, chosen, "Peru", "f, row 1")
    assert found.text + found.completions[found.label] == text
    assert found.dialogues == ()


@pytest.mark.parametrize(
    ("prompt", "chosen", "rejected"),
    [
        ([ASKED], [RIGHT], [WRONG]),
        ([ASKED], [ASKED, RIGHT], [ASKED, WRONG]),
        (None, [ASKED, RIGHT], [ASKED, WRONG]),
        ("Where is Lyon?", [ASKED, RIGHT], [ASKED, WRONG]),
        ("Where is Lyon?", [RIGHT], [WRONG]),
        ([ASKED], "In France.", "In Peru."),
    ],
)
def test_every_way_to_write_a_chat_gives_the_same_preference(prompt, chosen, rejected):
    found = read_pair(prompt, chosen, rejected, "f, row 1")
    assert found.text == "User: Where is Lyon?"
    assert found.completions[found.label] == "\n\nAssistant: In France."
    assert found.dialogues[found.label] == (
        ("user", "Where is Lyon?"),
        ("assistant", "In France."),
    )


def test_a_chat_that_ends_early_keeps_something_to_be_preferred():
    chat = (("user", "Hi"), ("assistant", "Yes?"))
    found = chat_pair(chat, (*chat, ("user", "No")))
    assert found.text == "User: Hi"
    for completion, dialogue in zip(found.completions, found.dialogues, strict=True):
        assert found.text + completion == dialogue_text(dialogue)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((None, "a", None), r"f, row 1 has in column 'rejected' nothing, which is neither text n"),
        ((None, 3, "b"), r"column 'chosen' 3, which is neither"),
        (([], [RIGHT], [WRONG]), r"column 'chosen' no message: fill it in"),
        ((None, [{"role": "user"}], [WRONG]), r"a message without role and content: write both"),
        (("p", "\ud83d", "b"), r"column 'chosen' half a character"),
    ],
)
def test_what_is_no_preference_is_refused_by_its_place(row, sentence):
    with pytest.raises(UserError, match=sentence):
        read_pair(*row, "f, row 1")


@pytest.mark.parametrize("name", ["d.jsonl", "d.csv", "d.parquet"])
def test_a_file_with_chosen_and_rejected_is_a_preference_task(tmp_path, name):
    task = file_task(write(tmp_path / name, preferences(300)), DataOptions())
    assert (task.kind, task.classes) == ("preference", PREFERRED)
    assert task.summary == "Which of two completions is preferred?"
    for e in task.load():
        number = int(e.item.text.removeprefix("What is ").removesuffix("?"))
        assert e.item.completions[e.label] == f" It is {number}."
    splits = make_splits(task)
    sizes = [len(splits.examples(s)) for s in SPLITS]
    assert sum(sizes) == task.cleaning.kept > 270
    assert len({e.item.group for s in SPLITS for e in splits.examples(s)}) == sum(sizes)


def test_chats_of_a_parquet_file_are_read(tmp_path):
    asked = [ASKED | {"content": f"{i}?"} for i in range(60)]
    rows = [{"chosen": [turn, RIGHT], "rejected": [turn, WRONG]} for turn in asked]
    task = file_task(write(tmp_path / "d.parquet", rows), DataOptions())
    assert {len(e.item.dialogues) for e in task.load()} == {2}


def test_texts_with_labels_stay_a_classification(tmp_path):
    rows = [row | {"text": f"number {i}", "label": i % 2} for i, row in enumerate(preferences(60))]
    assert file_task(write(tmp_path / "d.jsonl", rows), DataOptions()).kind == "classification"
    options = DataOptions(text_column="chosen", label_column="kind")
    rows = [row | {"kind": i % 2} for i, row in enumerate(preferences(60))]
    assert file_task(write(tmp_path / "e.jsonl", rows), options).kind == "classification"
    with pytest.raises(UserError, match="has no column 'other'"):
        file_task(tmp_path / "e.jsonl", DataOptions(text_column="other"))


def test_a_repeat_the_other_way_round_and_equal_completions_are_found(tmp_path):
    rows = preferences(100)
    turned = {"prompt": "What is 0?", "chosen": "It is 1.", "rejected": "It is 0."}
    rows += [turned, rows[1] | {"chosen": "IT is  1."}, rows[2]]
    rows += [{"prompt": "Which?", "chosen": "this", "rejected": " This"}]
    options = DataOptions(balance=False, near_duplicates=False)
    task = file_task(write(tmp_path / "d.jsonl", rows), options)
    assert (task.cleaning.exact, task.cleaning.contradictory, task.cleaning.alike) == (2, 2, 1)
    assert task.cleaning.kept == 99
    assert "Left out since both completions are the same: 1." in task.cleaning.sentences()


def test_near_duplicates_are_found_whichever_is_preferred(tmp_path):
    rows, dice = preferences(100), random.Random(0)
    words = [" ".join(dice.choices("abcdefghijklmnop", k=60)) for _ in range(4)]
    rows += [
        {"prompt": words[0], "chosen": words[1], "rejected": words[2]},
        {"prompt": f"{words[0]} x", "chosen": words[2], "rejected": words[1]},
        {"prompt": words[3], "chosen": words[1], "rejected": words[2]},
    ]
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(balance=False))
    assert task.cleaning.near == 2


def test_pairs_with_one_prompt_are_of_one_group_in_one_split(tmp_path):
    rows = [row | {"prompt": f"What is {i % 50}?"} for i, row in enumerate(preferences(200))]
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(near_duplicates=False))
    splits = make_splits(task)
    prompts = [{e.item.text for e in splits.examples(s)} for s in SPLITS]
    assert sum(map(len, prompts)) == len(set.union(*prompts)) == 50


def test_no_text_is_in_two_splits_though_the_groups_say_otherwise(tmp_path):
    rows = []
    for i in range(200):
        # The same prompt and answer stand in two groups, with other answers beside it.
        rows.append(
            {
                "prompt": f"What is {i // 2}?",
                "chosen": f"It is {i // 2}.",
                "rejected": f"No {i}.",
                "who": f"w{i}",
            }
        )
    path = write(tmp_path / "d.jsonl", rows)
    splits = make_splits(file_task(path, DataOptions(group_column="who", near_duplicates=False)))
    texts = [{t for e in splits.examples(s) for t in e.item.texts} for s in SPLITS]
    assert sum(map(len, texts)) == len(set.union(*texts))


def test_the_order_of_rows_changes_nothing(tmp_path):
    rows = preferences(120)
    one = file_task(write(tmp_path / "a.jsonl", rows), DataOptions())
    random.Random(0).shuffle(rows)
    assert digest(file_task(write(tmp_path / "b.jsonl", rows), DataOptions()).load()) == digest(
        one.load()
    )


def test_a_digest_sees_completions_and_chats():
    item = Item("a", "g", "p", ("x", "y"))
    chat = ((("user", "p"), ("assistant", "x")),)
    others = [replace(item, completions=("y", "x")), replace(item, dialogues=chat)]
    assert len({digest([i]) for i in (item, *others)}) == 3


def test_three_files_of_preferences_as_of_a_benchmark_to_test_on(tmp_path):
    files = [write(tmp_path / f"{n}.jsonl", preferences(60, 60 * n)) for n in range(2)]
    benchmark = [row | {"chosen_model": "m", "subset": "s"} for row in preferences(40, 110)]
    files.append(write(tmp_path / "b.parquet", benchmark))
    task = parted_task(files, DataOptions(balance=False))
    assert task.kind == "preference"
    splits = make_splits(task)
    assert len(splits.test) == 40
    # Rows 110 to 119 are in the second file too, and kept to test on.
    assert task.cleaning.across == 10


def test_preferences_and_classes_do_not_mix(tmp_path):
    files = [write(tmp_path / f"{n}.jsonl", preferences(60, 60 * n)) for n in range(2)]
    other = [{"text": f"t{i}", "label": i % 2} for i in range(40)]
    with pytest.raises(UserError, match=r"some hold preferences .* some texts with labels"):
        parted_task([*files, write(tmp_path / "c.jsonl", other)], DataOptions())
