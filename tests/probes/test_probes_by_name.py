"""Probes by name: what they answer and keep, against scikit-learn and the definition."""

import subprocess
import sys
import textwrap
from dataclasses import FrozenInstanceError, dataclass
from typing import ClassVar

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

import weak2strong.probes as probes
from weak2strong.ground.errors import UserError
from weak2strong.probes.knn_probe import Knn, KnnWithoutItself
from weak2strong.probes.logistic_probe import Logistic
from weak2strong.probes.probe import Answering, Probe
from weak2strong.probes.topofilter import topofilter

ANSWERING = ["knn", "knn-without-itself", "logistic"]


def draw(seed, n=60, m=25, d=4, classes=2):
    """Training features, read-only as from a file, soft labels that follow them, and others."""
    rng = np.random.default_rng(seed)
    x, queries = rng.normal(size=(2, n + m, d)).astype(np.float32)[:, : max(n, m)]
    x, queries = x[:n] * [1, 3, 0.5, 1] + 2, queries[:m] * [1, 3, 0.5, 1] + 2
    y = (x @ rng.normal(size=(d, classes)) + rng.gumbel(size=(n, classes))).argmax(axis=1)
    labels = 0.7 * np.eye(classes)[y] + 0.3 * rng.dirichlet(np.ones(classes), n)
    for array in (x, queries, labels):
        array.setflags(write=False)
    return x, labels, queries


def neighbours(x, queries, k):
    """Of the k nearest by scikit-learn; None asks for the points themselves, without themselves."""
    return NearestNeighbors(n_neighbors=k).fit(x).kneighbors(queries, return_distance=False)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("k", [1, 5, 59])
def test_knn_equals_scikit_learn(classes, k):
    x, labels, queries = draw(k, classes=classes)
    answers = probes.probe("knn", k=k).predict(x, labels, queries)
    np.testing.assert_allclose(answers, labels[neighbours(x, queries, k)].mean(axis=1))
    itself = probes.probe("knn", k=k).predict(x, labels, None)
    np.testing.assert_allclose(itself, labels[neighbours(x, x, k)].mean(axis=1))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("k", [1, 5, 59])
def test_knn_without_itself_differs_on_training_points_alone(classes, k):
    x, labels, queries = draw(k, classes=classes)
    probe = probes.probe("knn-without-itself", k=k)
    np.testing.assert_array_equal(
        probe.predict(x, labels, queries), Knn(k).predict(x, labels, queries)
    )
    others = labels[neighbours(x, None, k)].mean(axis=1)
    np.testing.assert_allclose(probe.predict(x, labels, None), others)


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("penalty", [1e-3, 1e-2, 1.0])
def test_logistic_equals_scikit_learn_for_any_number_of_classes(classes, standardise, penalty):
    x, labels, queries = draw(classes, classes=classes)
    probe = probes.probe("logistic", penalty=penalty, standardise=standardise)
    scaler = StandardScaler(with_std=standardise).fit(x)
    # Each row stands once a class, weighted by its label.
    oracle = LogisticRegression(C=1 / (2 * len(x) * penalty), tol=1e-10, max_iter=10_000).fit(
        np.repeat(scaler.transform(x), classes, axis=0),
        np.tile(np.arange(classes), len(x)),
        sample_weight=labels.ravel(),
    )
    for points, expected in ((queries, queries), (None, x)):
        np.testing.assert_allclose(
            probe.predict(x, labels, points),
            oracle.predict_proba(scaler.transform(expected)),
            atol=1e-4,
        )


def test_two_classes_are_the_posts_sigmoid():
    x, labels, _ = draw(5)
    w = labels[:, 1]

    def objective(theta):
        logits = x @ theta[:-1] + theta[-1]
        cross_entropy = np.logaddexp(0, logits) - w * logits
        return cross_entropy.mean() + 0.01 * (theta[:-1] ** 2).sum()

    theta = scipy.optimize.minimize(objective, np.zeros(5), tol=1e-10).x
    expected = scipy.special.expit(x @ theta[:-1] + theta[-1])
    np.testing.assert_allclose(Logistic().predict(x, labels, None)[:, 1], expected, atol=1e-4)


@pytest.mark.parametrize("name", ANSWERING)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("drop", [0, 0.1, 0.55, 1])
def test_those_who_disagree_most_are_dropped(name, classes, drop):
    x, labels, _ = draw(7, classes=classes)
    probe = probes.probe(name) if name == "logistic" else probes.probe(name, k=5)
    far = [
        abs(p - w).sum() / 2 for p, w in zip(probe.predict(x, labels, None), labels, strict=True)
    ]
    worst = sorted(range(60), key=lambda i: (-far[i], i))[: round(drop * 60)]
    expected = [i not in worst for i in range(60)]
    kept = probe.keep(x, labels, drop)
    assert kept.dtype == bool
    assert kept.tolist() == expected


@dataclass(frozen=True)
class Undecided(Answering):
    summary: ClassVar[str] = "one half for everything"
    source: ClassVar[str] = "here"

    def predict(self, features, labels, queries):
        return np.full((len(features if queries is None else queries), 2), 0.5)


