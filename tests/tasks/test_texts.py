"""Texts for a trained model: labels are one thing in the whole file, columns are as in a study."""

import json
import re

import pytest

from weak2strong.ground.errors import UserError
from weak2strong.tasks.readers import Columns
from weak2strong.tasks.texts import read_texts

STARS = ("1", "2", "3", "4", "5")


def table(path, labels, header="text,label"):
    rows = "".join(f"Text {i},{label}\n" for i, label in enumerate(labels))
    path.write_text(f"{header}\n{rows}")
    return path


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("classes", "labels", "indices"),
    [
        (STARS, "12345", (0, 1, 2, 3, 4)),
        (STARS, "45", (3, 4)),
        (STARS, "01234", (0, 1, 2, 3, 4)),
        (STARS, ["-1", "5", ""], (None, 4, None)),
        (("-1", "1"), ["-1.0", "1.0"], (0, 1)),
        (("-1", "1"), "01", (0, 1)),
        (("bad", "good"), ["good", "bad"], (1, 0)),
        (("bad", "good"), ["1", "0", ""], (1, 0, None)),
        (("false", "true"), ["True", "FALSE"], (1, 0)),
    ],
)
def test_all_labels_are_names_or_all_are_positions(tmp_path, classes, labels, indices):
    texts = read_texts(table(tmp_path / "d.csv", labels), "classification", classes)
    assert texts.labels == indices
    positions = [said for said in texts.said if "positions of classes" in said]
    by_position = "0" in labels
    assert (
        positions
        == [
            "The labels in column 'label' are read as positions of classes: "
            + ", ".join(f"{i} is {name}" for i, name in enumerate(classes))
            + "."
        ]
        * by_position
    )


@pytest.mark.parametrize(
    ("classes", "labels", "row", "label"),
    [
        (("-1", "1"), "112", 3, "2"),
        (("-1", "1"), ["-1", "0", "1"], 2, "0"),
        (STARS, "0125", 1, "0"),
        (STARS, "126", 3, "6"),
        (("bad", "good"), ["bad", "good", "1"], 3, "'1'"),
        (("bad", "good"), "012", 3, "2"),
        (("bad", "good"), ["-1", "1"], 1, "-1"),
    ],
)
def test_labels_that_are_neither_are_refused_by_row(tmp_path, classes, labels, row, label):
    with pytest.raises(UserError) as caught:
        read_texts(table(tmp_path / "d.csv", labels), "classification", classes)
    said = str(caught.value)
    assert f"row {row} has the label {label} " in said
    assert f"the model knows the classes {', '.join(classes)}:" in said


def test_labels_keep_their_types_where_the_format_has_them(tmp_path):
    rows = [{"text": f"Text {i}", "label": label} for i, label in enumerate((1.0, 5, 2))]
    assert read_texts(lines(tmp_path / "d.jsonl", rows), "classification", STARS).labels == (
        *(0, 4, 1),
    )


def test_columns_are_found_and_told_as_in_a_study(tmp_path):
    path = table(tmp_path / "d.csv", "12345", "review,stars")
    texts = read_texts(path, "classification", STARS)
    assert texts.labels == (0, 1, 2, 3, 4)
    assert texts.said == ("Read as texts with classes: text from review; class from stars.",)


@pytest.mark.parametrize(
    ("header", "labels", "sentence"),
    [
        ("text,words", "ab", "No column of labels was found: there are answers only"),
        ("text,label", ["", ""], "No row has a label in column 'label': there are answers only"),
    ],
)
def test_without_labels_there_are_answers_only(tmp_path, header, labels, sentence):
    texts = read_texts(table(tmp_path / "d.csv", labels, header), "classification", STARS)
    assert texts.labels == (None, None)
    assert sentence in texts.said[-1]
    if "words" in header:
        assert "Not read, though there is text in it: words;" in texts.said[1]


def test_a_column_of_labels_that_is_named_must_be_there(tmp_path):
    path = table(tmp_path / "d.csv", "12", "text,stars")
    with pytest.raises(UserError, match="no column 'score'"):
        read_texts(path, "classification", STARS, Columns(label="score"))


