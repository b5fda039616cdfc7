"""Studies of simulated supervisors: what students are given, and what is shared."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import students
from weak2strong.protocol.task_run import TaskRun
from weak2strong.simulators import SIMULATORS
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import make_splits


@pytest.fixture(scope="module")
def make_task_run(quick_study, tmp_path_factory):
    """Desks of one store."""
    store, task = Store(tmp_path_factory.mktemp("simulated")), TASKS.get("atlas-landlocked")
    splits = make_splits(task)

    def make(**changes) -> TaskRun:
        return TaskRun(resolved(replace(quick_study, **changes)), store, task.name, task, splits)

    return make


def accuracies(task_run: TaskRun, labels) -> dict[str, float]:
    return {
        split: float(
            (p.at([e.item.id for e in given]).argmax(axis=1) == [e.label for e in given]).mean()
        )
        for split, p in labels.items()
        for given in [task_run.splits.examples(split)]
    }


@pytest.mark.parametrize("kind", list(SIMULATORS))
def test_the_accuracy_is_that_of_the_real_supervisor_or_the_one_asked_for(make_task_run, kind):
    real = make_task_run()
    theirs = accuracies(real, stages.supervisor(real, 0))
    task_run = make_task_run(simulated=kind)
    labels = stages.weak_labels(task_run, 0)
    assert accuracies(task_run, labels) == theirs
    assert all(set(np.unique(p.probabilities)) == {0, 1} for p in labels.values())
    asked = make_task_run(simulated=kind, simulated_accuracy=0.75)
    found = accuracies(asked, stages.weak_labels(asked, 0))
    assert set(found) == set(stages.PREDICTED)
    assert all(abs(a - 0.75) <= 0.005 for a in found.values())


def test_a_student_of_the_supervisors_own_errors_is_that_of_its_hard_labels(make_task_run):
    """The same fit, found in the store under the same key."""
    one, other = make_task_run(labels="hard"), make_task_run(simulated="own-errors")
    found = [
        stages.student(task_run, "naive", 0)["test"].probabilities for task_run in (one, other)
    ]
    np.testing.assert_array_equal(*found)
    assert next(u for u in other.used if u.stage == "student").reused


def test_ceilings_are_shared_and_simulated_labels_made_once(make_task_run):
    stages.ceiling(make_task_run(), 0)
    task_run = make_task_run(simulated="longest")
    stages.weak_labels(task_run, 0)
    task_run.compute = False
    stages.ceiling(task_run, 0)
    stages.weak_labels(task_run, 0)


def test_only_trivial_imitation_changes_texts_and_only_those_of_students(
    make_task_run, monkeypatch
):
    """The finetuning is a stand-in here: texts are long then."""
    seen = []

    def spy(one):
        seen.append((one.train, one.task_run.splits.items("test")))
        return labels

    monkeypatch.setattr(students, "finetune", spy)
    task_run = make_task_run(simulated="trivial-imitation", simulated_accuracy=0.7)
    before, labels = task_run.splits, stages.weak_labels(task_run, 0)
    stages.student(task_run, "naive", 0)
    ((train, test),) = seen
    assert task_run.splits is before
    for items, split in ((train.items, "strong_train"), (test, "test")):
        for item, plain in zip(items, before.items(split), strict=True):
            said = task_run.task.classes[int(labels[split].at([item.id])[0].argmax())]
            assert item.id == plain.id
            assert item.text == f"{plain.text} I think this is {said}. What do you think?"


def test_a_simulated_study_says_so_and_reads_back():
    config = StudyConfig(simulated="longest", simulated_accuracy=0.8)
    assert config.weak_name == "simulated longest"
    assert StudyConfig.from_yaml(config.to_yaml()) == config


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"simulated": "longst"}, "Unknown simulated supervisor 'longst': .* longest"),
        (
            {"simulated": "longest", "simulated_accuracy": 75},
            "accuracy must be at most 1, not 75",
        ),
        ({"simulated_accuracy": 0.8}, "needs a kind"),
        ({"simulated": "longest", "methods": ("ensemble",)}, "needs a supervisor"),
    ],
)
def test_bad_simulations_are_refused_in_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence):
        resolved(StudyConfig(**change))
