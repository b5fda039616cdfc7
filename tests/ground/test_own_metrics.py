"""Metrics of a user's own: what they are given, and that weights are what repeated rows are."""

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score

import weak2strong as w2s
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import (
    less_is_better,
    metric,
    metrics_of,
    range_of,
    score_each,
    scorer_of,
)
from weak2strong.ground.plugins import load_plugins
from weak2strong.ground.predictions import texts
from weak2strong.ground.written import SaysTheSame, exact_match
from weak2strong.protocol.resolve import checked
from weak2strong.tasks.kinds import labels_from_lists

FILE = """
import numpy as np
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score
import weak2strong as w2s

@w2s.metric("balanced", low=0, high=1, chance=0.5)
def balanced(answers, labels, weights=None):
    return balanced_accuracy_score(labels, answers.argmax(1), sample_weight=weights)

@w2s.metric("kappa", kinds=("classification", "preference"))
def kappa(answers, labels):
    return cohen_kappa_score(labels, answers.argmax(1))

@w2s.metric("surprise", per_example=True, more_is_better=False, low=0)
def surprise(answers, labels):
    return -np.log(answers[np.arange(len(labels)), labels])

@w2s.metric("overlap", kinds="generation", per_example=True)
def overlap(answers, labels):
    return np.array([max(len({*a} & {*t}) / len({*a} | {*t}) for t in ts)
                     for a, ts in zip(answers, labels)])

@w2s.scorer("after-hashes", finds="text after ####")
def after_hashes(text):
    return text.rpartition("####")[2].strip() if "####" in text else None
"""


@pytest.fixture(scope="module", autouse=True)
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "mine.py"
    path.write_text(FILE)
    load_plugins([path])
    yield path
    load_plugins(())


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    answers, labels = rng.dirichlet(np.ones(2), 60), rng.integers(0, 2, 60)
    return answers, labels, rng.integers(0, 4, (5, 60))


@pytest.mark.parametrize("name", ["balanced", "kappa", "surprise"])
def test_how_often_an_example_counts_is_how_often_it_stands_there(name, drawn):
    answers, labels, weights = drawn
    score = metric("classification", name)
    repeated = [score(answers.repeat(w, axis=0), labels.repeat(w)) for w in weights]
    assert score(answers, labels, weights) == pytest.approx(repeated)
    assert score(answers, labels, weights[0]) == pytest.approx(repeated[0])
    each = score_each(score, [answers, 1 - answers], labels, weights)
    assert each[:, 0] == pytest.approx(repeated)
    assert each[:, 1] == pytest.approx(score(1 - answers, labels, weights))


def test_the_scores_are_those_of_the_functions(drawn):
    answers, labels, _ = drawn
    said = answers.argmax(axis=1)
    assert metric("classification", "balanced")(answers, labels) == pytest.approx(
        balanced_accuracy_score(labels, said)
    )
    assert metric("preference", "kappa")(answers, labels) == pytest.approx(
        cohen_kappa_score(labels, said)
    )
    assert math.isnan(metric("classification", "kappa")(answers, labels, np.zeros((1, 60)))[0])


def test_they_stand_beside_ours_for_the_kinds_that_they_name():
    assert {"accuracy", "balanced", "kappa", "surprise"} <= metrics_of("classification").keys()
    assert metrics_of("preference").keys() & {"balanced", "kappa"} == {"kappa"}
    assert {"overlap", "after-hashes"} < metrics_of("generation").keys()
    with pytest.raises(UserError, match=r"Unknown metric of preference tasks 'balanced'"):
        metric("preference", "balanced")
    with pytest.raises(UserError, match=r"needs its file \(--plugin\)"):
        metric("classification", "balances")
    assert range_of(metric("classification", "balanced")) == (0, 1)
    assert range_of(metric("classification", "kappa")) == (-math.inf, math.inf)
    names = ("surprise", "brier", "kappa", "after-hashes", None)
    assert [less_is_better(name) for name in names] == [True, True, False, False, False]


def test_a_scorer_is_what_answers_are_compared_by():
    answers = texts(["so #### 7", "7", "#### 8"])
    labels = labels_from_lists("generation", [("#### 7",)] * 3)
    assert metric("generation", "after-hashes").each(answers, labels).tolist() == [
        *(True, False, False)
    ]
    assert scorer_of("generation", "after-hashes").said("a #### b ") == "b"
    assert scorer_of("generation", "overlap") is exact_match


@pytest.mark.parametrize(
    ("decorator", "name", "sentence"),
    [
        ("scorer", "first_word", None),
        ("metric", "first_word", None),
        ("scorer", "First!", "names a scorer 'First!': take .* digits, hyphens and underscores"),
        ("scorer", "exact_match", "names a scorer 'exact_match', and weak2strong itself has one"),
        ("metric", "First!", "names a metric 'First!'"),
    ],
)
def test_names_may_have_underscores_as_ours_have(plugin, tmp_path, decorator, name, sentence):
    path = tmp_path / "named.py"
    path.write_text(
        f"import weak2strong as w2s\n\n\n@w2s.{decorator}({name!r})\ndef own(*given):\n    ...\n"
    )
    if sentence is None:
        load_plugins([path])
        assert name in metrics_of("generation" if decorator == "scorer" else "classification")
    else:
        with pytest.raises(UserError, match=sentence):
            load_plugins([path])
    load_plugins([plugin])


@pytest.mark.parametrize(
    ("per_example", "value", "message"),
    [
        (True, 0.5, r"gives 0\.5 where one number for each of 3 examples"),
        (True, np.ones(2), r"an array of shape \(2,\)"),
        (True, np.array([0, 1, np.nan]), "no finite number"),
        (False, np.ones(3), r"where one number was asked for, which per_example=True allows"),
        (False, "high", "gives 'high'"),
    ],
)
def test_what_is_no_score_is_told_to_its_author(per_example, value, message):
    from weak2strong.ground.own_metrics import OwnMetric

    made = OwnMetric("odd", lambda answers, labels: value, per_example=per_example)
    with pytest.raises(UserError, match=message):
        made(np.eye(3), np.arange(3))


def test_what_cannot_be_registered_is_refused():
    with pytest.raises(UserError, match="name kinds of task"):
        w2s.metric("mine", kinds="regression")
    with pytest.raises(UserError, match="no range from 1 to 0"):
        w2s.metric("mine", low=1, high=0)
    with pytest.raises(UserError, match="a scorer gives a text, or None"):
        SaysTheSame(lambda text: len(text)).said("a")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"metric": "surprise"}, "PGR needs a metric of which more is better, not 'surprise'"),
        ({"strong_training": Training(stopping_metric="kappa")}, "is of a plugin, and trainings"),
    ],
)
def test_a_study_refuses_what_a_metric_of_a_plugin_cannot_do(config, message, plugin):
    with pytest.raises(UserError, match=message):
        checked(StudyConfig(plugins=(plugin,), **config))


@pytest.mark.parametrize("name", ["accuracy", "brier", "f1", "matthews"])
def test_the_name_of_a_metric_of_ours_is_taken(name, tmp_path):
    """It would stand in the table under our name, with other numbers."""
    file = tmp_path / "taken.py"
    file.write_text(
        f"import weak2strong as w2s\nw2s.metric({name!r})(lambda answers, labels: 0.5)\n"
    )
    with pytest.raises(UserError, match=f"metric '{name}', and weak2strong itself has one"):
        load_plugins([file])
