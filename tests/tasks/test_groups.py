"""Columns that tell by their names what belongs together."""

import json
from collections import defaultdict

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.tasks import tested_on
from weak2strong.tasks.files import data_task, file_task
from weak2strong.tasks.splits import SPLITS, make_splits

COUNT = 120


def rows(**columns):
    """Rows with classes, and columns whose entries are made of the number of the row."""
    return [
        {"text": f"text {i}", "label": i % 2} | {name: of(i) for name, of in columns.items()}
        for i in range(COUNT)
    ]


def task_of(tmp_path, rows, name="d.jsonl", **options):
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file_task(path, DataOptions(near_duplicates=False, **options))


def splits_by(task, of):
    """The splits in which the items of each entry stand."""
    found, splits = defaultdict(set), make_splits(task)
    for split in SPLITS:
        for item in splits.items(split):
            found[of(item)].add(split)
    return found


def number(item):
    return int(item.text.split()[-1])


GROUPED = (
    "Rows with an equal entry in column {!r} stay in one split; --group-column none does without."
)


@pytest.mark.parametrize("name", ["group", "conversation_id", "Doc ID", "prompt-id", "passage_id"])
@pytest.mark.parametrize(
    "entry", [lambda i: i // 4, lambda i: f"c{i // 4}", lambda i: i // 4 + 0.0]
)
def test_repeated_entries_stay_in_one_split(tmp_path, name, entry):
    data = rows(**{name: entry})
    task = task_of(tmp_path, data)
    together = splits_by(task, lambda item: number(item) // 4)
    assert len(together) == 30
    assert all(len(splits) == 1 for splits in together.values())
    said = task.accounts[0].sentences()
    assert said == (
        f"Read as texts with classes: text from text; class from label; group from {name}.",
        GROUPED.format(name),
    )
    apart = task_of(tmp_path, data, group_column="none")
    assert any(len(s) > 1 for s in splits_by(apart, lambda item: number(item) // 4).values())
    assert "group" not in apart.accounts[0].read
    assert all(row.group is None for row in apart.rows)


def test_the_widest_group_that_can_be_split_is_taken(tmp_path):
    entries = {"question_id": lambda i: i // 2, "source_id": lambda i: i % 3}
    task = task_of(tmp_path, rows(**entries, passage_id=lambda i: i // 6))
    assert task.accounts[0].read["group"] == ("passage_id",)
    task = task_of(tmp_path, rows(**entries))
    assert task.accounts[0].read["group"] == ("question_id",)
    assert task.accounts[0].sentences()[1] == (
        "Column 'source_id' has 3 different entries, one of them in 40 rows, and is not taken for "
        "a group; --group-column source_id takes it."
    )


def test_a_name_that_stands_later_is_taken_where_its_groups_hold_the_others(tmp_path):
    """The names are in an order that fits most data, and the entries tell for sure."""
    task = task_of(tmp_path, rows(group=lambda i: i // 2, doc_id=lambda i: i // 6))
    assert task.accounts[0].read["group"] == ("doc_id",)
    # Across one another, neither is the wider.
    task = task_of(tmp_path, rows(group=lambda i: i // 4, doc_id=lambda i: (i + 2) // 4))
    assert task.accounts[0].read["group"] == ("group",)
    # A row without an entry would lose its group.
    task = task_of(tmp_path, rows(group=lambda i: i // 2, doc_id=lambda i: i // 6 if i else None))
    assert task.accounts[0].read["group"] == ("group",)


def test_a_column_of_lists_is_told(tmp_path):
    task = task_of(tmp_path, rows(doc_id=lambda i: [i // 4]))
    assert task.accounts[0].sentences()[1] == (
        "Column 'doc_id' has entries that are neither texts nor whole numbers, and is not taken "
        "for a group."
    )


@pytest.mark.parametrize(
    "entry", [lambda i: i, lambda i: "one", lambda i: i // 40, lambda i: None, lambda i: [i // 4]]
)
def test_entries_that_are_no_groups_are_not_taken(tmp_path, entry):
    task = task_of(tmp_path, rows(doc_id=entry))
    assert "group" not in task.accounts[0].read
    assert all(row.group is None for row in task.rows)


def test_a_row_without_an_entry_is_a_group_of_its_own(tmp_path):
    data = rows(doc_id=lambda i: i // 4 if i % 3 else None)
    task = task_of(tmp_path, data)
    assert task.cleaning.malformed == 0
    assert [row.group for row in task.rows[:4]] == [None, "0", "0", None]


def test_a_column_with_another_role_is_no_group(tmp_path):
    data = rows(question_id=lambda i: i // 4, doc_id=lambda i: i // 8)
    for row in data:
        row["doc_id"] = f"doc {row['doc_id']}"
    task = task_of(tmp_path, data, text_column=("text", "doc_id"))
    assert task.accounts[0].read["group"] == ("question_id",)


def test_entries_repeat_over_files_and_only_some_have_the_column():
    def lines(first, **columns):
        found = [row | {"text": f"{first} {row['text']}"} for row in rows(**columns)]
        return "".join(json.dumps(row) + "\n" for row in found).encode()

    files = {"a.jsonl": lines("a", doc_id=lambda i: i), "b.jsonl": lines("b")}
    assert "group" not in data_task(files, DataOptions(), "t", "s", "l").accounts[0].read
    files["c.jsonl"] = lines("c", doc_id=lambda i: i)
    options = DataOptions(near_duplicates=False)
    task = data_task(files, options, "t", "s", "l")
    assert sum(row.group is None for row in task.rows) == COUNT
    together = splits_by(task, lambda i: (i.text[0] == "b") or number(i))
    assert {len(s) for entry, s in together.items() if entry is not True} == {1}


def pairs(**columns):
    """Preferences of 30 prompts, four of each, and columns as for `rows`."""
    return [
        {"prompt": f"Which {i // 4}?", "chosen": f"good {i}", "rejected": f"bad {i}"}
        | {name: of(i) for name, of in columns.items()}
        for i in range(COUNT)
    ]


def test_preferences_of_one_prompt_stay_together_beside_groups(tmp_path):
    """Each second row of a prompt is in a group with rows of the next prompt."""
    task = task_of(tmp_path, pairs(session_id=lambda i: (i + 2) // 4 if i < 8 else i // 4))
    assert len({row.group for row in task.rows[:12]}) == 1
    by_prompt = splits_by(task, lambda item: item.text)
    assert all(len(splits) == 1 for splits in by_prompt.values())
    alone = task_of(tmp_path, pairs(prompt_id=lambda i: i // 2))
    by_prompt = splits_by(alone, lambda item: item.text)
    assert len(by_prompt) == 30
    assert all(len(splits) == 1 for splits in by_prompt.values())
    named = task_of(tmp_path, pairs(prompt_id=lambda i: i // 2), group_column="prompt_id")
    assert any(len(s) > 1 for s in splits_by(named, lambda item: item.text).values())


@pytest.mark.parametrize(("entry", "dropped"), [(lambda i: i // 4, 0), (lambda i: f"x{i // 4}", 4)])
def test_numbers_of_two_datasets_are_two_groups_and_names_are_one(tmp_path, entry, dropped):
    task = task_of(tmp_path, rows(doc_id=entry))
    other = [row | {"text": f"other {i}"} for i, row in enumerate(rows(doc_id=entry))]
    # The last group of one is the first of the other.
    tests = task_of(tmp_path, [r for r in other if r["doc_id"] == entry(0)] + [
        row | {"doc_id": f"more {row['doc_id']}"} for row in other[4:]
    ], "tests.jsonl")  # fmt: skip
    found = tested_on.tested_on(task, tests, DataOptions(near_duplicates=False))
    assert found.cleaning.across == dropped
    assert [account.sentences() for account in found.accounts] == [
        (
            f"{tmp_path}/{file}: Read as texts with classes: text from text; class from label; "
            "group from doc_id.",
            f"{tmp_path}/{file}: {GROUPED.format('doc_id')}",
        )
        for file in ("d.jsonl", "tests.jsonl")
    ]
