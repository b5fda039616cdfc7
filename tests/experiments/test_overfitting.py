"""Following students: the training is the usual one, and what the test says decides nothing."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from weak2strong.engine.local import Plan
from weak2strong.experiments.followed import curve, points_of
from weak2strong.experiments.overfitting import FinishedOverfitting, Overfitting
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import make_splits
from weak2strong.tasks.task import Example

LOOKS = 4


@pytest.fixture(scope="module")
def config(quick_study):
    return replace(quick_study, methods=("naive",))


@pytest.fixture(scope="module")
def followed(config, tmp_path_factory):
    """Run folder and store of a student that was followed."""
    at = tmp_path_factory.mktemp("overfitting")
    experiment = Overfitting.of(config, evaluations=LOOKS)
    folder = experiment.write(at / "run", at / "store", plan=Plan(1, 1))
    return FinishedOverfitting(folder), at / "store"


def task_run_of(config, store, **changes) -> TaskRun:
    task = TASKS.get("atlas-landlocked")
    config = resolved(replace(config, **changes))
    return TaskRun(config, Store(store), task.name, task, make_splits(task))


def test_what_is_kept_is_what_a_study_with_as_many_looks_would_keep(config, followed):
    """The student that stopped on weak labels, and the last one, are those of ordinary runs."""
    finished, store = followed
    curves, points = finished.curves, finished.points
    for point, stopping in (("stopped", "weak-validation"), ("last", "none")):
        training = replace(config.strong_training, evaluations=LOOKS, stopping=stopping)
        task_run = task_run_of(config, store, strong_training=training)
        usual = stages.student(task_run, "naive", 0)["test"]
        rows = points.filter(point=point)
        found = np.array(rows["probabilities"].to_list())
        np.testing.assert_allclose(found, usual.at(rows["id"].to_list()), atol=1e-12)
        labels = rows["label"].to_numpy()
        at = curves.filter(pl.col(point))
        assert at["test_score"].to_list() == [pytest.approx(accuracy(found, labels))]


def test_a_curve_has_a_row_an_evaluation(followed):
    curves, points = followed[0].curves, followed[0].points
    assert curves["fraction"].to_list() == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.06)
    for point, score in (("best", "test_score"), ("stopped", "validation_score")):
        best = (curves[score] == curves[score].max()).arg_true()
        assert curves[point].arg_true().to_list() == [best[-1]]
    assert curves["last"].to_list() == [False, False, False, True]
    for name in ("agreement_all", "agreement_right", "agreement_wrong"):
        assert curves[name].is_between(0, 1).all()
    # With two classes, who errs with the supervisor is wrong, and agrees where it is right.
    labels = points.filter(role="floor").sort("id")
    right = labels["probabilities"].list.arg_max() == labels["label"]
    share = right.mean()
    expected = share * curves["agreement_right"] + (1 - share) * (1 - curves["agreement_wrong"])
    np.testing.assert_allclose(curves["test_score"], expected)


def test_ground_truth_of_the_test_decides_nothing_but_the_best_point(config, followed, tmp_path):
    """With other labels on the test, and of strong_train and validation, the same student."""
    task_run = task_run_of(config, tmp_path / "store")
    honest = task_run_of(config, followed[1])
    rng = np.random.default_rng(0)
    task_run.splits = replace(
        task_run.splits,
        **{
            split: tuple(
                Example(e.item, int(rng.integers(2))) for e in task_run.splits.examples(split)
            )
            for split in stages.PREDICTED
        },
    )
    one, other = (stages.traced_student(d, "naive", 0, LOOKS) for d in (honest, task_run))
    for a, b in zip(one.evaluations, other.evaluations, strict=True):
        for split in ("validation", "test"):
            np.testing.assert_array_equal(a[split].probabilities, b[split].probabilities)
    weak = stages.weak_labels(task_run, 0)
    blind = curve(other, weak, task_run.splits.test, task_run.config, "classification")
    seen = followed[0].curves
    assert [row["stopped"] for row in blind] == seen["stopped"].to_list()
    assert [row["test_score"] for row in blind] != seen["test_score"].to_list()


def test_an_oracle_for_a_stopping_rule_changes_no_curve(config, followed):
    """The weak labels stop, even in a study whose students would stop on ground truth."""
    training = replace(config.strong_training, stopping="oracle")
    task_run = task_run_of(config, followed[1], strong_training=training)
    task_run.compute = False
    stages.traced_student(task_run, "naive", 0, LOOKS)


def test_of_equals_the_latest_is_kept():
    rows = [
        {"test_score": t, "validation_score": v}
        for t, v in ((0.6, 0.7), (0.8, 0.9), (0.8, 0.9), (0.7, 0.8))
    ]
    assert points_of(rows) == {"best": 2, "stopped": 2, "last": 3}


def test_points_have_the_pgr_of_their_own_answers(config, followed):
    found = followed[0].rows
    assert [line["point"] for line in found] == ["best", "stopped", "last"]
    curves = followed[0].curves
    for line in found:
        row = curves.filter(line["point"]).row(0, named=True)
        assert line["student"] == pytest.approx(row["test_score"])
        assert line["fraction"] == row["fraction"]
    assert found[0]["student"] >= max(line["student"] for line in found)


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("few-shot", "sees ground truth"),
        ("bootstrapping", "finetunes 2 times"),
        ("zero-shot", "finetunes 0 times"),
    ],
)
def test_methods_without_one_curve_are_refused(config, tmp_path, method, sentence):
    config = replace(config, methods=(method,), intermediates=(config.weak,))
    with pytest.raises(UserError, match=sentence):
        Overfitting.of(config, evaluations=LOOKS).write(tmp_path / "run", tmp_path / "store")
