"""Head-only models of images read what their trunk gave before: every image passes it once."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from tests.models.images import saved

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.places import Plan
from weak2strong.engine.plan import plan_study
from weak2strong.engine.run import run_study
from weak2strong.ground.store import Store
from weak2strong.models.stored_states import StoredStates
from weak2strong.models.vision import ImageTrunk
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.stages import learners
from weak2strong.protocol.stages.supervisor import supervisor_finetuning
from weak2strong.protocol.task_run import TaskRun

QUICK = Training(steps=4, batch_size=8, learning_rate=1e-3, head_rate=1e-2)
COUNT = 40


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("stored")
    draws = np.random.default_rng(0)
    for label, name in enumerate(("dark", "light")):
        (root / "shades" / name).mkdir(parents=True)
        for i in range(COUNT // 2):
            pixels = draws.integers(0, 150, (12, 15, 3)) + 80 * label
            Image.fromarray(pixels.astype(np.uint8)).save(root / "shades" / name / f"{i}.png")
    weak, strong = (str(saved(family, root / family)) for family in ("vit", "convnext"))
    return StudyConfig(
        tasks=(str(root / "shades"),),
        weak=ModelSpec(weak, adaptation="head"),
        strong=ModelSpec(strong, adaptation="head"),
        methods=("naive",),
        seeds=2,
        weak_training=replace(QUICK, stopping="weak-validation"),
        strong_training=QUICK,
    )


@pytest.fixture
def seen(monkeypatch):
    """How many images have passed a trunk; black ones, by which sizes are measured, not counted."""
    counts, before, layers = [0], ImageTrunk.forward, ImageTrunk.layers

    def counting(of):
        def passed(trunk, pixels, *more):
            # The pass of the last layer alone is by `forward`, which counts it.
            if of is before or any(layer < 2 for layer in more[0]):
                counts[0] += int((pixels.flatten(1) != 0).any(1).sum())
            return of(trunk, pixels, *more)

        return passed

    monkeypatch.setattr(ImageTrunk, "forward", counting(before))
    monkeypatch.setattr(ImageTrunk, "layers", counting(layers))
    return counts


def run_of(study, store):
    return TaskRun.of(resolved(study), Store(store), study.tasks[0])


def test_every_image_passes_a_trunk_once_whatever_the_seeds_and_methods(study, tmp_path, seen):
    run = run_of(study, tmp_path)
    answered = sum(len(run.splits.items(split)) for split in stages.PREDICTED)
    # All images pass the trunk of the supervisor; its own split does not pass the student's.
    expected = {
        "supervisor": COUNT,
        "ceiling": COUNT + answered,
        "student naive": COUNT + answered,
        "student confidence": COUNT + answered,
        "probe": COUNT + answered,
    }
    found = {}
    for seed in (0, 1):
        for name in expected:
            kind, _, method = name.partition(" ")
            if kind == "probe":
                stages.probe_ceiling(run)
            else:
                stage = getattr(stages, kind)
                stage(run, method, seed) if method else stage(run, seed)
            found.setdefault(name, seen[0])
    assert found == expected
    assert seen[0] == COUNT + answered
    made = [used.stage for used in run.used if not used.reused]
    assert made.count("activations") == 3
    assert made.count("finetune") == 2 * 4


@pytest.mark.parametrize(("family", "pooling"), [("vit", "mean"), ("convnext", "auto")])
def test_answers_are_those_of_images_that_pass(study, family, pooling, tmp_path, monkeypatch, seen):
    model = ModelSpec(str(saved(family, tmp_path / family)), adaptation="head", pooling=pooling)
    study = replace(study, weak=model)
    stored = stages.supervisor(run_of(study, tmp_path / "stored"), 0)
    before = seen[0]
    monkeypatch.setattr(learners, "PASSED", {})
    passed = stages.supervisor(run_of(study, tmp_path / "passed"), 0)
    assert before >= COUNT
    assert seen[0] > before
    for split, answers in passed.items():
        assert answers.ids == stored[split].ids
        np.testing.assert_allclose(stored[split].values, answers.values, atol=1e-6)
    assert np.ptp(passed["test"].values[:, 0]) > 1e-4


def test_what_has_no_stage_of_its_states_passes_the_trunk(study, tmp_path):
    whole = replace(study, weak=replace(study.weak, adaptation="lora"))
    run = run_of(whole, tmp_path)
    items = supervisor_finetuning(run, 0).train.items
    assert learners.states_before(run, run.config.weak, items) is None
    assert learners.states_before(run, ModelSpec("atlas-s", adaptation="head"), items) is None
    alexnet = ModelSpec("alexnet-owt-7be5be79.pth", adaptation="head")
    assert learners.states_before(run, alexnet, items) is None
    assert run.used == []


@pytest.mark.slow
def test_workers_and_kept_models_give_the_same_answers(study, tmp_path):
    one = run_study(study, tmp_path / "one", tmp_path / "a", plan=Plan(1, 1), keep=("supervisor",))
    two = run_study(study, tmp_path / "two", tmp_path / "b", plan=Plan(2, 1))
    of_one, of_two = (pl.read_parquet(of / "predictions.parquet") for of in (one, two))
    assert of_one.equals(of_two)
    assert (one / "models" / "shades" / "supervisor-seed-1").is_dir()


def test_a_plan_lists_what_the_trunks_give_and_no_pass_of_a_training(study, tmp_path):
    plan = {stage.name: stage for stage in plan_study(study).stages}
    weak, strong = plan["activations of supervisor"], plan["activations"]
    assert (weak.count, strong.count) == (1, 1)
    assert min(weak.flops or 0, strong.flops or 0, weak.stored) > 0
    assert {plan[name].flops for name in ("supervisor", "ceiling", "student naive")} == {0.0}
    lora = plan_study(replace(study, weak=replace(study.weak, adaptation="lora")))
    assert "activations of supervisor" not in {stage.name for stage in lora.stages}
    (tmp_path / "alexnet.pth").touch()
    alexnet = ModelSpec(str(tmp_path / "alexnet.pth"), adaptation="head")
    passing = {stage.name: stage for stage in plan_study(replace(study, weak=alexnet)).stages}
    assert "activations of supervisor" not in passing
    assert passing["supervisor"].flops != 0


def test_states_are_rows_of_their_parts_and_nothing_where_one_is_missing():
    first, second = np.arange(6, dtype="f4").reshape(3, 2), np.full((1, 2), 9, dtype="f4")
    places = {"a": (0, 2), "b": (1, 0), "c": (0, 0)}
    states = StoredStates((first, second), places)
    given = states.given(["b", "a", "c", "a"])
    assert given is not None
    assert len(given) == 4
    np.testing.assert_array_equal(given.at(np.array([3, 0, 2])), [[4, 5], [9, 9], [0, 1]])
    assert states.given(["a", "d"]) is None
    assert torch.from_numpy(given.at(np.arange(4))).dtype == torch.float32
