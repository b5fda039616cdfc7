"""A user's file becomes a task like any other, with the sizes asked for."""

import hashlib
import json
import random
from pathlib import Path

import polars as pl
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task
from weak2strong.tasks.parts import parted_task
from weak2strong.tasks.splits import SPLITS, digest, make_splits


def rows(n, classes=2):
    return [{"text": f"Number {i}", "label": i % classes, "name": f"n{i}"} for i in range(n)]


def write(folder, data, name="data.jsonl"):
    path = folder / name
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in data))
    elif name.endswith(".csv"):
        pl.DataFrame(data).write_csv(path)
    else:
        pl.DataFrame(data).write_parquet(path)
    return path


def test_a_file_is_a_task(tmp_path):
    path = write(tmp_path, rows(300, classes=3), "my data (1).jsonl")
    task = file_task(path, DataOptions())
    assert task.name == "my-data-1"
    assert task.kind == "classification"
    assert task.classes == ("0", "1", "2")
    assert task.summary == "Which label is it: 0, 1, 2?"
    assert task.source == f"{path}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    assert task.licence == "the user's own"
    splits = make_splits(task)
    assert [len(splits.examples(name)) for name in SPLITS] == [99, 96, 30, 75]
    assert task.cleaning.kept == task.cleaning.read == 300


@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_every_format_gives_the_same_splits(tmp_path, name):
    options = DataOptions(id_column="name", group_column="part", balance=False)
    data = [row | {"label": f"l{i % 7}", "part": f"p{i % 9}"} for i, row in enumerate(rows(70))]
    tasks = [file_task(write(tmp_path, data, n), options) for n in ("data.jsonl", name)]
    assert digest(tasks[0].load()) == digest(tasks[1].load())


def test_the_order_of_rows_changes_no_split(tmp_path):
    data = rows(200)
    options = DataOptions(n_train=40, n_validation=10, n_test=20)
    first = make_splits(file_task(write(tmp_path, data), options))
    random.Random(0).shuffle(data)
    again = make_splits(file_task(write(tmp_path, data, "other.jsonl"), options))
    assert first == again
    assert [len(first.examples(name)) for name in SPLITS] == [40, 40, 10, 20]


def test_some_sizes_leave_the_rest_to_the_others(tmp_path):
    task = file_task(write(tmp_path, rows(1000)), DataOptions(n_train=100, n_test=50))
    splits = make_splits(task, seed=7)
    assert [len(splits.examples(name)) for name in SPLITS] == [100, 100, 750, 50]


def test_the_file_is_read_once(tmp_path):
    path = write(tmp_path, rows(100))
    task = file_task(path, DataOptions())
    path.unlink()
    assert len(task.load()) == 100
    assert task.load() is task.load()


