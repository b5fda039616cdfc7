"""Files are read alike in every format, and whatever is wrong with one is said in a sentence."""

import io
import json

import polars as pl
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.rows import read_rows

COLUMNS = Columns("text", "label")
ALL = Columns("text", "label", "group", "id")


def jsonl(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def csv(rows):
    return pl.DataFrame(rows).write_csv().encode()


def parquet(rows):
    buffer = io.BytesIO()
    pl.DataFrame(rows, strict=False).write_parquet(buffer)
    return buffer.getvalue()


def labelled(*labels):
    return [{"text": f"text {i}", "label": label} for i, label in enumerate(labels)]


def read(content, name="data.jsonl", columns=COLUMNS):
    return read_rows({name: content}, columns)[:2]


FORMATS = [("data.jsonl", jsonl), ("data.csv", csv), ("DATA.PARQUET", parquet)]


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_a_row_is_the_same_in_every_format(name, write):
    data = [
        {"text": 'A "text",\nof two lines', "label": "b", "group": 7, "id": "x1", "more": 1},
        {"text": "Köln\u2028", "label": "a", "group": 7, "id": "x2", "more": 2},
        {"text": "123", "label": "c", "group": 8, "id": "x3", "more": 3},
    ]
    rows, classes = read(write(data), name, ALL)
    assert classes == ("a", "b", "c")
    assert [r.text for r in rows] == [d["text"] for d in data]
    assert [r.label for r in rows] == [1, 0, 2]
    assert [r.group for r in rows] == ["7", "7", "8"]
    assert [r.id for r in rows] == ["x1", "x2", "x3"]
    assert rows[2].location == f"{name}, row 3"


@pytest.mark.parametrize(("name", "write"), FORMATS)
@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        ([2, 0, 1, 0], ("0", "1", "2"), [2, 0, 1, 0]),
        ([1.0, 0.0], ("0", "1"), [1, 0]),
        ([True, False], ("false", "true"), [1, 0]),
        (["yes", " no"], ("no", "yes"), [1, 0]),
        (["01", "02"], ("01", "02"), [0, 1]),
    ],
)
def test_labels_are_names_numbers_or_truth_values(name, write, labels, classes, indices):
    rows, found = read(write(labelled(*labels)), name)
    assert found == classes
    assert [r.label for r in rows] == indices


def test_numbers_in_quotes_are_names():
    rows, classes = read(jsonl(labelled("3", "10")))
    assert classes == ("10", "3")
    assert [r.label for r in rows] == [1, 0]


def test_truth_values_of_a_csv_are_read_in_any_case():
    assert read(b"text,label\na,TRUE\nb,False\n", "d.csv")[1] == ("false", "true")


def test_several_files_are_read_as_one():
    files = {"b.jsonl": jsonl(labelled("x")), "a.jsonl": jsonl(labelled("y", "x"))}
    rows, classes, _ = read_rows(files, COLUMNS)
    assert classes == ("x", "y")
    assert [(r.file, r.number, r.label) for r in rows] == [
        ("b.jsonl", 1, 0),
        ("a.jsonl", 1, 1),
        ("a.jsonl", 2, 0),
    ]


def test_blank_lines_and_marks_at_the_beginning_are_no_rows():
    mark = b"\xef\xbb\xbf"
    one, two = (json.dumps(row).encode() for row in labelled(0, 1))
    assert len(read(mark + one + b"\r\n\n" + two + b"\r\n\n")[0]) == 2
    assert len(read(mark + b"text,label\r\na,0\r\n\r\nb,1\r\n\r\n", "d.csv")[0]) == 2


def test_a_column_that_nobody_asks_for_may_hold_anything():
    data = [
        d | {"": [i], "more": None if i else {"a": float("nan")}}
        for i, d in enumerate(labelled(0, 1))
    ]
    assert len(read(jsonl(data))[0]) == len(read(parquet(data), "d.parquet")[0]) == 2
    assert len(read(b",text,label\n0,a,0\n1,b,1\n", "from-pandas.csv")[0]) == 2


def test_a_column_that_is_read_and_stands_twice_is_told():
    content = b"text,label,label,note,note\n" + b"\n".join(
        f"t{i},{i % 2},{(i + 1) % 2},a,b".encode() for i in range(4)
    )
    rows, _, account = read_rows({"a.csv": content}, COLUMNS)
    assert [row.label for row in rows] == [0, 1, 0, 1]
    told = [said for said in account.labels if "stands twice" in said]
    assert told == [
        "Column 'label' stands twice in a.csv: the first one is read, and the other one is called "
        "'label.1'."
    ]


def refused(content, name="data.jsonl", columns=COLUMNS):
    with pytest.raises(UserError) as caught:
        read(content, name, columns)
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