@given(st.lists(st.sampled_from([0, 0.25, 0.5, 1]), min_size=1, max_size=12), st.floats(0, 1))
def test_of_equals_the_lower_index_goes_first(ones, drop):
    labels = np.array([[1 - one, one] for one in ones])
    kept = Undecided().keep(np.zeros((len(ones), 1)), labels, drop)
    worst = sorted(range(len(ones)), key=lambda i: (-abs(ones[i] - 0.5), i))
    assert set(np.flatnonzero(~kept)) == set(worst[: round(drop * len(ones))])


@pytest.mark.parametrize("classes", [2, 3])
def test_topofilter_keeps_what_the_function_keeps(classes):
    x, labels, _ = draw(8, classes=classes)
    kept = probes.probe("topofilter", k=6).keep(x, labels, 0.4)
    np.testing.assert_array_equal(kept, topofilter(x, labels, k=6, drop=0.4))
    assert 0 < kept.sum() < 60


def test_topofilter_gives_no_answers():
    x, labels, queries = draw(9)
    with pytest.raises(UserError, match="only filters"):
        probes.probe("topofilter").predict(x, labels, queries)


@pytest.mark.parametrize("name", list(probes.PROBES))
def test_every_probe_keeps_the_contract(name):
    probe = probes.probe(name)
    assert probe.predicts is (name in ANSWERING)
    assert probe.summary
    assert probe.source
    assert not {"predicts", "summary", "source"} & set(vars(probe))
    with pytest.raises(FrozenInstanceError):
        probe.k = 3  # pyright: ignore


@pytest.mark.parametrize("name", ANSWERING)
def test_answers_follow_their_points_and_add_up(name):
    x, labels, queries = draw(10, n=80, classes=3)
    probe = probes.probe(name)
    answers = probe.predict(x, labels, queries)
    np.testing.assert_allclose(answers.sum(axis=1), 1)
    order, rows = np.random.default_rng(0).permutation(80), np.arange(25)[::-1]
    shuffled = probe.predict(x[order], labels[order], queries[rows])
    np.testing.assert_allclose(shuffled, answers[rows], atol=1e-5)
    np.testing.assert_allclose(
        probe.predict(x[order], labels[order], None),
        probe.predict(x, labels, None)[order],
        atol=1e-5,
    )


TOO_FEW = {
    "knn": (12, "12 neighbours among 11 training points: choose a smaller k"),
    "knn-without-itself": (11, "11 neighbours among 10 training points besides the one"),
    "topofilter": (11, "11 neighbours among 10 training points besides the one"),
}


@pytest.mark.parametrize("name", TOO_FEW)
def test_too_few_points_are_counted_in_a_sentence(name):
    x, labels, _ = draw(11, n=11)
    k, sentence = TOO_FEW[name]
    with pytest.raises(UserError, match=sentence):
        probes.probe(name, k=k).keep(x, labels, 0.1)
    probes.probe(name, k=k - 1).keep(x, labels, 0.1)


def test_points_that_were_not_trained_on_may_ask_all_that_were():
    x, labels, queries = draw(11, n=11)
    answers = KnnWithoutItself(11).predict(x, labels, queries)
    np.testing.assert_allclose(answers, np.tile(labels.mean(axis=0), (25, 1)))
    with pytest.raises(UserError, match="12 neighbours among 11 training points: "):
        KnnWithoutItself(12).predict(x, labels, queries)


@pytest.mark.parametrize("name", list(probes.PROBES))
@pytest.mark.parametrize("drop", [-0.1, 1.5, float("nan"), "0.1"])
def test_a_share_outside_0_to_1_is_refused(name, drop):
    x, labels, _ = draw(12)
    with pytest.raises(UserError, match="share of examples to drop must be between 0 and 1"):
        probes.probe(name).keep(x, labels, drop)


@pytest.mark.parametrize("name", ["knn", "knn-without-itself", "topofilter"])
@pytest.mark.parametrize("k", [0, -1, 2.5, True, "5"])
def test_a_k_that_counts_nothing_is_refused(name, k):
    with pytest.raises(
        UserError, match=rf"{name.capitalize()}: k must be (a whole number|at least 1)"
    ):
        probes.probe(name, k=k)


@pytest.mark.parametrize("penalty", [-1, float("nan"), float("inf"), "0.1"])
def test_a_penalty_that_weighs_nothing_is_refused(penalty):
    with pytest.raises(UserError, match=r"Logistic: penalty must be (at least 0|a )"):
        probes.probe("logistic", penalty=penalty)


def test_unknown_names_and_settings_are_sentences():
    assert probes.probe("knn", k=7) == Knn(7)
    with pytest.raises(UserError, match=r"Unknown probe 'logistics': did you mean logistic\?"):
        probes.probe("logistics")
    with pytest.raises(UserError, match=r"setting of the probe 'logistic' 'penalti': .*penalty\?"):
        probes.probe("logistic", penalti=0.5)


def test_the_function_keeps_its_name_beside_the_module():
    code = (
        "import weak2strong.probes.probe; from weak2strong.probes import probe;"
        "assert probe('knn').k == 50"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_worked_example_works():
    text = (Probe.__doc__ or "").partition("::\n")[2].partition("    Features may")[0]
    names = {"Answering": Answering, "dataclass": dataclass, "ClassVar": ClassVar, "scipy": scipy}
    exec(textwrap.dedent(text), names | {"np": np}, names)
    probe = names["Centroids"](sharpness=2.0)
    x, labels, queries = draw(13, classes=3)
    answers = probe.predict(x, labels, queries)
    assert answers.shape == (25, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1)
    assert probe.keep(x, labels, 0.1).sum() == 54
