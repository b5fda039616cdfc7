"""Looking at single test examples: which are meant, and what is printed of them."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from weak2strong.analysis.finished import FinishedRun
from weak2strong.analysis.looked import looked_at
from weak2strong.analysis.looking import Wish, look
from weak2strong.analysis.where import read_where
from weak2strong.cli import main
from weak2strong.engine import examples as kept
from weak2strong.ground.errors import UserError
from weak2strong.report.looked import common_beginning, looked_document
from weak2strong.report.parts import examples as part
from weak2strong.report.terminal import print_document
from weak2strong.tasks.task import Example, Item


@pytest.fixture(scope="module")
def run(small_run):
    return FinishedRun(small_run)


@pytest.fixture(scope="module")
def truths(run):
    """By id of a-task, from the rows of the predictions: who is right, and what was said."""
    by_id = {}
    means = {}
    for row in run.predictions.filter(task="a-task").iter_rows(named=True):
        who = row["method"] or row["role"]
        key = (row["id"], who)
        means.setdefault(key, []).append(row["probabilities"][1])
        by_id.setdefault(row["id"], {"label": row["label"], "difficulty": row["difficulty"]})
    for (id, who), p in means.items():
        says = int(np.mean(p) > 0.5)
        of = {"says": says, "right": says == by_id[id]["label"], "p": p}
        by_id[id][who] = of | {"seeds": {x > 0.5 for x in p}}
    return by_id


CONDITIONS = {
    "weak wrong, student right": lambda x: not x["floor"]["right"] and x["naive"]["right"],
    "weak wrong and student wrong": lambda x: not (x["floor"]["right"] or x["naive"]["right"]),
    "student disagrees": lambda x: x["floor"]["says"] != x["naive"]["says"],
    "ceiling disagrees": lambda x: x["floor"]["says"] != x["ceiling"]["says"],
    "seeds disagree": lambda x: len(x["naive"]["seeds"]) > 1,
    "label 1": lambda x: x["label"] == 1,
    "label NO": lambda x: x["label"] == 0,
    'weak says "no"': lambda x: x["floor"]["says"] == 0,
    "label 1 or weak wrong and label 0": lambda x: x["label"] or not x["floor"]["right"],
    "label 1 or weak wrong, label 0": lambda x: not x["label"] and not x["floor"]["right"],
    "not (weak right or not label no)": lambda x: not x["floor"]["right"] and not x["label"],
    "not weak right and label 0": lambda x: not x["floor"]["right"] and not x["label"],
    "difficulty>=1.5": lambda x: x["difficulty"] >= 1.5,
    "change > 0.3": lambda x: np.mean(np.abs(np.subtract(x["floor"]["p"], x["naive"]["p"]))) > 0.3,
    "confidence < 0.6": lambda x: max(np.mean(x["naive"]["p"]), 1 - np.mean(x["naive"]["p"])) < 0.6,
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_means_what_it_says(text, run, truths):
    looked = looked_at(run, "a-task")
    found = set(looked.ids[read_where(text)(looked, "naive")])
    assert found == {id for id, x in truths.items() if CONDITIONS[text](x)}
    assert 0 < len(found) < len(truths)


WRONG = {
    "weak": "behind weak stands right, wrong, says or disagrees",
    "weak disagrees": "'disagrees' stands behind weak",
    "student right weak wrong": "'weak' does not go on what stands before",
    "(weak right": "a bracket is open",
    "weak right or": "a condition is missing at the end",
    "weak right, , label 1": "',' stands where a condition does",
    "strong right": "'strong' begins no condition",
    "change > big": "'big' is no number",
    "label 'no": "a quote is open",
    "seeds agree": "behind seeds stands disagree",
    ")": "')' stands where a condition does",
    "not " * 1000 + "weak right": "it has more than 50 brackets and nots",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_condition_is_told_with_all_that_is(text):
    with pytest.raises(UserError) as told:
        read_where(text)
    said = str(told.value)
    assert WRONG[text] in said
    assert said.startswith(f"--where {text!r}: ")
    assert "a condition may say weak|student|ceiling right|wrong" in said
    assert "\n" not in said


def test_a_class_that_a_task_does_not_have_is_told_with_those_that_it_has(run):
    with pytest.raises(UserError, match="has no class '2': its classes are 0 no, 1 "):
        look(run, Wish("label 2"))


def test_examples_are_sorted_searched_and_cut(run, truths):
    found = look(run, Wish(tasks=("a-task",), method="confidence"))
    assert [s.among.ids[s.at] for s in found.examples] == sorted(
        truths,
        key=lambda id: (
            -np.mean(np.abs(np.subtract(truths[id]["floor"]["p"], truths[id]["confidence"]["p"]))),
            id,
        ),
    )
    hardest = look(run, Wish(sort="difficulty", limit=3))
    numbers = run.predictions["difficulty"].unique().sort(descending=True)
    assert [row["difficulty"] for row in hardest.rows] == numbers[:3].to_list()
    assert hardest.matched == 600
    # The texts of the made run end with the id.
    id = run.examples.filter(task="b-task")["id"].min()
    (one,) = look(run, Wish(search=("ALERT", id), tasks=("b-task",))).rows
    assert (one["task"], one["id"]) == ("b-task", id)
    of_seed = look(run, Wish("weak wrong", seed=2, tasks=("a-task",)))
    wrong = {id for id, x in truths.items() if (x["floor"]["p"][2] > 0.5) != x["label"]}
    assert {row["id"] for row in of_seed.rows} == wrong
    assert all(len(row["supervisor"]["right_by_seed"]) == 1 for row in of_seed.rows)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(method="naif"), "Unknown method of this run 'naif': did you mean naive?"),
        (Wish(tasks=("c-task",)), "Unknown task of this run 'c-task'"),
        (Wish(sort="size"), "Unknown sort of examples 'size'"),
        (Wish(seed=3), "There is no seed 3 in .*: its seeds are 0 to 2"),
        (Wish(limit=0), "--limit is a number of examples, at least 1, not 0"),
    ],
)
def test_a_wrong_wish_is_one_sentence(run, wish, said):
    with pytest.raises(UserError, match=said):
        look(run, wish)


@pytest.mark.parametrize("width", [80, 60])
def test_it_can_be_read_in_a_narrow_terminal(run, mates_run, width):
    for one in (run, FinishedRun(mates_run)):
        found = look(one, Wish("weak wrong", limit=3))
        out = io.StringIO()
        console = Console(file=out, width=width, force_terminal=True, color_system=None)
        print_document(looked_document(found, "change"), console)
        lines = out.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        said = [line.split() for line in lines]
        rows = [words for words in said if words[:1] == ["supervisor"]]
        assert len(rows) == 3
        assert all("wrong" in words for words in rows)
        assert out.getvalue().count("\ntruth: ") == 3


def test_text_answers_agree_as_the_metric_reads_them(mates_run):
    run = FinishedRun(mates_run)
    (looked,) = [looked_at(run, task) for task in run.by_task][:1]
    for voice in looked.voices.values():
        for i in range(len(looked.ids)):
            names = [x.strip(" .").lower() for x in voice.names[:, i]]
            often = max(names, key=lambda x: (names.count(x), -names.index(x)))
            assert voice.name[i].strip(" .").lower() == often
            accepted = {x.lower() for x in looked.labels[i]}
            assert voice.is_right[i] == (often in accepted)
            assert voice.sure[i] == names.count(often) / len(names)


def test_a_page_has_no_answers_but_those_of_its_rows(mates_run, monkeypatch):
    monkeypatch.setattr(part, "drawn", lambda *_: [])
    run = FinishedRun(mates_run)
    looked = looked_at(run, next(iter(run.by_task)))
    whole, few = part._task(looked, 1e9), part._task(looked, 2000.0)
    assert len(whole["rows"]) == whole["total"] > len(few["rows"]) > 1
    assert len(few["answers"]) < len(whole["answers"])
    assert len(json.dumps(few["rows"] + few["answers"], separators=(",", ":"))) < 3000
    said = {name for voice in looked.voices.values() for name in voice.names.ravel()}
    assert set(whole["answers"]) == said.union(*looked.labels)
    row = dict(zip(("id", *"abcd", "labels"), few["rows"][0], strict=False))
    (at,) = np.flatnonzero(looked.ids == row["id"])
    assert [few["answers"][number] for number in row["labels"]] == list(looked.labels[at])


def test_a_run_keeps_texts_as_far_as_there_is_room(run, monkeypatch):
    ids = [f"{i:016x}" for i in range(300)]
    test = [Example(Item(id, id, f"text {id[-4:]}"), 0) for id in ids]
    tasks = {name: SimpleNamespace(splits=SimpleNamespace(test=test)) for name in run.by_task}

    def table():
        return kept.examples_table(tasks, run.predictions, None)

    whole = table()
    assert whole["texts"].null_count() == 0
    assert len(whole) == 600
    monkeypatch.setattr(kept, "ROOM", 2 * 9 * 70 + 5)
    few = table()
    texts = few.drop_nulls("texts")
    assert texts.group_by("task").len()["len"].to_list() == [70, 70]
    assert dict(few.select("id", "digest").iter_rows()) == dict(
        whole.select("id", "digest").iter_rows()
    )
    first = kept.outcomes(run.predictions).group_by("task", "outcome", maintain_order=True)
    wanted = set(first.head(kept.KEPT).select("task", "id").iter_rows())
    assert 50 < len(wanted) < 140
    assert wanted <= set(texts.select("task", "id").iter_rows())


def test_a_long_text_loses_its_middle():
    text = "begin " + "x" * 5000 + " end"
    short = kept.shortened(text)
    assert len(short) <= kept.LONGEST
    assert short.startswith("begin xxx")
    assert short.endswith("xxx end")
    assert kept.CUT in short
    assert kept.shortened("short") == "short"


def test_what_two_texts_begin_with_ends_with_a_word():
    assert common_beginning("It is Asia now", "It is Asian") == "It is "
    assert common_beginning("same", "same") == ""
    assert common_beginning("a b", "c") == ""


def test_a_folder_with_several_runs_names_one(made_grid, capsys):
    assert main(["examples", str(made_grid)]) == 2
    assert "runs with test examples: name one of them, such as" in capsys.readouterr().err
