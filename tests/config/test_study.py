"""A study as text, and what is refused before anything is trained."""

from dataclasses import replace
from pathlib import Path

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig, read_study
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.models.folders import rungs
from weak2strong.models.rates import usual_rates
from weak2strong.protocol.resolve import resolve, resolved, settle, splits_of
from weak2strong.tasks import TASKS


def test_a_study_survives_its_text():
    config = StudyConfig(
        tasks=("atlas-asia", "atlas-europe"),
        weak=ModelSpec("some/model", revision="abc"),
        methods=("naive",),
        seeds=7,
        metric="roc_auc",
        weak_labels=Path("labels.csv"),
        labels="hard",
        weak_label_temperature=2.5,
        strong_training=Training(epochs=9, learning_rate=1e-4),
        split_seed=3,
        entities="unseen",
        train_difficulty="below:1200",
        test_difficulty="between:1200:1600",
        data=DataOptions("question", "answer", n_test=50, balance=False, subset="en"),
    )
    assert StudyConfig.from_yaml(config.to_yaml()) == config


def test_a_temperature_is_a_number_or_fit():
    for given, meant in ((2, 2.0), ("0.5", 0.5), ("1e-1", 0.1), ("fit", "fit")):
        config = StudyConfig(weak_label_temperature=given)
        assert config.weak_label_temperature == meant
        assert StudyConfig.from_yaml(config.to_yaml()) == config


def test_a_short_text_is_enough():
    config = StudyConfig.from_yaml("tasks: [atlas-europe]\nweak: atlas-s\nseeds: 2\n")
    assert config == StudyConfig(tasks=("atlas-europe",), weak=ModelSpec("atlas-s"), seeds=2)


def test_the_default_study_is_sound_and_resolves_its_rates():
    config = resolved(StudyConfig())
    assert config.weak.name in rungs()
    assert config.strong.name in rungs()
    training = config.weak_training
    assert (training.learning_rate, training.head_rate) == usual_rates(config.weak)
    assert resolved(config) == config


def test_rates_are_filled_in_once_all_else_is_resolved():
    """So that they may be found by training."""
    chosen = Training(learning_rate=1e-3, head_rate=2e-3)
    found = resolve(StudyConfig(strong_training=chosen)).config
    amount = {"epochs": 3, "batch_size": 32}
    assert found.weak_training == Training(stopping_metric="accuracy", **amount)
    assert replace(found, weak_training=settle(found).weak_training) == settle(found)
    assert settle(found).weak_training.learning_rate == usual_rates(found.weak)[0]
    assert settle(settle(found)) == settle(found)
    other = replace(found, weak_training=found.weak_training.with_rates((0.5, 0.25)))
    assert settle(other) == other, "rates that something else has found stay"


def test_a_group_of_tasks_is_written_out():
    config = resolved(StudyConfig(tasks=("atlas-suite",)))
    assert len(config.tasks) >= 20
    assert {"atlas-asia", "atlas-claim-country"} < set(config.tasks) <= set(TASKS)
    assert resolved(config) == config


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tasks": ("atlas-asai",)}, "Unknown task 'atlas-asai'.*atlas-asia"),
        ({"methods": ("nave",)}, "Unknown method 'nave'.*naive"),
        ({"weak": ModelSpec("atlas-xx")}, "Unknown model 'atlas-xx'.*atlas-xs"),
        ({"strong": ModelSpec("./not/there")}, "Model folder ./not/there does not exist"),
        ({"metric": "acuracy"}, "Unknown .*metric.*'acuracy'.*accuracy"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
        ({"tasks": ()}, "at least one task"),
        ({"methods": ("naive", "naive")}, "named more than once"),
        ({"tasks": ("atlas-suite", "atlas-asia")}, r"named more than once: atlas-asia\."),
        ({"entities": "unsean"}, "entities must be one of seen, unseen, not 'unsean'"),
        ({"train_difficulty": "1200"}, "Difficulty '1200' is no selection: write below:1200"),
        ({"test_difficulty": "hardest:2"}, "a share is above 0 and at most 1"),
        ({"weak_label_temperature": "fitted"}, "a number above 0, or fit, not 'fitted'"),
        ({"weak_label_temperature": -1.0}, "a number above 0, or fit, not -1.0"),
        ({"weak_label_temperature": float("nan")}, "a number above 0, or fit, not nan"),
        ({"weak_label_temperature": float("inf")}, "a number above 0, or fit, not inf"),
        ({"weak_label_temperature": True}, "a number above 0, or fit, not True"),
        ({"weak_label_temperature": 10**400}, "a number above 0, or fit, not "),
        ({"labels": "firm"}, "labels must be one of soft, hard, not 'firm'"),
        (
            {"primary_test": "wilcoxon"},
            "one of wilcoxon-one-sided, .*not 'wilcoxon'",
        ),
        ({"weak_labels": Path("none.csv")}, "none.csv cannot be read"),
        ({"weak_labels": Path("labels.txt")}, "must end in"),
    ],
)
def test_bad_studies_are_refused_in_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        resolved(replace(StudyConfig(), **change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tasks: [", "no YAML"),
        ("- a\n- b\n", "is a YAML mapping"),
        ("sedes: 3\n", "Unknown setting of a study 'sedes'.*seeds"),
        ("strong_training: {epoch: 3}\n", "'epoch'.*epochs"),
        ("data: {text_colum: x}\n", "data: Unknown setting of the data 'text_colum'.*text_column"),
        ("data: some.csv\n", "data must be a mapping of settings, not 'some.csv'"),
        ("data: {n_train: many}\n", "n_train must be a whole number, not 'many'"),
        ("data: {text_column: 1}\n", "text_column must be a list, not 1"),
        ("data: {split: null}\n", "split must be text, not None"),
        ("data: {balance: 0}\n", "balance must be true or false, not 0"),
        ("seeds: 1\nseeds: 2\n", "line 2: the key 'seeds' stands twice"),
        ("weak: {name: atlas-s, name: atlas-m}\n", "line 1: the key 'name' stands twice"),
    ],
)
def test_bad_text_is_refused_in_one_sentence(tmp_path, text, sentence):
    file = tmp_path / "study.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=sentence) as caught:
        read_study(file)
    assert str(file) in str(caught.value)


def test_a_mapping_that_takes_in_another_may_change_its_values():
    text = "weak: &a {name: atlas-s, lora_rank: 4}\nstrong: {<<: *a, name: atlas-l}\n"
    strong = StudyConfig.from_yaml(text).strong
    assert (strong.name, strong.lora_rank) == ("atlas-l", 4)


def test_the_splits_of_a_study_are_as_easy_and_as_hard_as_it_says():
    task = TASKS.get("chess-material")
    whole = splits_of(StudyConfig(), task)
    made = splits_of(StudyConfig(train_difficulty="below:-8", test_difficulty="above:-4"), task)
    for split, keeps in (("weak_train", lambda d: d < -8), ("test", lambda d: d > -4)):
        kept = tuple(e for e in whole.examples(split) if keeps(e.difficulty))
        assert made.examples(split) == kept != whole.examples(split)


def test_a_rule_for_several_people_needs_their_columns():
    with pytest.raises(UserError, match="weak_label_rule majority says what becomes of several"):
        DataOptions(weak_label_rule="majority")
    assert DataOptions(weak_label_rule="majority", weak_label_columns=("a", "b"))
