"""Classes that people gave, in columns of the data, as weak labels."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.study import StudyConfig
from weak2strong.experiments.grid import Grid
from weak2strong.experiments.simulate import Simulate
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.ground.votes import dawid_skene
from weak2strong.protocol import stages
from weak2strong.protocol.choice import has_supervisor
from weak2strong.protocol.resolve import resolved, splits_of
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.annotators import votes_of
from weak2strong.tasks.find import find_task

NAMES = ("no", "yes")
COLUMNS = ("ann", "bob", "cyd")
SMALL = DataOptions(weak_label_columns=COLUMNS, near_duplicates=False)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A file in which Ann is right in 9 of 10 rows, Bob and Cyd in fewer, and Cyd leaves gaps."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(200):
        label = int(rng.integers(2))
        row = {"text": f"text number {i} {rng.integers(10**9)}", "label": NAMES[label]}
        for who, accuracy in zip(COLUMNS, (0.9, 0.7, 0.6), strict=True):
            row[who] = NAMES[label if rng.random() < accuracy else 1 - label]
        row["bob"] = row["bob"].upper()
        if rng.random() < 0.3:
            row["cyd"] = None
        rows.append(row)
    rows[7] |= {"ann": None, "bob": "", "cyd": None}
    rows[11] |= {"ann": "maybe"}
    path = tmp_path_factory.mktemp("people") / "people.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path, rows


def task_run(people, tmp_path, quick_study, **data) -> TaskRun:
    path, _ = people
    options = replace(SMALL, **data)
    config = resolved(replace(quick_study, tasks=(str(path),), methods=("naive",), data=options))
    task = find_task(str(path), options)
    return TaskRun(config, Store(tmp_path), str(path), task, splits_of(config, task))


def test_columns_of_people_that_say_nothing_or_stand_twice_are_refused(tmp_path, capsys):
    path = tmp_path / "p.csv"
    path.write_text("text,label,ann\n" + "".join(f"text {i},{i % 2},\n" for i in range(60)))
    assert main(["annotators", str(path), "--weak-label-columns", "ann"]) == 2
    assert "p.csv has no row that was labelled by anyone" in capsys.readouterr().err
    assert main(["annotators", str(path), "--weak-label-columns", "ann", "ann"]) == 2
    assert "stands twice" in capsys.readouterr().err


def test_which_rows_annotators_are_compared_on_is_said(people, capsys):
    path, rows = people
    assert main(["annotators", str(path), "--weak-label-columns", "ann", "bob"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "weak labels of ann, bob" in out or "from ann and bob" in out
    assert f"of {len(rows)} rows are used." in out
    assert "Left out to make the classes even: " in out


def said_of(rows, text):
    """The votes of a row by a loop: 0, 1, or nothing."""
    (row,) = [row for row in rows if row["text"] == text]
    return [NAMES.index(row[who].lower()) if row[who] else None for who in COLUMNS]


@pytest.mark.parametrize("rule", ["mean", "majority"])
def test_weak_labels_are_what_the_rows_say(people, tmp_path, quick_study, rule):
    run = task_run(people, tmp_path, quick_study, weak_label_rule=rule)
    labels = stages.weak_labels(run, 0)
    assert not run.used, "no supervisor is trained"
    for split in stages.PREDICTED:
        for e, p in zip(run.splits.examples(split), labels[split].values, strict=True):
            votes = [v for v in said_of(people[1], e.item.text) if v is not None]
            share = sum(votes) / len(votes)
            if rule == "majority" and share != 0.5:
                share = round(share)
            assert p.tolist() == pytest.approx([1 - share, share])


def test_errors_of_annotators_are_estimated_without_the_test(people, tmp_path, quick_study):
    run = task_run(people, tmp_path, quick_study, weak_label_rule="dawid-skene")
    learnt = (*run.splits.weak_train, *run.splits.strong_train, *run.splits.validation)
    model = dawid_skene(votes_of(run.task, learnt), 2)
    labels = stages.weak_labels(run, 0)
    for split in stages.PREDICTED:
        votes = votes_of(run.task, run.splits.examples(split))
        np.testing.assert_allclose(labels[split].values, model.posterior(votes))


def test_one_annotator_is_a_supervisor(people, tmp_path, quick_study):
    run = task_run(people, tmp_path, quick_study, weak_label_columns=("cyd",))
    values = stages.weak_labels(run, 0)["test"].values
    said = [said_of(people[1], e.item.text)[2] for e in run.splits.test]
    assert values.argmax(axis=1).tolist() == said
    assert set(values.flat) == {0.0, 1.0}
    assert run.config.weak_name == "cyd"
    assert not has_supervisor(run.config)
    kinds = {step.kind for step in steps(run.config, {run.task.name: "classification"})}
    assert "student" in kinds
    assert "supervisor" not in kinds


def test_rows_that_nobody_labelled_and_words_that_are_no_class_are_left_out(people):
    task = find_task(str(people[0]), SMALL)
    assert task.cleaning.malformed == 1
    assert "'maybe' in column 'ann', which is none of the classes no, yes" in task.cleaning.named[0]
    assert task.cleaning.by_source["as they have no label"] == 1
    assert task.accounts[0].read["class of each annotator"] == COLUMNS
    assert (
        f"class of each annotator from {', '.join(COLUMNS[:-1])} and {COLUMNS[-1]}"
        in (task.accounts[0].sentences()[0])
    )
    texts = {e.item.text for e in task.load()}
    assert not texts & {people[1][i]["text"] for i in (7, 11)}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"weak_labels": "some.csv"}, "not from both"),
        ({"weak_label_temperature": "fit"}, "weak labels that are given nobody knows"),
        ({"rates": "search"}, "is given weak labels in its place"),
        ({"methods": ("ensemble",)}, "supervisor"),
    ],
)
def test_what_needs_a_supervisor_is_refused(people, quick_study, config, message):
    study = replace(quick_study, tasks=(str(people[0]),), data=SMALL)
    config = {k: Path(v) if k == "weak_labels" else v for k, v in config.items()}
    with pytest.raises(UserError, match=message):
        resolved(replace(study, **config))


def test_a_grid_of_supervisors_takes_no_annotators(people, quick_study):
    shared = {"tasks": (str(people[0]),), "data": SMALL}
    with pytest.raises(UserError, match="leave --weak-label-columns out"):
        Grid(**shared).check_supervised()
    Simulate(**shared).check_supervised(by_people=True)


def test_the_column_of_ground_truth_is_no_annotator():
    with pytest.raises(UserError, match="cannot both be in column 'label'"):
        DataOptions(weak_label_columns=("label", "ann"))
    assert StudyConfig(data=SMALL).weak_name == "mean of ann, bob, cyd"


def test_annotators_are_compared(people, capsys):
    command = ["annotators", str(people[0]), "--weak-label-columns", *COLUMNS, "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["who"]: row for row in found["annotators"]}
    assert list(rows) == [*COLUMNS, "mean", "majority", "dawid-skene"]
    kept = {e.item.text for e in find_task(str(people[0]), SMALL).load()}
    for who in COLUMNS:
        of = [r for r in people[1] if r["text"] in kept and r[who]]
        right = [r[who].lower() == r["label"] for r in of]
        assert rows[who]["labelled"] == len(of)
        assert rows[who]["accuracy"] == pytest.approx(np.mean(right))
        assert rows[who]["accuracy_low"] < np.mean(right) < rows[who]["accuracy_high"]
    assert [(row["first"], row["second"]) for row in found["pairs"]] == [
        *(("ann", "bob"), ("ann", "cyd"), ("bob", "cyd"))
    ]
    assert -1 <= found["alpha"] <= 1
    assert main(["annotators", str(people[0])]) == 2
    assert "--weak-label-columns" in capsys.readouterr().err