def sided(strengths):
    return [
        {"prompt": f"Q{i}", "response_1": f"a{i}", "response_2": f"b{i}", "preference": strength}
        for i, strength in enumerate(strengths)
    ]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (sided((-2, 1)), "preferences"),
        ([{"prompt": f"Q{i}", "target": f"a{i}"} for i in range(3)], "prompts with targets"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, rows, kind):
    path = lines(tmp_path / "d.jsonl", rows)
    sentence = rf"another kind \(read as {kind}: prompt from prompt.* trained on texts with classes"
    with pytest.raises(UserError, match=sentence):
        read_texts(path, "classification", ("bad", "good"))
    named = Columns(text=tuple(rows[0])[:2])
    texts = read_texts(path, "classification", ("bad", "good"), named)
    assert texts.labels == (None,) * len(rows)
    assert texts.items[0].text == "Q0\n\na0"


def test_prompts_with_targets_are_no_preferences_but_texts_get_rewards(tmp_path):
    path = lines(tmp_path / "d.jsonl", [{"prompt": "Q", "target": "a"}])
    with pytest.raises(UserError, match="trained on preferences"):
        read_texts(path, "preference", ("first", "second"))
    texts = read_texts(table(tmp_path / "d.csv", "xy"), "preference", ("first", "second"))
    assert (texts.paired, texts.labels) == (False, (None, None))
    assert "reward" in texts.said[-1]


def test_pairs_of_which_neither_is_preferred_are_left_out_and_counted(tmp_path):
    path = lines(tmp_path / "d.jsonl", sided((-2, 0, 1, 0, 2)))
    texts = read_texts(path, "preference", ("first", "second"))
    assert {item.text for item in texts.items} == {"Q0", "Q2", "Q4"}
    pairs = zip(texts.items, texts.labels, strict=True)
    assert [item.completions[side].strip() for item, side in pairs] == ["a0", "b2", "b4"]
    assert texts.said[-1].startswith("2 of 5 rows were left out")
    lines(path, sided((-1, 0)))
    assert len(read_texts(path, "preference", ("first", "second")).items) == 1
    with pytest.raises(UserError, match="does not say whether"):
        read_texts(lines(path, sided(("tie", "tie"))), "preference", ("first", "second"))


def test_a_few_malformed_rows_are_left_out_as_in_a_study(tmp_path):
    rows = [{"text": f"Text {i}", "label": "ab"[i % 2], "id": i} for i in range(60)]
    rows[3]["text"], rows[5]["label"] = "", ["a"]
    path = lines(tmp_path / "d.jsonl", rows)
    path.write_text(path.read_text() + "no JSON\n")
    texts = read_texts(path, "classification", ("a", "b"))
    kept = [row for i, row in enumerate(rows) if i not in (3, 5)]
    assert [item.id for item in texts.items] == [str(row["id"]) for row in kept]
    assert texts.labels == tuple("ab".index(row["label"]) for row in kept)
    named = (
        r"row 61 is no JSON \(.*\); .*, row 4 has no text in column 'text'; .*, row 6 has the label"
    )
    assert re.fullmatch(
        rf"Left out as malformed \(.*{named} \['a'\], which is neither .*\): 3\.", texts.said[-1]
    )
    with pytest.raises(UserError, match="row 61 is no JSON"):
        read_texts(path, "classification", ("a", "b"), strict=True)
    rows[7]["text"] = None
    with pytest.raises(UserError, match=r"row 4 has no text .*, and 3 other rows of 60"):
        read_texts(lines(path, rows[:6] + rows[7:9] + [{}] + rows[9:60]), "classification", "ab")
    rows[9]["id"] = 8
    with pytest.raises(UserError, match=r"row 10 has the id '8' of another text"):
        read_texts(lines(path, rows), "classification", ("a", "b"))


def test_malformed_pairs_are_left_out_and_counted(tmp_path):
    rows = sided([-1, 1] * 20)
    rows[2]["response_1"] = None
    texts = read_texts(lines(tmp_path / "d.jsonl", rows), "preference", ("first", "second"))
    assert len(texts.items) == 39
    assert "Left out as malformed" in texts.said[-1]
    assert "row 3 has in column 'response_1' nothing" in texts.said[-1]


def test_prompts_and_templates_are_texts_as_in_a_study(tmp_path):
    rows = [{"asks": f"Q{i}", "more": "M", "label": "a"} for i in range(3)]
    path = lines(tmp_path / "d.jsonl", rows)
    columns = Columns(prompt=("asks", "more"))
    texts = read_texts(path, "classification", ("a", "b"), columns)
    assert (texts.items[0].text, texts.labels) == ("Q0\n\nM", (0, 0, 0))
    texts = read_texts(path, "classification", ("a", "b"), Columns(template="{more}: {asks}?"))
    assert (texts.items[0].text, texts.labels) == ("M: Q0?", (0, 0, 0))
