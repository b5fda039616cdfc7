"""Forms that people's files and public datasets have: kind x labels x names of columns."""

import json

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task

U, A, S = "user", "assistant", "system"


def said(role, text):
    return {"role": role, "content": text}


def shared(who, text):
    return {"from": who, "value": text}


def repeated(*rows):
    """Sixty rows: these over and over, with a word of its own in every text of a row."""
    return [marked(rows[i % len(rows)], f"#{i}") for i in range(60)]


def marked(value, mark):
    if isinstance(value, str):
        return value.replace("*", mark)
    if isinstance(value, dict):
        return {name: marked(part, mark) for name, part in value.items()}
    return [marked(part, mark) for part in value] if isinstance(value, list) else value


def tables(text, *labels, column="label", **more):
    return [text | {column: label} | more for label in labels]


T = {"text": "a *"}
NLI = {"premise": "It rains *.", "hypothesis": "It is wet."}
ASKED = {"question": "What * is it?"}

CLASSES = {
    # name: rows, options, text of the first row, classes, class of the first rows
    "names": (tables(T, "b", "a"), {}, "a #0", ("a", "b"), (1, 0)),
    "yes and no": (tables(T, "yes", "no"), {}, "a #0", ("no", "yes"), (1, 0)),
    "truth": (tables(T, True, False), {}, "a #0", ("false", "true"), (1, 0)),
    "-1 and 1": (tables(T, 1, -1), {}, "a #0", ("-1", "1"), (1, 0)),
    "0 and 4": (tables(T, 4, 0), {}, "a #0", ("0", "4"), (1, 0)),
    "stars": (tables(T, 5, 1, 3, column="stars"), {}, "a #0", ("1", "3", "5"), (2, 0, 1)),
    "whole floats": (tables(T, 2.0, 1.0), {}, "a #0", ("1", "2"), (1, 0)),
    "-1, 0 and 1": (tables(T, -1, 0, 1), {}, "a #0", ("-1", "0", "1"), (0, 1, 2)),
    "a sentence": (tables({"sentence": "a *"}, 1, 0), {}, "a #0", ("0", "1"), (1, 0)),
    "names in capitals": (
        tables({"Text": "a *"}, "x", "y", column="Category"),
        *({}, "a #0", ("x", "y"), (0, 1)),
    ),
    "a content with a title": (
        tables({"title": "t", "content": "a *"}, 1, 0),
        *({}, "a #0", ("0", "1"), (1, 0)),
    ),
    "an input": (tables({"input": "a *"}, 1, 0), {}, "a #0", ("0", "1"), (1, 0)),
    "few targets of a text": (
        tables(T, "p", "q", column="target"),
        *({}, "a #0", ("p", "q"), (0, 1)),
    ),
    "two texts": (tables(NLI, 1, 0), {}, "It rains #0.\n\nIt is wet.", ("0", "1"), (1, 0)),
    "two columns": (
        tables({"x": "a *", "y": "b"}, 1, 0),
        *({"text_column": ("y", "x")}, "b\n\na #0", ("0", "1"), (1, 0)),
    ),
    "a template": (
        tables(NLI | {"n": 3}, 1, 0),
        {"template": "{premise} {{{n}}} Question: {hypothesis} True or false?"},
        *("It rains #0. {3} Question: It is wet. True or false?", ("0", "1"), (1, 0)),
    ),
    "a passage": (
        tables(ASKED | {"passage": "P"}, True, False, column="answer"),
        *({}, "P\n\nWhat #0 is it?", ("false", "true"), (1, 0)),
    ),
    "an answer that is judged": (
        tables(ASKED | {"answer": "This."}, 1, 0),
        *({}, "What #0 is it?\n\nThis.", ("0", "1"), (1, 0)),
    ),
    "a completion that is judged": (
        tables({"prompt": "P *", "completion": "C"}, True, False),
        *({}, "P #0\n\nC", ("false", "true"), (1, 0)),
    ),
    "another column of labels": (
        tables(T | {"label": "no"}, 1, 0, column="mine"),
        *({"label_column": "mine"}, "a #0", ("0", "1"), (1, 0)),
    ),
    "messages": (
        tables({"messages": [said(U, "Hi *"), said(A, "Yes")]}, 1, 0),
        *({}, "User: Hi #0\n\nAssistant: Yes", ("0", "1"), (1, 0)),
    ),
}

