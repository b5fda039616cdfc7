"""What was said of the examples that students learned from: joined by id, made again if pruned."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.engine.local import Plan
from weak2strong.experiments.experiment import Where
from weak2strong.experiments.overlap import read_examples
from weak2strong.ground.errors import UserError
from weak2strong.ground.store import Store
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.task_run import TaskRun

PLAN = Plan(workers=1, threads=1)


@pytest.fixture(scope="module")
def config(quick_study):
    return replace(quick_study, methods=("naive",), seeds=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("learned") / "store"


def test_everything_is_of_the_same_examples(config, store):
    (found,) = read_examples(config, Where(store=store, plan=PLAN), "last", 3)
    task_run = TaskRun.of(resolved(config), Store(store), "atlas-landlocked")
    assert found.layer == 2
    assert found.classes == tuple(task_run.task.classes)
    for i in (0, 7, len(found.labels) - 1):
        example = task_run.splits.strong_train[i]
        id = [example.item.id]
        assert found.labels[i] == example.label
        assert found.groups[i] == example.item.group
        states = activations(task_run, task_run.config.strong, "last")["strong_train"]
        np.testing.assert_array_equal(found.features[i], states.at(id)[0])
        for seed in range(2):
            for said, by in (
                (found.weak, stages.weak_labels(task_run, seed)),
                (found.students["naive"], stages.student(task_run, "naive", seed)),
            ):
                np.testing.assert_array_equal(said[seed, i], by["strong_train"].at(id)[0])
    assert not np.array_equal(found.weak[0], found.weak[1])


def test_the_layer_is_the_one_that_was_asked_for(config, store):
    (first,) = read_examples(config, Where(store=store, plan=PLAN), 0, 3)
    (last,) = read_examples(config, Where(store=store, plan=PLAN), -1, 3)
    assert (first.layer, last.layer) == (0, 2)
    assert not np.array_equal(first.features, last.features)


def test_a_store_without_the_run_makes_it_again(config, store, tmp_path):
    (there,) = read_examples(config, Where(store=store, plan=PLAN), "last", 3)
    (again,) = read_examples(config, Where(store=tmp_path / "empty", plan=PLAN), "last", 3)
    for name in ("features", "weak", "labels"):
        np.testing.assert_array_equal(getattr(there, name), getattr(again, name))
    np.testing.assert_array_equal(there.students["naive"], again.students["naive"])


@pytest.mark.parametrize("k", [0, 100_000])
def test_a_k_that_cannot_be_had_is_refused_before_anything_is_made(config, k, tmp_path):
    with pytest.raises(UserError, match=rf"--k {k} neighbours cannot be had among the \d+"):
        next(read_examples(config, Where(store=tmp_path / "none"), "last", k))
    assert not list((tmp_path / "none").glob("*/*"))


def test_answers_in_words_are_refused(quick_study, tmp_path):
    written = replace(quick_study, tasks=("atlas-generation",), metric="exact_match")
    with pytest.raises(UserError, match="answered in words, and overlap and expansion"):
        next(read_examples(written, Where(store=tmp_path)))
