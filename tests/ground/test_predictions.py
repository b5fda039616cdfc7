"""Predictions are joined by id, survive a file to the bit; bad files are refused in sentences."""

import json
import os

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import (
    Predictions,
    joined,
    load_predictions,
    save_predictions,
    texts,
)
from weak2strong.ground.weak_labels import read_weak_labels


def draw(n, classes=2, seed=0, prefix="e"):
    values = np.random.default_rng(seed).random((n, classes))
    ids = tuple(f"{prefix}{i}" for i in range(n))
    return Predictions(ids, values / values.sum(1, keepdims=True))


@given(st.permutations(range(8)), st.lists(st.integers(0, 7)))
def test_rows_are_joined_by_id(order, asked):
    p = draw(8)
    shuffled = Predictions(tuple(p.ids[i] for i in order), p.probabilities[list(order)])
    found = shuffled.at([f"e{i}" for i in asked])
    assert found.shape == (len(asked), 2)
    np.testing.assert_array_equal(found, p.probabilities[asked])


def test_missing_ids_are_counted():
    with pytest.raises(UserError, match=r"2 of 3 examples have no prediction.*first is id 'x'"):
        draw(4).at(["x", "e1", "y"])


def test_impossible_predictions_are_refused():
    with pytest.raises(ValueError, match="2 ids for 3 rows"):
        Predictions(("a", "b"), np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="more than once"):
        Predictions(("a", "a"), np.full((2, 2), 0.5))


@pytest.mark.parametrize("classes", [2, 5])
def test_a_file_gives_every_bit_back(tmp_path, classes):
    awkward = np.array([[5e-324, 1 - 2**-53], [0.1 + 0.2, 1 / 3]])
    first = draw(100, classes, seed=1)
    if classes == 2:
        first = Predictions(first.ids[:2], awkward)
    splits = {"validation": first, "test": draw(30, classes, seed=2, prefix="é ")}
    save_predictions(tmp_path / "p.parquet", splits)
    found = load_predictions(tmp_path / "p.parquet")
    assert list(found) == ["validation", "test"]
    for name, p in splits.items():
        assert found[name].ids == p.ids
        assert found[name].probabilities.dtype == np.float64
        assert found[name].probabilities.tobytes() == p.probabilities.tobytes()


def test_the_kind_survives_the_file(tmp_path):
    path = tmp_path / "p.parquet"
    save_predictions(path, {"test": Predictions(("a",), np.array([[0.2, 0.8]]), "another kind")})
    assert load_predictions(path)["test"].kind == "another kind"


def test_the_file_is_a_plain_table(tmp_path):
    save_predictions(tmp_path / "p.parquet", {"test": draw(3)})
    frame = pl.read_parquet(tmp_path / "p.parquet")
    assert frame.columns == ["split", "kind", "id", "probabilities"]
    assert set(frame["kind"]) == {"classification"}
    assert frame["id"].to_list() == ["e0", "e1", "e2"]


def write(path, columns):
    """The same table in whichever format the file name says."""
    frame = pl.DataFrame(columns)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()))
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