GENERATED = {
    # name: rows, options, prompt, target, accepted
    "a question with an answer": ({**ASKED, "answer": "That"}, {}, "What #0 is it?", "That", ()),
    "instruction, input and output": (
        {"instruction": "Add *", "input": "1 2", "output": "3"},
        *({}, "Add #0\n\n1 2", "3", ()),
    ),
    "an empty input": (
        {"instruction": "Say *", "input": "", "output": "Hi", "category": "open"},
        *({}, "Say #0", "Hi", ()),
    ),
    "a context": (
        {"context": "C", "instruction": "Say *", "response": "Hi", "category": "closed"},
        *({}, "C\n\nSay #0", "Hi", ()),
    ),
    "several answers": (
        {**ASKED, "answer": ["That", "This", "That"]},
        *({}, "What #0 is it?", "That", ("This",)),
    ),
    "answers with their places": (
        {**ASKED, "context": "C", "answers": {"text": ["That"], "answer_start": [1]}},
        *({}, "C\n\nWhat #0 is it?", "That", ()),
    ),
    "messages": (
        {"messages": [said(S, "Be kind."), said(U, "Hi *"), said(A, "Ho")]},
        *({}, "System: Be kind.\n\nUser: Hi #0", "Ho", ()),
    ),
    "a chat of one turn": ({"messages": [said(U, "Hi *"), said(A, "Ho")]}, {}, "Hi #0", "Ho", ()),
    "conversations of ShareGPT": (
        {"conversations": [shared("human", "Hi *"), shared("gpt", "Ho")], "system": "Be kind."},
        *({}, "System: Be kind.\n\nUser: Hi #0", "Ho", ()),
    ),
    "prompt and completion as messages": (
        {"prompt": [said(U, "Hi *")], "completion": [said(A, "Ho")]},
        *({}, "Hi #0", "Ho", ()),
    ),
    "named columns": (
        {"asks": "Hi *", "says": "Ho"},
        *({"prompt_column": ("asks",), "target_column": "says"}, "Hi #0", "Ho", ()),
    ),
}

TWO = {"prompt": "P *", "response_0": "good", "response_1": "bad"}
AB = {"prompt": "P *", "response_a": "good", "response_b": "bad"}
BEST = {"chosen": "good", "rejected": "bad"}

PREFERRED = {
    # name: row, options, prompt; the completion that ends in "good" is preferred
    "system and question": ({"system": "S", "question": "Q *", **BEST}, {}, "S\n\nQ #0"),
    "an instruction": ({"instruction": "Q *", "input": "", **BEST}, {}, "Q #0"),
    "no prompt": ({"chosen": "* good", "rejected": "* bad"}, {}, ""),
    "an index": ({**TWO, "preference": 0}, {}, "P #0"),
    "an id of the better one": ({**TWO, "better_response_id": 0}, {}, "P #0"),
    "a strength": (
        {"prompt": "P *", "response_1": "good", "response_2": "bad", "preference_strength": -2},
        *({}, "P #0"),
    ),
    "a letter": ({**AB, "winner": "A"}, {}, "P #0"),
    "the name of a model": ({**AB, "winner": "model_a"}, {}, "P #0"),
    "the name of a column": ({**AB, "choice": "response_a"}, {}, "P #0"),
    "scores": ({**TWO, "score_0": 0.5, "score_1": -1}, {}, "P #0"),
    "ratings written as text": ({**AB, "rating_b": "9", "Rating A": "10"}, {}, "P #0"),
    "a preference beside scores": (
        {**TWO, "score_0": 1, "score_1": 2, "preference": 0},
        *({}, "P #0"),
    ),
    "j is better than k": (
        {"question": "Q *", "response_j": "good", "response_k": "bad"},
        *({}, "Q #0"),
    ),
    "named columns": (
        {"x": "P *", "a": "bad", "b": "good", "best": "b"},
        {
            **{"prompt_column": ("x",), "chosen_column": "a", "rejected_column": "b"},
            "preference_column": "best",
        },
        "P #0",
    ),
    "a message of ShareGPT each": (
        {
            "conversations": [shared("human", "Hi *")],
            "chosen": shared("gpt", "good"),
            "rejected": shared("gpt", "bad"),
            "prompt": "Hi *",
        },
        *({}, "User: Hi #0"),
    ),
    "messages with a system": (
        {"system": "S", "chosen": [said(U, "*"), said(A, "good")],
         "rejected": [said(U, "*"), said(A, "bad")]},
        *({}, "System: S\n\nUser: #0"),
    ),
}  # fmt: skip


def task_of(tmp_path, rows, options):
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return file_task(path, DataOptions(near_duplicates=False, **options))


@pytest.mark.parametrize("form", CLASSES)
def test_texts_with_classes(tmp_path, form):
    rows, options, text, classes, labels = CLASSES[form]
    task = task_of(tmp_path, repeated(*rows), options)
    assert (task.kind, task.classes) == ("classification", classes)
    assert (task.rows[0].text, len(task.rows)) == (text, 60)
    assert tuple(row.label for row in task.rows[: len(labels)]) == labels


@pytest.mark.parametrize("form", GENERATED)
def test_prompts_with_targets(tmp_path, form):
    row, options, prompt, target, accepted = GENERATED[form]
    task = task_of(tmp_path, repeated(row), options)
    first = task.rows[0]
    assert (task.kind, first.text, first.label) == ("generation", prompt, target)
    assert (first.accepted, len(task.rows)) == (accepted, 60)


@pytest.mark.parametrize("form", PREFERRED)
def test_preferences(tmp_path, form):
    row, options, prompt = PREFERRED[form]
    task = task_of(tmp_path, repeated(row), options)
    assert (task.kind, len(task.rows)) == ("preference", 60)
    assert task.rows[0].text == prompt
    for read in task.rows:
        assert read.completions[read.label].endswith("good")
        assert read.completions[1 - read.label].endswith("bad")


