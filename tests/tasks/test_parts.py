"""Three files whose splits are given: nothing is in two of them, and every loss is counted."""

import gzip
import json
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.find import find_task, find_tasks
from weak2strong.tasks.parts import NAMES, parted_task, three_files
from weak2strong.tasks.splits import SPLITS, make_splits, normalised

PLAIN = DataOptions(balance=False, near_duplicates=False)


def rows(first, count, **more):
    return [{"text": f"Number {i}", "label": i % 2, **more} for i in range(first, first + count)]


def write(folder, *parts):
    """The files of a folder, each with rows of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in zip(NAMES, parts, strict=True):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "chat", rows(0, 100), rows(100, 200), rows(300, 80))


def texts(splits, name):
    return {e.item.text for e in splits.examples(name)}


def test_every_file_is_a_split_and_validation_comes_out_of_the_second(folder):
    task = find_task(str(folder), PLAIN)
    splits = make_splits(task)
    assert task.name == "chat"
    assert task.classes == ("0", "1")
    assert [len(splits.examples(name)) for name in SPLITS] == [100, 180, 20, 80]
    assert texts(splits, "weak_train") == {f"Number {i}" for i in range(100)}
    assert texts(splits, "test") == {f"Number {i}" for i in range(300, 380)}
    second = texts(splits, "strong_train") | texts(splits, "validation")
    assert second == {f"Number {i}" for i in range(100, 300)}
    assert Counter(e.label for e in splits.validation) == {0: 10, 1: 10}
    assert make_splits(task, seed=7) == splits, "the files decide, not the seed"
    assert (task.cleaning.read, task.cleaning.kept, task.cleaning.across) == (380, 380, 0)


def test_labels_are_those_of_the_file(folder):
    splits = make_splits(find_task(str(folder), PLAIN))
    for name in SPLITS:
        for e in splits.examples(name):
            assert e.label == int(e.item.text.split()[1]) % 2


def test_what_two_files_have_stays_in_the_later_one_and_is_counted(tmp_path):
    first = [*rows(0, 60), {"text": " number  300", "label": 1}, *rows(100, 5)]
    second = [*rows(100, 100), *rows(301, 3), *rows(100, 2)]
    task = parted_task([write(tmp_path, first, second, rows(300, 60)) / n for n in NAMES], PLAIN)
    splits = make_splits(task)
    assert len(splits.test) == 60
    assert len(splits.weak_train) == 60
    assert len(splits.strong_train) + len(splits.validation) == 100
    # 5 and 1 of the first file, 3 of the second; what the second repeats itself is its own matter.
    assert (task.cleaning.across, task.cleaning.exact) == (9, 2)
    assert "another split has them, or what belongs to them: 9." in " ".join(
        task.cleaning.sentences()
    )


def test_groups_and_near_duplicates_are_kept_out_of_other_files_too(tmp_path):
    page = " ".join(f"word{i}" for i in range(40))
    first = [*rows(0, 40, doc="a"), *rows(40, 40, doc="b"), *rows(80, 40, doc="c")]
    second = [*rows(200, 60), *rows(260, 60, doc="b"), *rows(320, 2, doc="e")]
    second[:60] = [row | {"doc": f"d{i // 2}"} for i, row in enumerate(second[:60])]
    test = [*rows(500, 30, doc="f"), *rows(530, 30, doc="g")]
    second[-1]["text"], test[0]["text"] = f"{page} one", f"{page} two"
    folder = write(tmp_path, first, second, test)
    options = DataOptions(group_column="doc", balance=False)
    task = parted_task([folder / name for name in NAMES], options)
    splits = make_splits(task)
    # Document b of the first file is in the second; e is nearly in the test file, hence f.
    assert task.cleaning.across == 40 + 2
    assert len(splits.weak_train) == 80
    groups = [{e.item.group for e in splits.examples(name)} for name in SPLITS]
    assert sum(map(len, groups)) == len(set().union(*groups))
    options = DataOptions(group_column="doc", balance=False, near_duplicates=False)
    apart = parted_task([folder / name for name in NAMES], options)
    assert apart.cleaning.across == 40


ROW = st.tuples(
    st.sampled_from(["Lyon", "lyon ", "Lima", "Oslo", "Rome", "Bonn", "Kiel", "Bern"]),
    st.sampled_from("abcdefgh"),
    st.integers(0, 1),
)


@settings(max_examples=30)
@given(st.tuples(*[st.lists(ROW, max_size=12)] * 3))
def test_no_text_and_no_group_is_in_two_splits(tmp_path_factory, parts):
    dice, made = random.Random(0), []
    for file, part in enumerate(parts):
        made.append([{"text": t, "label": x, "g": g} for t, g, x in part])
        made[-1] += [{"text": f"{file} {i}", "label": i % 2, "g": f"{file} {i}"} for i in range(30)]
        dice.shuffle(made[-1])
    folder = write(tmp_path_factory.mktemp("parts"), *made)
    options = DataOptions(group_column="g", balance=False)
    task = parted_task([folder / name for name in NAMES], options)
    splits = make_splits(task)
    for sees in (lambda e: e.item.group, lambda e: normalised(e.item.text)):
        seen = [{sees(e) for e in splits.examples(name)} for name in SPLITS]
        assert sum(map(len, seen)) == len(set().union(*seen))
    found = task.cleaning
    assert found.read == found.kept + found.exact + found.contradictory + found.across
    assert found.kept == sum(len(splits.examples(name)) for name in SPLITS)


def test_the_order_of_rows_plays_no_part(tmp_path, folder):
    other = [rows(0, 100), rows(100, 200), rows(300, 80)]
    for part in other:
        random.Random(1).shuffle(part)
    again = write(tmp_path / "again" / "chat", *other)
    one, two = (make_splits(find_task(str(f), DataOptions())) for f in (folder, again))
    assert one == two


def test_sizes_and_even_classes_are_taken_of_each_file(folder):
    options = DataOptions(n_train=60, n_validation=30, n_test=40, near_duplicates=False)
    task = find_task(str(folder), options)
    splits = make_splits(task)
    assert [len(splits.examples(name)) for name in SPLITS] == [60, 60, 30, 40]
    assert task.cleaning.spare == 380 - 190
    uneven = [row for row in rows(0, 100) if row["label"] or row["text"].endswith("0")]
    write(folder, uneven, rows(100, 200), rows(300, 80))
    splits = make_splits(find_task(str(folder), DataOptions(near_duplicates=False)))
    assert Counter(e.label for e in splits.weak_train) == {0: 10, 1: 10}
    assert len(splits.test) == 80
    for options, sentence in (
        (DataOptions(n_train=101), r"train_label\.jsonl has 20 examples for weak_train, and 101"),
        (DataOptions(n_validation=201), r"unlabel\.jsonl has 200 examples for validation, and 201"),
        (DataOptions(n_test=81), r"test\.jsonl has 80 examples for test, and 81 are asked for: l"),
    ):
        with pytest.raises(UserError, match=sentence):
            find_task(str(folder), options)
    task = find_task(str(folder), DataOptions(n_train=101, n_test=8, balance=False, shrink=True))
    assert [len(make_splits(task).examples(name)) for name in SPLITS] == [60, 101, 20, 8]


def test_three_paths_are_a_task_too_whatever_their_names(tmp_path, folder):
    other = tmp_path / "mine.jsonl"
    other.write_text(
        "".join(json.dumps({"text": f"Row {i}", "label": i % 2}) + "\n" for i in range(50))
    )
    reference = f"{other},{folder / NAMES[1]}, {folder / NAMES[2]}"
    task = find_task(reference, PLAIN)
    assert texts(make_splits(task), "weak_train") == {f"Row {i}" for i in range(50)}
    assert find_task(reference, PLAIN) is task
    assert three_files(f"{other},{other}") is None
    with pytest.raises(UserError, match="is named twice"):
        find_task(",".join([str(other)] * 3), PLAIN)
    with pytest.raises(UserError, match=r"none\.csv cannot be read"):
        find_task(f"{tmp_path}/none.csv,{folder / NAMES[1]},{folder / NAMES[2]}", PLAIN)


def test_the_three_files_may_have_any_ending(folder):
    same = find_task(str(folder), PLAIN).load()
    content = [(folder / name).read_bytes() for name in NAMES]
    for name in NAMES:
        (folder / name).unlink()
    (folder / "train_label.ndjson").write_bytes(content[0])
    lines = content[1].decode().strip().replace("\n", ",")
    (folder / "train_unlabel.json").write_text(f"[{lines}]")
    (folder / "test.jsonl.gz").write_bytes(gzip.compress(content[2]))
    assert find_task(str(folder), PLAIN).load() == same
    (folder / "test.tsv").touch()
    with pytest.raises(UserError, match=r"has test\.jsonl\.gz, test\.tsv, which are one part"):
        find_task(str(folder), PLAIN)


def test_a_folder_that_lacks_a_file_is_told_which(folder):
    (folder / "test.jsonl").unlink()
    with pytest.raises(UserError, match=r"has no test\.jsonl: .*takes train_label\.jsonl, train_u"):
        find_task(str(folder), PLAIN)


def test_files_have_no_subsets(folder):
    with pytest.raises(UserError, match="is three files: --subset and --split"):
        find_tasks((str(folder),), DataOptions(subset="en"))


def test_a_row_without_a_label_is_named(folder):
    write(folder, rows(0, 40), [{"text": f"T {i}"} for i in range(40)], rows(300, 40))
    with pytest.raises(UserError, match=r"train_unlabel\.jsonl has no column 'label'"):
        find_task(str(folder), PLAIN)
