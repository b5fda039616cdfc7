"""Rows with lists of completions become a preference for each right and each wrong one."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task
from weak2strong.tasks.several import Tie, tie_of
from weak2strong.tasks.splits import SPLITS, make_splits
from weak2strong.tasks.texts import read_texts


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def benchmark(n, chat=False, prompt=True):
    def said(text):
        return [{"role": "assistant", "content": text}] if chat else text

    for i in range(n):
        row = {"chosen": [said(f"good {i}.{k}") for k in range(1 + i % 3)]}
        row |= {"rejected": [said(f"bad {i}.{k}") for k in range(3)], "subset": "abc"[i % 3]}
        yield row | ({"prompt": f"Question {i}"} if prompt else {})


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("prompt", [False, True])
def test_a_row_becomes_each_pair_of_a_right_and_a_wrong_one(tmp_path, chat, prompt):
    path = write(tmp_path / "d.jsonl", benchmark(30, chat, prompt))
    task = file_task(path, DataOptions(near_duplicates=False))
    pairs = {}
    for e in task.load():
        right, wrong = (e.item.completions[side] for side in (e.label, 1 - e.label))
        number = int(right.rpartition("good ")[2].partition(".")[0])
        assert f"bad {number}." in wrong
        assert e.subset == "abc"[number % 3]
        pairs.setdefault(number, []).append((right, wrong, e.question, e.item.group))
    for number, of in pairs.items():
        assert len({pair[:2] for pair in of}) == 3 * (1 + number % 3) == len(of)
        assert len({pair[2:] for pair in of}) == 1
    assert len({of[0][2] for of in pairs.values()}) == 30
    splits = make_splits(task)
    where = {}
    for split in SPLITS:
        for e in splits.examples(split):
            where.setdefault(e.question, set()).add(split)
    assert {len(of) for of in where.values()} == {1}


def test_one_completion_may_stand_alone_and_ids_tell_the_pairs_of_a_row_apart(tmp_path):
    rows = [row | {"chosen": row["chosen"][0], "id": i} for i, row in enumerate(benchmark(20))]
    path = write(tmp_path / "d.jsonl", rows)
    task = file_task(path, DataOptions(id_column="id", near_duplicates=False))
    assert {e.item.id for e in task.load()} == {f"{i}/0-{k}" for i in range(20) for k in range(3)}
    answered = read_texts(path, "preference", task.classes)
    assert {item.id for item in answered.items} == {e.item.id for e in task.load()}


def test_pairs_of_texts_and_chats_ask_alone(tmp_path):
    rows = [{"prompt": f"Q{i}", "chosen": "yes", "rejected": "no"} for i in range(20)]
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(near_duplicates=False))
    assert {(e.question, e.subset) for e in task.load()} == {(None, None)}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"chosen": ["a"], "rejected": []}, "row 1 has no completion in column 'rejected'"),
        ({"chosen": ["a"], "rejected": None}, "row 1 has in column 'rejected' nothing"),
        ({"chosen": ["a", None], "rejected": ["b"]}, "row 1 has in column 'chosen' a message"),
    ],
)
def test_a_row_without_a_right_or_a_wrong_one_is_named(tmp_path, row, sentence):
    with pytest.raises(UserError, match=sentence):
        file_task(write(tmp_path / "d.jsonl", [row]), DataOptions())


def test_ids_of_ties_name_the_question_and_the_right_completion(tmp_path):
    rows = [
        row | {"id": f"{('ref', 'tied')[i % 2]}:{i // 2}", "subset": "Ties" if i < 20 else "Math"}
        for i, row in enumerate(benchmark(30))
    ]
    rows[0]["id"] = "another"
    task = file_task(write(tmp_path / "d.jsonl", rows), DataOptions(near_duplicates=False))
    for e in task.load():
        number, right = e.item.completions[e.label].rpartition("good ")[2].split(".")
        if 0 < int(number) < 20:
            assert e.question == f"{rows[int(number)]['id']}/{right}"
            assert tie_of(e.question) == Tie(("ref", "tied")[int(number) % 2], int(number) // 2,
                                             int(right))  # fmt: skip
        else:
            assert tie_of(e.question) is None
