"""What a study can provide for: refused by name with a sentence, left out of all with a reason."""

from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.engine.plan import plan_study
from weak2strong.ground.errors import UserError
from weak2strong.methods import every_method
from weak2strong.methods.method import Given
from weak2strong.protocol.needs import intermediates_of, provided
from weak2strong.protocol.resolve import resolve
from weak2strong.tasks.task import Item

BINARY = {"atlas-asia": ("classification", 2)}


def test_the_default_study_can_provide_for_all():
    found, left = provided(StudyConfig(methods=("all",)), BINARY)
    assert found == every_method()
    assert not left
    assert [m.name for m in intermediates_of(StudyConfig())] == ["atlas-m"]


def test_oracles_come_by_name_and_nothing_twice():
    stops = Training(stopping="weak-validation")
    methods = ("kl", "all", "oracle-stopping", "kl")
    found, _ = provided(StudyConfig(methods=methods, strong_training=stops), BINARY)
    assert found[0] == "kl"
    assert found[-1] == "oracle-stopping"
    assert sorted(found) == sorted({*every_method(), "oracle-stopping"})


@pytest.mark.parametrize(
    ("changes", "method", "why"),
    [
        ({"strong": "bert"}, "zero-shot", "needs a student that is a decoder"),
        ({"strong": "bert"}, "generative+naive", "needs a student that is a decoder"),
        ({"strong": "gpt2"}, "bootstrapping", "there is none between"),
        ({"weak_labels": Path("mine.csv")}, "ensemble", "the labels come from mine.csv"),
        ({"adaptation": "head"}, "generative", "here only the head is"),
        ({"stopping": "none"}, "oracle-stopping", "here the last weights are kept"),
    ],
)
def test_what_is_missing_is_told(toy_models, quick_study, changes, method, why):
    config = quick_study
    strong = ModelSpec(str(toy_models[changes.pop("strong", "llama")]))
    config = replace(config, strong=replace(strong, adaptation=changes.pop("adaptation", "full")))
    if "stopping" in changes:
        training = replace(config.strong_training, stopping=changes.pop("stopping"))
        config = replace(config, strong_training=training)
    config = replace(config, **changes, methods=(method,))
    with pytest.raises(UserError, match=f"{why}.*leave the method out"):
        provided(config, BINARY)
    if method not in every_method():
        return
    found, left = provided(replace(config, methods=("all",)), BINARY)
    assert method not in found
    assert why in left["all"][method]
    assert "naive" in found


def test_classes_count_too():
    config = StudyConfig(methods=("confidence-openai-code",))
    with pytest.raises(UserError, match="for 2 classes, and task colours has 3"):
        provided(config, {**BINARY, "colours": ("classification", 3)})
    with pytest.raises(UserError, match="No method is left to run"):
        provided(replace(config, methods=()), BINARY)


@pytest.mark.parametrize(
    ("method", "groups", "said"),
    [
        ("probe-filter", 49, "a probe looks for 50 neighbours among 49 training points: choose a"),
        ("probe-filter:knn-without-itself", 50, "50 neighbours among 49 training points besides"),
        ("probe-filter:topofilter,k=9", 9, "9 neighbours among 8 training points besides"),
        ("probe-relabel:k=7+confidence", 6, "7 neighbours among 6 training points"),
        ("confident-only+probe-filter:k=7", 6, "7 neighbours among 6 training points"),
        ("probe-predict:knn,k=7", 6, "7 neighbours among 6 training points"),
        ("few-shot", 4, "only 4 examples of different groups to show, not 5: ask for fewer shots"),
        ("few-shot-weak:k=8,draws=2", 7, "only 7 examples of different groups to show, not 8"),
        ("bootstrapping", 1, "its examples are of 1 group, which cannot be divided among 2 models"),
    ],
)
def test_too_little_data_is_told_with_both_numbers(method, groups, said):
    """By the check alone, before anything is trained."""

    def given(task):
        return [Given(lambda split: [Item(str(i), str(i), "a") for i in range(number)], 1)]

    number = groups
    config = StudyConfig(methods=(method,))
    with pytest.raises(UserError) as error:
        provided(config, BINARY, given=given)
    told = str(error.value)
    assert told.startswith(f"Task atlas-asia has too little data for the method {method!r}; ")
    assert said in told
    number = groups + 1
    assert provided(config, BINARY, given=given)[0] == (method,)


def test_what_has_too_little_data_is_left_out_of_all():
    def given(task):
        return [Given(lambda split: [Item(str(i), str(i), "a") for i in range(40)], 1)]

    found, left = provided(StudyConfig(methods=("all",)), BINARY, given=given)
    assert "probe-filter:logistic" in found
    assert not {"probe-filter:knn", "probe-predict:knn", "probe-relabel:knn"} & set(found)
    assert "50 neighbours among 40 training points" in left["all"]["probe-filter:knn"]


def test_a_study_and_its_plan_refuse_it_before_a_training(tmp_path, quick_study):
    lines = [f"A text of number {i} here,{('yes', 'no')[i % 2]}" for i in range(60)]
    (tmp_path / "small.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    config = replace(quick_study, tasks=(str(tmp_path / "small.csv"),), methods=("probe-filter",))
    for checked in (resolve, plan_study):
        with pytest.raises(UserError, match="Task small has too little data for the method 'probe"):
            checked(config)


def test_intermediates_that_are_named_take_the_place_of_rungs():
    assert intermediates_of(StudyConfig(intermediates=())) == ()
    named = (ModelSpec("atlas-xs"),)
    assert intermediates_of(StudyConfig(intermediates=named)) == named
    assert (
        intermediates_of(StudyConfig(weak=ModelSpec("atlas-xs"), strong=ModelSpec("atlas-s"))) == ()
    )
    up = intermediates_of(StudyConfig(weak=ModelSpec("atlas-xs")))
    assert [m.name for m in up] == ["atlas-s", "atlas-m"]
