"""Long beginnings that texts share: found, counted across splits, and kept together if asked."""

import json
import random

import pytest

from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.tasks.beginnings import LONG, Beginnings, sharing
from weak2strong.tasks.files import file_task
from weak2strong.tasks.parts import parted_task
from weak2strong.tasks.splits import SPLITS, make_splits

WORDS = "abcdefghijklmnopqrstuvwxyz"


def passage(number, words=30):
    dice = random.Random(number)
    return " ".join("".join(dice.choices(WORDS, k=5)) for _ in range(words))


def questions(passages, each, template=""):
    """Questions on passages, with labels that go with nothing."""
    return [
        {"text": f"{template}{passage(p)} Is it {passage(1000 + p * each + q, 2)}?", "label": q % 2}
        for p in range(passages)
        for q in range(each)
    ]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_texts_with_a_long_beginning_in_common_are_found():
    start = "x" * LONG
    texts = [
        "short",
        f"{start} one",
        "short",
        f"{start.upper()}  two",
        "y" * (LONG - 1),
        "y" * LONG,
    ]
    assert sharing(texts) == [[1, 3]]
    assert sharing([]) == []
    assert sharing(texts[::-1]) == [[2, 4]]


@pytest.mark.parametrize("length", [30, LONG, 3 * LONG, 5 * LONG + 7])
def test_a_template_is_no_beginning(length):
    template = "t" * length
    rows = questions(40, 3, template)
    assert sharing([row["text"] for row in rows]) == [
        [3 * p, 3 * p + 1, 3 * p + 2] for p in range(40)
    ]
    # Nor is it one where texts have nothing else in common.
    assert sharing([f"{template} {passage(p)}" for p in range(120)]) == []
    assert sharing([template] * 120) == []


def spans(task):
    splits = make_splits(task)
    where = {}
    for split in SPLITS:
        for item in splits.items(split):
            where.setdefault(item.text[:LONG], set()).add(split)
    return sum(len(of) > 1 for of in where.values()), Beginnings.of(splits)


def test_beginnings_in_several_splits_are_counted_and_kept_together_if_asked(tmp_path):
    path = write(tmp_path / "d.jsonl", questions(50, 4))
    several, found = spans(file_task(path, DataOptions(near_duplicates=False)))
    assert several == found.spanning > 30
    assert found.texts == 4 * found.spanning
    assert "--group-beginnings" in found.sentences()[0]
    task = file_task(path, DataOptions(near_duplicates=False, group_beginnings=True))
    assert spans(task) == (0, Beginnings(0, 0))
    assert Beginnings(0, 0).sentences() == ()
    assert task.cleaning.begun == 200
    assert "Kept in one split by their long beginnings: 200." in task.cleaning.sentences()


def test_three_files_keep_a_beginning_in_one_of_them_if_asked(tmp_path):
    rows = questions(60, 3)
    parts = [rows[:60], rows[60:119], rows[119:]]
    files = [write(tmp_path / f"{n}.jsonl", part) for n, part in enumerate(parts)]
    options = DataOptions(near_duplicates=False, balance=False)
    assert parted_task(files, options).cleaning.across == 0
    asked = DataOptions(near_duplicates=False, balance=False, group_beginnings=True)
    # Of the passage that the second and the third file share, the third keeps its only row.
    cleaning = parted_task(files, asked).cleaning
    assert (cleaning.across, cleaning.begun) == (2, 177)


def test_the_split_table_says_so_where_no_group_is_given(tmp_path, capsys):
    rows = [row | {"who": f"g{i}"} for i, row in enumerate(questions(50, 4))]
    path = str(write(tmp_path / "d.jsonl", rows))
    for more, said in (
        ([], True),
        (["--group-column", "who"], False),
        (["--group-beginnings"], False),
    ):
        assert main(["tasks", path, "--no-near-duplicates", *more]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert ("beginnings of 80 characters or more stand in several splits" in out) == said
