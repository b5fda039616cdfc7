"""What two processes make together, each with a part of the model, is what one makes."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages.frozen import activations, after_reading, prompted
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks import TASKS
from weak2strong.tasks.splits import Splits, make_splits

pytestmark = pytest.mark.slow


@pytest.fixture
def both(quick_study, tmp_path):
    """The same task with a model of one process, and with one of two."""
    whole = make_splits(TASKS.get("atlas-southern"))
    names = ("weak_train", "strong_train", "validation", "test")
    splits = Splits(*(tuple(whole.examples(s)[:24]) for s in names))

    def task_run(gpus):
        strong = replace(quick_study.strong, gpus_per_fit=gpus)
        config = resolved(replace(quick_study, strong=strong, rates="rule"))
        task = TASKS.get("atlas-southern")
        return TaskRun(config, Store(tmp_path / "store"), "atlas-southern", task, splits)

    return task_run(1), task_run(2)


def same(found, expected, atol):
    assert found.keys() == expected.keys()
    for split in expected:
        assert found[split].ids == expected[split].ids
        np.testing.assert_allclose(found[split].values, expected[split].values, rtol=0, atol=atol)


def test_a_ceiling(both):
    steps = []
    one, two = both
    two.on_step = lambda done, total: steps.append((done, total))
    expected, found = (stages.ceiling(task_run, 0) for task_run in both)
    same(found, expected, 1e-5)
    assert steps == [(n, len(steps)) for n in range(1, len(steps) + 1)]
    assert not two.used[-1].reused
    assert one.used[-1].key != two.used[-1].key
    (made,) = [e for e in two.store.entries() if e.key == two.used[-1].key]
    assert made.manifest["spec"]["runtime"]["gpus"] == 2


def test_activations_and_answers_to_prompts(both):
    for layer in ("last", "middle", 0):
        one, two = (activations(task_run, task_run.config.strong, layer) for task_run in both)
        same(two, one, 1e-6)
    task = both[0].task
    draws = [[(e.item.text, e.label) for e in both[0].splits.weak_train[:2]]]
    assert task.prompt is not None
    answers = []
    for task_run in both:
        # Toys read too little for any example, and the sentence about it reaches whoever asks.
        with pytest.warns(UserWarning, match="the first of their shots are left out"):
            answers.append(prompted(task_run, task_run.config.strong, draws, True, None))
    same(answers[1], answers[0], 1e-6)


@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_a_model_that_has_read_is_saved_whole(both, adaptation):
    read = []
    for task_run in both:
        model = replace(task_run.config.strong, adaptation=adaptation)
        items = [e.item for e in task_run.splits.strong_train]
        read.append(after_reading(task_run, model, items, epochs=1, seed=3))
    one, two = (load_file(f"{model.name}/model.safetensors") for model in read)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-5)
