"""How rates are chosen: given, fitted, by the rule, by a search; and what a search may take."""

import json
import shutil
from dataclasses import replace

import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.models.rates import LADDER_RATES, ruled_rates, usual_rates
from weak2strong.protocol.choice import (
    Amount,
    Weight,
    choices,
    search_share,
    searched_roles,
)
from weak2strong.protocol.resolve import chosen_rates, resolve, resolved, settle

UNFITTED = StudyConfig(weak=ModelSpec("a/weak"), strong=ModelSpec("a/strong"), methods=("naive",))
GIVEN = Training(learning_rate=1e-3)


def chosen(config, weak=100, strong=1000, examples=1000, kind="classification"):
    weights = {"weak": Weight(weak, "full"), "strong": Weight(strong, "full")}
    found = choices(config, lambda: weights, lambda: [Amount(kind, examples, examples)])
    return [choice.how for choice in found]


def test_rates_that_are_given_or_fitted_stay():
    assert chosen(StudyConfig()) == ["fitted", "fitted"]
    assert chosen(replace(UNFITTED, weak_training=GIVEN, strong_training=GIVEN)) == ["given"] * 2
    assert chosen(replace(UNFITTED, seeds=9, weak_training=GIVEN)) == ["given", "search"]
    trunk, head = LADDER_RATES["atlas-s"]
    as_resolved = Training(learning_rate=trunk, head_rate=head)
    assert chosen(StudyConfig(weak_training=as_resolved))[0] == "fitted"
    assert chosen(StudyConfig(weak_training=replace(as_resolved, head_rate=0.5)))[0] == "given"


@pytest.mark.parametrize(("seeds", "how"), [(1, "rule"), (2, "rule"), (3, "search"), (9, "search")])
def test_a_search_is_made_where_it_takes_half_of_the_study_at_most(seeds, how):
    config = replace(UNFITTED, seeds=seeds, methods=("naive", "confidence"))
    weights = {"weak": Weight(100, "full"), "strong": Weight(1000, "full")}
    share = search_share(
        config, ["weak", "strong"], weights, [Amount("classification", 4000, 4000)]
    )
    # 15 trials: 9 with a sixth of the steps, 4 with a third, 2 with all, on three quarters.
    search = (100 + 1000) * 0.75 * (9 / 6 + 4 / 3 + 2)
    assert share == pytest.approx(search / (seeds * (100 + 3 * 1000)), rel=0.02)
    assert (share <= 0.5) == (how == "search")
    assert chosen(config, examples=4000) == [how, how]


def test_a_name_decides_where_auto_would_not():
    few = replace(UNFITTED, seeds=1)
    assert chosen(replace(few, rates="search")) == ["search", "search"]
    assert chosen(replace(few, seeds=99, rates="rule")) == ["rule", "rule"]
    assert chosen(StudyConfig(rates="search")) == ["search", "search"], "rungs, too"
    assert chosen(StudyConfig(rates="rule")) == ["rule", "rule"]
    assert chosen(replace(few, rates="search", weak_training=GIVEN)) == ["given", "search"]


def test_without_a_supervisor_there_is_no_ground_truth_to_search_on(tmp_path):
    own = replace(UNFITTED, seeds=99, weak_labels=tmp_path / "labels.csv")
    assert chosen(own)[1] == "rule"
    with pytest.raises(UserError, match=r"is given weak labels in its place.*--rates"):
        chosen(replace(own, rates="search"))
    with pytest.raises(UserError, match="gives learning rates for both models and asks"):
        chosen(replace(UNFITTED, rates="search", weak_training=GIVEN, strong_training=GIVEN))


def test_a_weak_model_that_is_not_trained_is_not_searched_for():
    config = replace(UNFITTED, seeds=99, simulated="random-flips", simulated_accuracy=0.8)
    assert chosen(config) == ["rule", "search"]
    assert chosen(replace(config, simulated_accuracy=None)) == ["search", "search"]


def test_what_is_not_known_is_left_to_the_run():
    assert chosen(UNFITTED, strong=None) == ["unknown", "unknown"]
    assert chosen(UNFITTED, examples=None) == ["unknown", "unknown"]


@pytest.fixture
def copied(toy_models, tmp_path):
    models = [
        ModelSpec(str(shutil.copytree(toy_models[toy], tmp_path / toy)))
        for toy in ("gpt2", "llama")
    ]
    return StudyConfig(weak=models[0], strong=models[1], methods=("naive",), seeds=20)


def test_a_study_is_settled_once(copied):
    """What a search will find stays open, and a study file of a run asks for the same again."""
    config = resolved(copied)
    assert config.rates == "search"
    assert searched_roles(config) == ("weak", "strong")
    assert settle(config) == resolved(config) == config
    one = resolved(replace(copied, strong=ModelSpec("atlas-l")))
    assert searched_roles(one) == ("weak",)
    assert (one.strong_training.learning_rate, one.strong_training.head_rate) == LADDER_RATES[
        "atlas-l"
    ]
    assert settle(one) == resolved(one) == one


def test_the_rule_fills_in_where_a_search_takes_too_much(copied):
    config = resolved(replace(copied, seeds=1))
    assert config.rates == "auto"
    assert searched_roles(config) == ()
    training = config.strong_training
    assert (training.learning_rate, training.head_rate) == usual_rates(config.strong)
    by_name = resolved(StudyConfig(rates="rule"))
    training = by_name.strong_training
    assert (training.learning_rate, training.head_rate) == ruled_rates(by_name.strong)


def test_sizes_are_those_of_the_splits(copied):
    (weak, strong) = chosen_rates(resolve(copied).config)
    assert weak.how == strong.how == "search"
    assert weak.why.startswith("it takes about ")


def test_embeddings_take_no_time(toy_models, tmp_path):
    found = []
    for words in (320, 320_000):
        weak = tmp_path / str(words)
        shutil.copytree(toy_models["llama"], weak)
        config = json.loads((weak / "config.json").read_text()) | {"vocab_size": words}
        (weak / "config.json").write_text(json.dumps(config))
        models = (ModelSpec(name, adaptation="full") for name in (str(weak), "atlas-l"))
        study = StudyConfig(**dict(zip(("weak", "strong"), models, strict=True)), seeds=9)
        found.append(chosen_rates(study)[0])
        found[-1] = (found[-1].how, found[-1].why)
    assert found[0] == found[1]
    assert "it takes about" in found[0][1] or "would take about" in found[0][1]