def test_columns_have_the_names_given(tmp_path):
    data = [{"q": f"Q {i}", "y": "ab"[i % 2], "doc": i // 4, "key": i} for i in range(200)]
    options = DataOptions("q", "y", group_column="doc", id_column="key")
    task = file_task(write(tmp_path, data), options)
    item = next(e.item for e in task.load() if e.item.id == "42")
    assert (item.text, item.group) == ("Q 42", "10")
    assert task.summary == "Which y is it: a, b?"
    splits = make_splits(task)
    groups = [{e.item.group for e in splits.examples(name)} for name in SPLITS]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 50


def test_options_reach_the_cleaning(tmp_path):
    page = " ".join(f"w{i}" for i in range(50))
    data = [*rows(200), *({"text": f"{page} {i}", "label": 0} for i in range(30))]
    path = write(tmp_path, data)
    assert file_task(path, DataOptions()).cleaning.largest == 30
    assert file_task(path, DataOptions(near_duplicates=False)).cleaning.near == 0
    assert file_task(path, DataOptions()).cleaning.uneven == 30
    assert file_task(path, DataOptions(balance=False)).cleaning.uneven == 0
    assert file_task(path, DataOptions(n_train=10, n_validation=4, n_test=8)).cleaning.spare == 168


@pytest.mark.parametrize(
    ("name", "called"),
    [("a.b.csv", "a.b"), ("...csv", "data"), ("Überschrift.csv", "Überschrift"), ("-x-.csv", "x")],
)
def test_a_task_is_called_what_a_file_may_be_called(tmp_path, name, called):
    assert file_task(write(tmp_path, rows(40), name), DataOptions()).name == called


def test_a_file_of_a_user_has_no_unseen_entities(tmp_path):
    with pytest.raises(UserError, match="Task data has no unseen entities"):
        file_task(write(tmp_path, rows(40)), DataOptions()).about("unseen")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    missing = tmp_path / "missing.csv"
    with pytest.raises(UserError) as caught:
        file_task(missing, DataOptions())
    assert str(caught.value) == (
        f"Data file {missing} cannot be read (No such file or directory): check the path."
    )
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        file_task(tmp_path, DataOptions())


def test_a_path_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, rows(40))
    assert len(file_task(Path("~/data.jsonl"), DataOptions()).load()) == 40


@pytest.mark.parametrize("n", [0, -5])
@pytest.mark.parametrize("name", ["n_train", "n_validation", "n_test"])
def test_a_size_is_at_least_one(name, n):
    with pytest.raises(UserError, match=f"^Data: {name} must be at least 1, not {n}"):
        DataOptions(**{name: n})


def test_text_and_label_are_two_columns():
    with pytest.raises(UserError, match="cannot both be in column 'x': name two"):
        DataOptions("x", "x")


def test_too_few_rows_are_noticed_before_anything_is_trained(tmp_path):
    with pytest.raises(UserError, match=r"data\.jsonl has 100 examples of even .* need 1,004: lo"):
        file_task(write(tmp_path, rows(100)), DataOptions(n_train=500))


def test_sizes_that_are_limits_only_become_smaller(tmp_path):
    options = DataOptions(n_train=500, n_validation=100, n_test=400, shrink=True)
    splits = make_splits(file_task(write(tmp_path, rows(300)), options))
    assert [len(splits.examples(name)) for name in SPLITS] == [100, 100, 20, 80]


def prompts(n):
    return [{"prompt": f"Number {i} is", "answer": f"word {i}", "name": f"n{i}"} for i in range(n)]


@pytest.mark.parametrize("name", ["data.jsonl", "data.csv", "data.parquet"])
@pytest.mark.parametrize("column", ["target", "answer"])
def test_prompts_with_targets_are_a_generation(tmp_path, name, column):
    data = [{"prompt": f"Number {i} is", column: f" word {i} "} for i in range(100)]
    task = file_task(write(tmp_path, data, name), DataOptions())
    assert (task.kind, task.classes, task.summary) == ("generation", (), "What follows the prompt?")
    assert {(e.item.text, e.label) for e in task.load()} == {
        (f"Number {i} is", f"word {i}") for i in range(100)
    }
    # Every target is another: so there is nothing to be stratified by.
    splits = make_splits(task)
    assert [len(splits.examples(s)) for s in SPLITS] == [33, 32, 10, 25]


def test_sizes_groups_and_ids_are_heeded_where_answers_are_written(tmp_path):
    data = [row | {"about": f"g{i // 2}"} for i, row in enumerate(prompts(120))]
    options = DataOptions(
        group_column="about", id_column="name", n_train=30, n_validation=10, n_test=20
    )
    splits = make_splits(file_task(write(tmp_path, data), options))
    assert [len(splits.examples(s)) for s in SPLITS] == [30, 30, 10, 20]
    where = {}
    for split in SPLITS:
        for e in splits.examples(split):
            assert int(e.item.id[1:]) // 2 == int(e.item.group[1:])
            assert where.setdefault(e.item.group, split) == split


def test_what_is_accepted_comes_with_the_target(tmp_path):
    data = [*prompts(60), {"prompt": "Holland is", "answer": "the Netherlands"}]
    data = [row | {"accepted": [f"{row['answer']}!", "so"]} for row in data[:-1]] + data[-1:]
    task = file_task(write(tmp_path, data), DataOptions(near_duplicates=True))
    accepted = {e.label: e.accepted for e in task.load()}
    assert accepted.pop("the Netherlands") == ()
    assert accepted == {f"word {i}": (f"word {i}!", "so") for i in range(60)}
    without = file_task(write(tmp_path, prompts(60), "other.jsonl"), DataOptions())
    assert digest(task.load()[:9]) != digest(without.load()[:9])


def test_prompts_with_several_targets_are_left_out(tmp_path):
    data = [*prompts(60), prompts(1)[0] | {"answer": "other"}, prompts(2)[1]]
    found = file_task(write(tmp_path, data), DataOptions()).cleaning
    assert (found.read, found.contradictory, found.exact, found.kept) == (62, 2, 1, 59)
    assert found.uneven == 0


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": "a", "answer": " "}, "row 61 has no text in column 'answer'"),
        ({"prompt": "", "answer": "b"}, "row 61 has no text in column 'prompt'"),
        ({"prompt": "a", "answer": [1]}, "row 61 has .* in column 'answer', which is no text"),
        ({"prompt": "a", "answer": "b", "accepted": "c"}, "write a list of texts"),
    ],
)
def test_bad_rows_of_a_generation_are_named(tmp_path, row, sentence):
    with pytest.raises(UserError, match=sentence):
        file_task(write(tmp_path, [*prompts(60), row]), DataOptions(strict_rows=True))


def test_digits_are_a_target_and_too_few_prompts_are_refused(tmp_path):
    data = [{"prompt": f"{i} and {i} is", "target": 2 * i} for i in range(60)]
    task = file_task(write(tmp_path, data), DataOptions())
    assert {e.label for e in task.load()} == {str(2 * i) for i in range(60)}
    with pytest.raises(UserError, match="too few different examples"):
        file_task(write(tmp_path, data[:3]), DataOptions())


def test_texts_with_labels_win_and_the_two_do_not_mix(tmp_path):
    both = [row | prompts(1)[0] for row in rows(60)]
    assert file_task(write(tmp_path, both), DataOptions()).kind == "classification"
    files = [
        write(tmp_path, data, name)
        for name, data in (("a.jsonl", prompts(60)), ("b.jsonl", rows(60)), ("c.jsonl", rows(60)))
    ]
    with pytest.raises(UserError, match="one or the other"):
        parted_task(files, DataOptions())


def test_three_files_of_prompts_are_a_generation_too(tmp_path):
    names = ("train_label.jsonl", "train_unlabel.jsonl", "test.jsonl")
    whole = prompts(90)
    files = [write(tmp_path, whole[i::3], name) for i, name in enumerate(names)]
    task = parted_task(files, DataOptions(near_duplicates=False, n_test=20))
    assert (task.kind, task.classes) == ("generation", ())
    splits = make_splits(task)
    assert [len(splits.examples(s)) for s in SPLITS] == [30, 27, 3, 20]
    tests = {e.item.text for e in splits.test}
    assert tests < {row["prompt"] for row in whole[2::3]}