ENDINGS = [".csv", ".jsonl", ".parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_probabilities_of_class_one(tmp_path, ending):
    path = write(tmp_path / f"w{ending}", {"id": ["a", "b", "c"], "probability": [0.25, 1.0, 0.0]})
    found = read_weak_labels(path, 2)
    assert found.ids == ("a", "b", "c")
    assert found.probabilities.tolist() == [[0.75, 0.25], [0, 1], [1, 0]]


@pytest.mark.parametrize("ending", ENDINGS)
def test_class_indices(tmp_path, ending):
    path = write(tmp_path / f"w{ending}", {"id": ["a", "b"], "label": [2, 0]})
    assert read_weak_labels(path, 3).probabilities.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_rows_of_probabilities_are_normalised_and_win_over_other_columns(tmp_path, ending):
    columns = {"id": ["a", "b"], "probabilities": [[0.2, 0.3, 0.5004], [0.0, 1.0, 0.0]]}
    path = write(tmp_path / f"w{ending}", {**columns, "label": [0, 0]})
    found = read_weak_labels(path, 3).probabilities
    np.testing.assert_allclose(found.sum(1), 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found[0], np.array([0.2, 0.3, 0.5004]) / 1.0004)


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_numbers_serve_as_ids(tmp_path, ending):
    path = write(tmp_path / f"w{ending}", {"id": [7, 8], "label": [0, 1]})
    assert read_weak_labels(path, 2).ids == ("7", "8")


@pytest.mark.parametrize("ids", [["001", "002"], ["12e4567890123456", "9"], ["1.50", "2"]])
def test_ids_of_a_csv_stay_as_they_are_written(tmp_path, ids):
    path = tmp_path / "w.csv"
    path.write_text(f"id,label\n{ids[0]},0\n{ids[1]},1\n")
    assert read_weak_labels(path, 2).ids == tuple(ids)


BAD = {
    "no id": ({"name": ["a"], "label": [0]}, "there is no column 'id'"),
    "no labels": ({"id": ["a"]}, "no column 'probabilities', 'probability' or 'label'"),
    "repeated": (
        {"id": ["a", "a"], "label": [0, 1]},
        "row 2: the id 'a' is that of row 1, and an id occurs no more than once",
    ),
    "an empty id": ({"id": ["a", None], "label": [0, 1]}, "row 2: nothing is no id"),
    "above one": ({"id": ["a"], "probability": [1.5]}, "numbers from 0 to 1"),
    "below zero": ({"id": ["a"], "probability": [-0.5]}, "numbers from 0 to 1"),
    "missing": ({"id": ["a", "b"], "probability": [0.5, None]}, "row 2: .*numbers from 0 to 1"),
    "no number": ({"id": ["a", "b"], "probability": ["half", "0.1"]}, "half"),
    "no such class": (
        {"id": ["a", "b"], "label": [0, 2]},
        "label '?2'? is no class index from 0 to 1",
    ),
    "negative class": ({"id": ["a"], "label": [-1]}, "label '?-1'? is no class index"),
    "name of a class": ({"id": ["a"], "label": ["yes"]}, "label 'yes' is no class index"),
    "half a class": ({"id": ["a"], "label": [0.5]}, r"row 1: label '?0\.5'? is no class index"),
    "missing label": (
        {"id": ["a", "b"], "label": [1, None]},
        "row 2: label nothing is no class index",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("what", BAD)
def test_bad_tables_are_refused_in_a_sentence(tmp_path, ending, what):
    columns, sentence = BAD[what]
    path = write(tmp_path / f"w{ending}", columns)
    with pytest.raises(UserError, match=sentence) as caught:
        read_weak_labels(path, 2)
    assert str(caught.value).startswith(f"Weak labels {path}")
    assert str(caught.value).endswith(".")


BAD_LISTS = {
    "too many": ([[0.2, 0.3, 0.5]], "2 numbers in every row"),
    "do not add up": ([[0.5, 0.4]], "must add up to 1"),
    "a hole": ([[0.5, None]], "numbers from 0 to 1"),
}


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
@pytest.mark.parametrize("what", BAD_LISTS)
def test_bad_rows_of_probabilities_are_refused(tmp_path, ending, what):
    rows, sentence = BAD_LISTS[what]
    columns = {"id": [f"e{i}" for i in range(len(rows))], "probabilities": rows}
    path = write(tmp_path / f"w{ending}", columns)
    with pytest.raises(UserError, match=sentence):
        read_weak_labels(path, 2)


@pytest.mark.parametrize("rows", [[[0.5, 0.5], [1.0]], [[0.5, 0.5], None]])
def test_uneven_rows_are_refused_in_the_users_words(tmp_path, rows):
    path = write(tmp_path / "w.parquet", {"id": ["a", "b"], "probabilities": rows})
    with pytest.raises(UserError, match="must hold 2 numbers in every row"):
        read_weak_labels(path, 2)


def test_one_probability_is_not_enough_for_three_classes(tmp_path):
    path = write(tmp_path / "w.csv", {"id": ["a"], "probability": [0.5]})
    with pytest.raises(UserError, match="'probability' is for two classes, the task has 3"):
        read_weak_labels(path, 3)


def test_a_negative_probability_is_not_made_up_for_by_the_others(tmp_path):
    path = write(tmp_path / "w.parquet", {"id": ["a"], "probabilities": [[-0.5, 0.5, 1.0]]})
    with pytest.raises(UserError, match="numbers from 0 to 1"):
        read_weak_labels(path, 3)


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_that_cannot_be_read_are_refused(tmp_path, ending):
    with pytest.raises(UserError, match=r"absent.* cannot be read: .*No such file"):
        read_weak_labels(tmp_path / f"absent{ending}", 2)
    (tmp_path / f"empty{ending}").touch()
    with pytest.raises(UserError, match="Weak labels"):
        read_weak_labels(tmp_path / f"empty{ending}", 2)
    (tmp_path / f"rubbish{ending}").write_bytes(b"\xff\xfe\x00PAR1 {[ \xc3")
    with pytest.raises(UserError, match="Weak labels"):
        read_weak_labels(tmp_path / f"rubbish{ending}", 2)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"must end in \.csv, \.jsonl, \.parquet"):
        read_weak_labels(tmp_path / "w.xlsx", 2)


def test_what_is_no_file_is_refused_before_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "device.csv").symlink_to("/dev/zero")
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    for name, says in (
        ("pipe.csv", "is a pipe: write a file, and name that"),
        ("device.csv", "is a device: write a file, and name that"),
        ("link.csv", r"is a link to nowhere\.csv, which is not there: check the link"),
    ):
        with pytest.raises(UserError, match=rf"^Weak labels .*{name} {says}\.$"):
            read_weak_labels(tmp_path / name, 2)


ODD = ["", " ", "Österreich", "two\nlines\r\n", "日本 🗾", 'a "quoted", b', "null", "007"]


def test_texts_survive_a_file(tmp_path):
    splits = {
        "strong_train": Predictions(tuple("abcdefgh"), texts(ODD), "generation"),
        "test": Predictions(("x",), texts([""]), "generation"),
    }
    save_predictions(tmp_path / "p.parquet", splits)
    found = load_predictions(tmp_path / "p.parquet")
    assert list(found) == ["strong_train", "test"]
    for split, p in splits.items():
        assert (found[split].ids, found[split].kind) == (p.ids, "generation")
        assert found[split].values.tolist() == p.values.tolist()


def test_texts_are_joined_by_id_and_are_no_probabilities():
    p = Predictions(tuple("abcdefgh"), texts(ODD), "generation")
    some = p.only(["c", "a"])
    assert (some.ids, some.values.tolist(), some.kind) == (("c", "a"), [ODD[2], ""], p.kind)
    whole = joined(some, p.only(["h"]))
    assert whole.at(["h", "c"]).tolist() == ["007", "Österreich"]
    assert whole.kind == "generation"
    with pytest.raises(UserError, match="texts without probabilities"):
        _ = p.probabilities


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_written_weak_labels_are_read(tmp_path, ending):
    """As they stand there: digits are text, and an empty answer is one."""
    rows = pl.DataFrame({"id": ["001", "2", "3"], "answer": ["007", "Peru, or so", None]})
    path = tmp_path / f"w{ending}"
    write = {".csv": rows.write_csv, ".jsonl": rows.write_ndjson, ".parquet": rows.write_parquet}
    write[ending](path)
    found = read_weak_labels(path, 0, "generation")
    assert found.ids == ("001", "2", "3")
    assert found.values.tolist() == ["007", "Peru, or so", ""]
    assert found.kind == "generation"


def test_weak_labels_without_texts_are_refused(tmp_path):
    path = tmp_path / "w.jsonl"
    for row, sentence in (
        ({"id": "a", "label": 1}, "no column 'answer'"),
        ({"id": "a", "answer": 7}, "answer 7 is no text"),
    ):
        path.write_text(json.dumps(row))
        with pytest.raises(UserError, match=sentence):
            read_weak_labels(path, 0, "generation")