NAN = float("nan")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([{"text": None, "label": 0}], "row 2 has no text in column 'text': fill it in"),
        ([{"text": NAN, "label": 0}], "row 2 has no text in column 'text'"),
        ([{"text": "", "label": 0}], "row 2 has no text in column 'text'"),
        ([{"text": " \n\t", "label": 0}], "row 2 has no text in column 'text'"),
        ([{"label": 0}], "row 2 has no text in column 'text'"),
        ([{"text": 5, "label": 0}], "row 2 has 5 in column 'text', which is no text: put quotes"),
        ([{"text": ["a"], "label": 0}], r"row 2 has ['a'] in column 'text', which is no text"),
        ([{"text": "\ud800", "label": 0}], "row 2 has half a character in column 'text'"),
        ([{"text": "a", "label": None}], "row 2 has no label in column 'label': fill it in"),
        ([{"text": "a", "label": NAN}], "row 2 has no label in column 'label'"),
        ([{"text": "a", "label": " "}], "row 2 has no label in column 'label'"),
        ([{"text": "a", "label": 0.5}], "row 2 has the label 0.5, which is not a whole number"),
        ([{"text": "a", "label": [1]}], "row 2 has the label [1], which is neither text nor a n"),
        ([{"text": "a", "label": "b"}], "row 2 has the label 'b' where others are numbers: write"),
        ([{"text": "a", "label": True}], "row 2 has the label True where others are numbers: wr"),
        ([{"text": "a", "label": 0}], "data.jsonl has only one class, '0': a task takes at least"),
    ],
)
def test_a_wrong_row_is_named_with_what_to_do(data, error):
    said = refused(jsonl([{"text": "first", "label": 0}, *data]))
    assert said.startswith("data.jsonl")
    assert error in said


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, "row 2 has nothing in column 'group': fill it in or drop the row"),
        ("", "row 2 has nothing in column 'group'"),
        (0.5, "row 2 has 0.5 in column 'group': a group or an id must be text or a whole number"),
        ({"a": 1}, "row 2 has {'a': 1} in column 'group': a group or an id"),
    ],
)
def test_a_group_is_text_or_a_whole_number(value, error):
    data = [{"text": str(i), "label": i, "group": g} for i, g in enumerate([1.0, value])]
    assert error in refused(jsonl(data), columns=Columns("text", "label", "group"))


def test_an_id_is_there_once():
    data = [{"text": str(i), "label": i % 2, "id": id} for i, id in enumerate([1, 2, "1"])]
    said = refused(jsonl(data), columns=Columns("text", "label", id="id"))
    assert said.startswith("data.jsonl, row 3 has the id '1' of data.jsonl, row 1: give every row")


@pytest.mark.parametrize(("name", "write"), FORMATS)
def test_a_missing_column_is_named_with_the_nearest_and_those_there_are(name, write):
    said = refused(write(labelled(0, 1)), name, Columns("texts", "label"))
    assert said == (
        f"{name} has no column 'texts', the nearest is 'text'; it has text, label: "
        "name the right one with --text-column."
    )
    said = refused(write(labelled(0, 1)), name, Columns("text", "zzz"))
    assert "has no column 'zzz'; it has text, label: name the right one with --label-c" in said
    assert "--group-column" in refused(write(labelled(0, 1)), name, Columns("text", "label", "g"))
    assert "--id-column" in refused(write(labelled(0, 1)), name, Columns("text", "label", id="i"))


def test_of_many_columns_the_first_are_named():
    data = [{f"column {i}": 0 for i in range(40)}]
    assert "column 11 and 28 more: name" in refused(jsonl(data))


@pytest.mark.parametrize("name", ["data.jsonl", "data.csv", "data.parquet"])
def test_an_empty_file_has_no_rows(name):
    said = refused(b" \n", name)
    assert said == f"{name} has no rows: choose a file with examples."


def test_a_header_alone_has_no_rows():
    assert "has no rows" in refused(b"text,label\n", "data.csv")
    assert "has no rows" in refused(parquet({"text": [], "label": []}), "data.parquet")


@pytest.mark.parametrize("name", ["data.txt", "data.gz", "data"])
def test_an_unknown_ending_is_refused(name):
    said = refused(b"x", name)
    assert said == (
        f"Data file {name} must end in .jsonl, .csv, .parquet, .json, .tsv, .arrow, .feather, "
        ".ndjson, or be packed, such as .csv.gz: convert or rename it."
    )


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("d.csv", b"text,label\nh\xe9,1\n", "d.csv, line 2 is not in UTF-8 (byte 0xe9): convert"),
        ("d.csv", b"text,label\na,b,c\n", "d.csv, row 1 has 3 fields and not 2 (line 2): mend it"),
        ("d.csv", b'text,label\na,b\n"a,b\nc,d\n', "d.csv, line 3 opens a quotation mark that no"),
        ("d.parquet", b"no parquet at all", "check that it is a parquet file."),
        ("d.jsonl", b'{"text": "a", "label": 0}\n{"text": ', "d.jsonl, row 2 is no JSON (Expec"),
        ("d.jsonl", b'["a", 0]\n', "d.jsonl, row 1 is no JSON object: mend it or drop the row"),
        ("d.jsonl", b'\n{"text": "h\xe9"}', "d.jsonl, line 2 is not in UTF-8 (byte 0xe9): convert"),
    ],
)
def test_a_broken_file_is_refused(name, content, error):
    assert error in refused(content, name)
