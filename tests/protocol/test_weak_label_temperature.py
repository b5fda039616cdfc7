"""How sure the labels are that students learn: what a temperature changes, and what it does not."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from weak2strong.engine.plan import plan_study
from weak2strong.engine.record import results_files
from weak2strong.engine.recorded import RESULTS
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions
from weak2strong.ground.store import Store
from weak2strong.ground.temperature import fitted_temperature
from weak2strong.methods.reference import find_method
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import students
from weak2strong.protocol.stages.finetuning import ASIDE
from weak2strong.protocol.stages.labels import student_labels
from weak2strong.protocol.steps import perform, steps
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import SPLITS, Splits, make_splits
from weak2strong.tasks.task import Example


@pytest.fixture
def make_task_run(quick_study, tmp_path):
    """Task runs on a part of a real task, with a store that they share."""

    def make(task="atlas-landlocked", store="store", data=None, **changes) -> TaskRun:
        config = resolved(replace(quick_study, tasks=(task,), **changes))
        whole = make_splits(TASKS.get(task))
        splits = data or Splits(*(tuple(whole.examples(s)[::8]) for s in SPLITS))
        return TaskRun(config, Store(tmp_path / store), task, TASKS.get(task), splits)

    return make


def turned(examples):
    return tuple(Example(e.item, 1 - e.label) for e in examples)


@pytest.mark.parametrize("task", ["atlas-landlocked", "atlas-preference-hemisphere"])
def test_students_learn_the_supervisors_probabilities_at_the_temperature(make_task_run, task):
    plain, warm = make_task_run(task), make_task_run(task, weak_label_temperature=3.0)
    labels = stages.weak_labels(plain, 0)
    found = student_labels(warm, stages.weak_labels(warm, 0))
    assert warm.used[-1].reused, "the supervisor, and with it the floor, is the same one"
    for split in ("strong_train", "validation"):
        expected = softmax(np.log(labels[split].values) / 3, axis=1)
        np.testing.assert_allclose(found.at(labels[split].ids), expected, atol=1e-12)
    first, other = (stages.student(run, "naive", 0)["test"].values for run in (plain, warm))
    assert not np.array_equal(first, other)


def test_a_student_of_labels_at_a_temperature_is_that_of_a_file_with_these(make_task_run, tmp_path):
    warm = make_task_run(weak_label_temperature=3.0)
    labels = stages.weak_labels(warm, 0)
    values = {**labels, "both": student_labels(warm, labels)}
    rows = [(i, values["both"].at([i])[0]) for i in values["both"].ids]
    rows += [(i, labels["test"].at([i])[0]) for i in labels["test"].ids]
    file = tmp_path / "labels.jsonl"
    lines = [json.dumps({"id": i, "probabilities": p.tolist()}) for i, p in rows]
    file.write_text("\n".join(lines))
    one = stages.student(warm, "naive", 0)
    given = make_task_run(weak_labels=file)
    two = stages.student(given, "naive", 0)
    np.testing.assert_allclose(one["test"].values, two["test"].values, atol=1e-4)


@pytest.mark.parametrize("stopping", ["none", "weak-validation"])
def test_it_is_fitted_on_ground_truth_that_the_supervisor_has_not_learnt(
    make_task_run, quick_study, stopping
):
    settings = {
        "weak_label_temperature": "fit",
        "weak_training": replace(quick_study.weak_training, stopping=stopping),
    }
    task_run = make_task_run(**settings)
    labels = stages.weak_labels(task_run, 0)
    truth = {e.item.id: e.label for e in task_run.splits.weak_train}
    aside = labels[ASIDE]
    assert 0.05 < len(aside.ids) / len(truth) < 0.15
    expected = fitted_temperature(aside.values, np.array([truth[i] for i in aside.ids]))
    assert stages.temperature_of(task_run, labels) == expected
    # With all other ground truth turned round, the supervisor answers the same items aside.
    weak = task_run.splits.weak_train
    kept = set(aside.ids)
    other = tuple(e if e.item.id in kept else turned([e])[0] for e in weak)
    changed = make_task_run(data=replace(task_run.splits, weak_train=other), **settings)
    assert stages.weak_labels(changed, 0)[ASIDE].ids == aside.ids
    if stopping == "none":
        # Where nothing is stopped on it, ground truth aside is not looked at by the supervisor.
        hidden = tuple(turned([e])[0] if e.item.id in kept else e for e in weak)
        blind = make_task_run(data=replace(task_run.splits, weak_train=hidden), **settings)
        same = stages.weak_labels(blind, 0)
        assert blind.used[-1].reused
        assert stages.temperature_of(blind, same) != expected


def test_no_other_ground_truth_plays_a_part(make_task_run):
    task_run = make_task_run(weak_label_temperature="fit")
    splits = task_run.splits
    hidden = {s: turned(splits.examples(s)) for s in ("strong_train", "validation", "test")}
    blind = make_task_run(
        data=replace(splits, **hidden), store="other", weak_label_temperature="fit"
    )
    one, other = (stages.student(run, "naive", 0) for run in (task_run, blind))
    for split in stages.PREDICTED:
        np.testing.assert_array_equal(one[split].values, other[split].values)


def test_every_supervisor_of_an_ensemble_has_a_temperature_of_its_own(make_task_run):
    task_run = make_task_run(weak_label_temperature="fit")
    labels = student_labels(task_run, stages.weak_labels(task_run, 0))
    method, strong = find_method("ensemble"), task_run.config.strong
    context = students.StudentContext(task_run, method, 0, strong, labels)
    found = context.supervisors(2)[1]
    own = stages.supervisor(task_run, students.STRIDE)
    np.testing.assert_array_equal(found.values, student_labels(task_run, own).values)
    assert not np.array_equal(found.at(own["validation"].ids), own["validation"].values)


def test_the_key_of_a_method_with_further_supervisors_has_the_temperature(make_task_run, tmp_path):
    """Its own labels need not tell it: even ones are the same at every temperature."""
    keys = []
    for temperature in (None, 2.0):
        task_run = make_task_run(weak_label_temperature=temperature)
        ids = [item.id for s in ("strong_train", "validation") for item in task_run.splits.items(s)]
        even = Predictions(tuple(ids), np.full((len(ids), 2), 0.5))
        keys.append(students._fields(task_run, find_method("ensemble")))
        assert np.array_equal(student_labels(task_run, halves(even, task_run)).values, even.values)
        assert "weak_label_temperature" not in students._fields(task_run, find_method("naive"))
    assert keys[0] != keys[1]


def halves(even, task_run):
    return {
        s: even.only([item.id for item in task_run.splits.items(s)])
        for s in ("strong_train", "validation")
    }


def test_a_run_tells_each_temperature_also_of_stored_supervisors(make_task_run):
    for _ in range(2):
        task_run = make_task_run(weak_label_temperature="fit")
        every = steps(task_run.config, {"atlas-landlocked": "classification"})
        perform(next(step for step in every if step.kind == "supervisor"), task_run)
        found = stages.temperature_of(task_run, stages.weak_labels(task_run, 0))
        assert task_run.used[0].note.endswith(f"its labels are learnt at temperature {found:g}")
    assert task_run.used[0].reused


REFUSED = [
    ({"labels": "hard"}, "does not change hard labels, and here hard labels are learnt"),
    ({"simulated": "random-flips"}, "here those of a simulated supervisor are hard"),
    ({"tasks": ("atlas-generation",)}, "atlas-generation is answered in words"),
    ({"weak_labels": Path("hard.csv")}, "Weak labels hard.csv are hard"),
    ({"weak_labels": Path("soft.csv"), "weak_label_temperature": "fit"}, "give a number"),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_what_has_no_temperature_is_refused_in_a_sentence(
    quick_study, tmp_path, monkeypatch, change, sentence
):
    monkeypatch.chdir(tmp_path)
    Path("hard.csv").write_text("id,label\na,1\nb,0\n")
    Path("soft.csv").write_text("id,probability\na,0.9\nb,0\n")
    with pytest.raises(UserError, match=sentence) as caught:
        resolved(replace(quick_study, **{"weak_label_temperature": 2.0, **change}))
    assert "\n" not in str(caught.value)
    assert resolved(replace(quick_study, weak_labels=Path("soft.csv"), weak_label_temperature=2.0))


def test_one_group_alone_leaves_nothing_to_fit_on(make_task_run):
    splits = make_task_run().splits
    together = tuple(
        Example(replace(e.item, group="all of them"), e.label) for e in splits.weak_train
    )
    last = replace(make_task_run().config.weak_training, stopping="none")
    task_run = make_task_run(
        data=replace(splits, weak_train=together),
        weak_label_temperature="fit",
        weak_training=last,
    )
    with pytest.raises(UserError, match="all of weak_train is one group"):
        stages.student(task_run, "naive", 0)


def test_a_plan_counts_the_tenth_that_is_not_learnt(quick_study):
    last = replace(quick_study.weak_training, stopping="none")
    studies = [
        replace(quick_study, weak_training=last, weak_label_temperature=t)
        for t in (None, 2.0, "fit")
    ]
    plain, number, fitted = (plan_study(study).stages[0] for study in studies)
    assert plain == number
    assert 0.88 < fitted.flops / plain.flops < 0.99


def test_results_have_the_temperature_of_each_seed(make_task_run):
    for temperature in ("fit", None):
        task_run = make_task_run(seeds=2, methods=("naive",), weak_label_temperature=temperature)
        content = results_files(task_run.config, {"atlas-landlocked": task_run})[RESULTS]
        rows = pl.read_parquet(io.BytesIO(content)).unique(("seed", "weak_label_temperature"))
        found = dict(rows.select("seed", "weak_label_temperature").iter_rows())
        own = {
            seed: stages.temperature_of(task_run, stages.weak_labels(task_run, seed))
            for seed in range(2)
        }
        assert found == own
    assert own == {0: None, 1: None}
