"""Doubts about a training are said before students are trained, and again from the run folder."""

import json
from dataclasses import replace

import numpy as np
import pytest

from weak2strong.analysis.intervals import at_hand_interval, group_weights
from weak2strong.analysis.recovered import _measured
from weak2strong.cli import main
from weak2strong.engine.doubts import difference
from weak2strong.engine.local import Plan
from weak2strong.engine.run import run_study
from weak2strong.ground.metrics import accuracy, roc_auc
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.store import Store
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.steps import steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.report.page import page

ONE = Plan(workers=1, threads=1)


@pytest.fixture(scope="module")
def slow_study(quick_study):
    """A study whose supervisors are trained at a rate at which they cannot move."""
    still = replace(quick_study.weak_training, learning_rate=1e-7, stopping="none")
    return replace(quick_study, seeds=1, methods=("naive",), weak_training=still)


@pytest.fixture(scope="module")
def run(slow_study, tmp_path_factory):
    at = tmp_path_factory.mktemp("doubts")
    return run_study(slow_study, at / "run", at / "store", plan=ONE)


def events_of(folder):
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def told(folder):
    """Warnings of a run that are about a supervisor's training, before its first student's step."""
    events = events_of(folder)
    students = [i for i, e in enumerate(events) if " student " in e.get("name", "")]
    before = events[: students[0]]
    return [e["text"] for e in before if "the supervisor (" in e.get("text", "")]


def test_a_supervisor_that_cannot_move_is_told_before_students_are_trained(run):
    (text,) = told(run)
    assert "seed 0) has hardly learned from its labels" in text
    assert "trunk 1e-07, head 1e-07" in text


def test_it_is_told_where_every_stage_came_from_the_store(run, slow_study, tmp_path):
    again = run_study(slow_study, tmp_path / "run", run.parent / "store", plan=ONE)
    assert all(e["reused"] for e in events_of(again) if e["event"] == "step")
    assert told(again) == told(run)
    learned = [json.loads((folder / "learned.json").read_text()) for folder in (run, again)]
    assert learned[0] == learned[1]
    assert {(x["role"], x["method"]) for x in learned[0]} == {
        ("supervisor", None),
        ("ceiling", None),
        ("student", "naive"),
    }


def test_table_and_page_say_it_from_the_folder_alone(run, capsys, undrawn):
    assert main(["table", str(run)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for text in (printed, page([run])):
        assert "gpt2, seed 0) has hardly learned from its labels" in text


def test_the_baseline_is_made_before_supervisors_and_they_before_students(quick_study):
    config = resolved(quick_study)
    found = steps(config, {"a-task": "classification"})
    assert found[0].kind == "ngrams"
    needs = {step.kind: step.needs for step in found}
    assert needs["supervisor"] == (found[0].name,)
    assert needs["student"] == ("a-task supervisor seed 0",)
    own = replace(config, weak_labels="labels.csv")
    needs = {step.kind: step.needs for step in steps(own, {"a-task": "classification"})}
    assert needs["student"] == (found[0].name,)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
def test_the_difference_on_test_examples_has_the_interval_of_the_analysis(
    metric, slow_study, tmp_path
):
    task_run = TaskRun.of(
        resolved(replace(slow_study, metric=metric)), Store(tmp_path), "atlas-landlocked"
    )
    test, rng = task_run.splits.test, np.random.default_rng(0)
    labels = np.array([e.label for e in test])
    ids = tuple(e.item.id for e in test)
    answers = []
    for skill in (1.0, 0.6):
        p = 1 / (1 + np.exp(-rng.normal(skill * (2 * labels - 1), 1.0)))
        answers.append(np.stack([1 - p, p], axis=1))
    score = {"accuracy": accuracy, "roc_auc": roc_auc}[metric]
    scores, low, high = difference(task_run, *(Predictions(ids, p) for p in answers))
    assert scores == tuple(score(p, labels) for p in answers)
    groups = np.array([e.item.group for e in test])
    weights = group_weights(groups, 2000, rng)
    roles = [p[None] for p in answers]
    measured = _measured(roles, {}, labels, score, weights, len(set(groups)))
    wanted = at_hand_interval(measured, np.array([1.0, -1.0]), 0.95)
    assert (low + high) / 2 == pytest.approx((wanted.low + wanted.high) / 2)
    assert high - low == pytest.approx(wanted.high - wanted.low, rel=0.15)