def test_ties_and_missing_labels_are_left_out_and_counted(tmp_path):
    rows = [{**AB, "winner": w} for w in ("model_a", "tie", "model_b")]
    task = task_of(tmp_path, repeated(*rows), {})
    assert len(task.rows) == 40
    assert "Left out as they do not prefer one completion: 20." in task.cleaning.sentences()
    task = task_of(tmp_path, repeated(*tables(T, 0, 1, 2, -1)), {})
    assert task.classes == ("0", "1", "2")
    assert "Left out as they have no label: 15." in task.cleaning.sentences()


def test_equal_scores_prefer_neither_and_others_must_be_numbers(tmp_path):
    rows = repeated(*[{**TWO, "score_0": 2, "score_1": s} for s in (1, 2)])
    task = task_of(tmp_path, rows, {})
    assert (len(task.rows), task.cleaning.by_source) == (
        *(30, {"as they do not prefer one completion": 30}),
    )
    assert task.accounts[0].sentences() == (
        "Read as preferences: prompt from prompt; first from response_0; second from response_1; "
        "preference (the higher one) from score_0 and score_1.",
    )
    rows[2]["score_1"], rows[4]["score_0"] = "good", None
    assert task_of(tmp_path, rows, {}).cleaning.named == (
        f"{tmp_path}/d.jsonl, row 3 has 'good' in column 'score_1', which is no number",
        f"{tmp_path}/d.jsonl, row 5 has None in column 'score_0', which is no number",
    )


def test_a_few_bad_rows_are_left_out_counted_and_named(tmp_path):
    rows = repeated(*tables(T, 1, 0))
    rows[7]["text"], rows[9]["label"], rows[11]["label"] = "", None, "b"
    task = task_of(tmp_path, rows, {})
    assert len(task.rows) == 57
    (line,) = [s for s in task.cleaning.sentences() if "malformed" in s]
    assert "row 8 has no text in column 'text'; " in line
    assert "row 10 has no label in column 'label'; " in line
    assert line.endswith("row 12 has the label 'b' where others are numbers): 3.")
    with pytest.raises(UserError, match="row 8 has no text in column 'text': fill it in"):
        task_of(tmp_path, rows, {"strict_rows": True})
    rows[12]["text"] = " "
    with pytest.raises(UserError, match=r"row 8 .*, and 3 other rows of 60 .*: fill it in or drop"):
        task_of(tmp_path, rows, {})


def test_what_is_read_and_what_is_not_is_said(tmp_path):
    row = {"system": "S", "question": "Q *", **BEST, "source": "forum", "id": 3}
    (account,) = task_of(tmp_path, repeated(row), {}).accounts
    read, unread = account.sentences()
    assert read == (
        "Read as preferences: prompt from system and question; chosen from chosen; rejected from "
        "rejected."
    )
    assert unread.startswith("Not read, though there is text in it: source; name columns with")
    stars = task_of(tmp_path, repeated(*tables(T, 1, 5)), {}).accounts[0].sentences()[-1]
    assert stars.startswith("The labels in column 'label' are 2 classes, 1, 5, which are learnt")


@pytest.mark.parametrize(
    ("row", "options", "sentence"),
    [
        (TWO, {}, "two completions .*response_0, response_1.* name it with --preference-column"),
        ({**TWO, "preference": "who"}, {}, "has 'who' in column 'preference', which does not say"),
        ({**TWO, "preference": True}, {}, "has True in column 'preference', which does not say"),
        (NLI | {"label": 1}, {"template": "{premise!r}"}, "has more than names in braces"),
        (NLI | {"label": 1}, {"template": "{premise.x}"}, "has more than names in braces"),
        (NLI | {"label": 1}, {"template": "{premise"}, "cannot be read"),
        (NLI | {"label": 1}, {"template": "no"}, "names no column"),
        (NLI | {"label": 1}, {"template": "{claim}"}, "no column 'claim'.*--template"),
        ({"prompt": "p *"}, {"target_column": "t"}, "no column 't'.*--target-column"),
        ({"chosen": "a *"}, {"chosen_column": "chosen"}, "no column 'rejected'"),
        ({"messages": [said(U, "*"), said(U, "b")]}, {}, "no turn of the assistant at the end"),
        ({"text": "a *", "score": 0.5}, {}, "no column 'label'"),
        (T | {"label": -1}, {}, "has -1 in every row of column 'label', which stands for no label"),
    ],
)
def test_what_has_no_plain_meaning_is_refused_in_a_sentence(tmp_path, row, options, sentence):
    with pytest.raises(UserError, match=sentence):
        task_of(tmp_path, repeated(row), options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"text_column": "a", "template": "{b}"}, "text_column and template both say"),
        ({"text_column": "a", "chosen_column": "b"}, "are for different kinds of task"),
        ({"target_column": "a", "preference_column": "b"}, "are for different kinds of task"),
    ],
)
def test_columns_that_do_not_go_together_are_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        DataOptions(**options)
