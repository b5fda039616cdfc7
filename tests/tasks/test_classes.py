"""Classes of a user's labels: several spellings, names in a column of their own, several files."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import data_task, file_task
from weak2strong.tasks.texts import read_texts


def written(tmp_path, rows, name="d.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def task_of(tmp_path, rows, **options):
    options = DataOptions(near_duplicates=False, balance=False, **options)
    return file_task(written(tmp_path, rows), options)


def labelled(*labels, count=40):
    return [{"text": f"text {i}", "label": labels[i % len(labels)]} for i in range(count)]


def test_spellings_of_one_class_are_one_and_said(tmp_path):
    task = task_of(tmp_path, labelled("yes", "No", "YES", "no ", "yes", "\uff39es", "no", "no"))
    assert task.classes == ("no", "yes")
    assert [row.label for row in task.rows[:8]] == [1, 0, 1, 0, 1, 1, 0, 0]
    (said,) = [s for s in task.accounts[0].sentences() if s.startswith("Spellings of one class")]
    assert said == (
        "Spellings of one class in column 'label' are read as one: 'No' as 'no'; 'YES', '\uff39es' "
        "as 'yes'. Where they are meant as several classes, give them names that differ in more "
        "than case."
    )


def test_a_whole_number_is_one_class_however_it_is_written(tmp_path):
    task = task_of(tmp_path, labelled("1", "1.0", "2", "none", "1", "2.00", "10", "1"))
    assert task.classes == ("1", "10", "2", "none")
    assert [row.label for row in task.rows[:8]] == [0, 0, 2, 3, 0, 2, 1, 0]
    task = task_of(tmp_path, labelled("a1.0", "a1", "1.05", "1.5"))
    assert task.classes == ("1.05", "1.5", "a1", "a1.0")


def test_one_class_in_several_spellings_is_no_task(tmp_path):
    with pytest.raises(UserError, match="has only one class, 'YES'"):
        task_of(tmp_path, labelled("yes", "YES"))


def test_names_that_differ_in_signs_stay_several_and_are_named(tmp_path):
    task = task_of(tmp_path, labelled("not spam", "not_spam", "spam", "C", "C++"))
    assert task.classes == ("C", "C++", "not spam", "not_spam", "spam")
    assert task.accounts[0].sentences()[-1] == (
        "Classes in column 'label' have names that are nearly the same, and stay several: "
        "'not spam' and 'not_spam'. Write one spelling where one class is meant."
    )


NAMES = {0: "negative", 1: "positive", 2: "mixed"}


def titled(count=60, column="label_text"):
    return [row | {column: NAMES[row["label"]]} for row in labelled(0, 1, 2, count=count)]


@pytest.mark.parametrize("column", ["label_text", "Label Name"])
def test_a_text_beside_the_label_names_the_class(tmp_path, column):
    task = task_of(tmp_path, titled(column=column))
    assert task.classes == ("negative", "positive", "mixed")
    assert [row.label for row in task.rows[:3]] == [0, 1, 2]
    assert task.accounts[0].sentences() == (
        f"Read as texts with classes: text from text; class from label; names of classes from "
        f"{column}.",
        f"Column {column!r} names the classes in column 'label': 0 is negative, 1 is positive, "
        "2 is mixed.",
    )


def test_a_row_whose_label_and_name_differ_is_malformed(tmp_path):
    rows = titled()
    rows[4]["label_text"] = "negative"
    task = task_of(tmp_path, rows)
    assert (len(task.rows), task.cleaning.malformed) == (59, 1)
    assert task.cleaning.named[0].endswith(
        "row 5 has 'negative' in column 'label_text' beside the label '1', which others call "
        "'positive'"
    )
    with pytest.raises(UserError, match=r"row 5 has 'negative' .*: correct one of the two"):
        task_of(tmp_path, rows, strict_rows=True)


@pytest.mark.parametrize(
    ("change", "unclear"),
    [
        (
            lambda i, row: row | {"label_text": f"because {i}"},
            "'0' has 'because 0' and 'because 3'",
        ),
        (lambda i, row: row | {"label_text": "same"}, "'0' and '1' have 'same'"),
        (lambda i, row: row | {"label_text": "" if row["label"] else "no"}, "'1' has no name"),
    ],
)
def test_a_column_that_names_no_classes_is_not_read(tmp_path, change, unclear):
    task = task_of(tmp_path, [change(i, row) for i, row in enumerate(titled())])
    assert task.classes == ("0", "1", "2")
    said = task.accounts[0].sentences()
    assert said[0] == "Read as texts with classes: text from text; class from label."
    assert said[-1] == (
        f"Column 'label_text' does not name the classes in column 'label' ({unclear}), and is not "
        "read."
    )


def test_the_name_of_a_class_cannot_be_the_text(tmp_path):
    with pytest.raises(UserError, match="puts the answer into the text"):
        task_of(tmp_path, titled(), text_column=("text", "label_text"))


@pytest.mark.parametrize("known", [("negative", "positive", "mixed"), ("mixed", "Positive", "x")])
def test_a_trained_model_reads_names_beside_labels(tmp_path, known):
    rows = [row for row in titled() if row["label"] or known[0] == "negative"]
    texts = read_texts(written(tmp_path, rows), "classification", known)
    index = {name.lower(): i for i, name in enumerate(known)}
    assert texts.labels == tuple(index[row["label_text"]] for row in rows)
    rows[4]["label_text"] = "mixed" if rows[4]["label"] == 1 else "positive"
    with pytest.raises(UserError, match=r"row 5 has '\w+' in column 'label_text' beside"):
        read_texts(written(tmp_path, rows), "classification", known)


@pytest.mark.parametrize("other", [1, 1.0, "1"])
@pytest.mark.parametrize("turned", [False, True])
def test_files_with_types_and_without_have_the_same_classes(other, turned):
    zero = type(other)(0)
    lines = labelled(other, zero, count=20)
    files = {
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in lines).encode(),
        "b.csv": ("text,label\n" + "".join(f"csv {i},{i % 2}\n" for i in range(20))).encode(),
    }
    files = dict(reversed(files.items())) if turned else files
    task = data_task(files, DataOptions(near_duplicates=False), "t", "s", "l")
    assert task.classes == ("0", "1")
    of = {row.text: row.label for row in task.rows}
    assert of == {f"text {i}": 1 - i % 2 for i in range(20)} | {
        f"csv {i}": i % 2 for i in range(20)
    }


def test_truth_values_of_files_with_types_and_without():
    files = {
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in labelled(True, False)).encode(),
        "b.csv": ("text,label\n" + "".join(f"c {i},{i % 2 > 0}\n" for i in range(20))).encode(),
    }
    assert data_task(files, DataOptions(), "t", "s", "l").classes == ("false", "true")
