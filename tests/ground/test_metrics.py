"""Metrics against scikit-learn and against definitions written as loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, roc_auc_score

from weak2strong.ground import weighted
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import (
    accuracy,
    brier,
    f1,
    matthews,
    metric,
    performance_gap_recovered,
    roc_auc,
    score_each,
    usual_metric,
)
from weak2strong.ground.predictions import texts
from weak2strong.ground.written import exact_match, exact_match_cased, normalised


def draw(seed, n, k, levels=None):
    """Probabilities and labels; with few levels, most scores tie."""
    rng = np.random.default_rng(seed)
    raw = rng.random((n, k)) + 0.05
    if levels:
        raw = rng.integers(1, levels + 1, (n, k)).astype(float)
    labels = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    return raw / raw.sum(axis=1, keepdims=True), labels, rng


def auc_of_pairs(scores, positive, weights):
    """The definition: over pairs of a positive and a negative."""
    won = total = 0.0
    for i in np.flatnonzero(positive):
        for j in np.flatnonzero(~positive):
            pair = weights[i] * weights[j]
            total += pair
            won += pair * ((scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j]))
    return won / total if total else math.nan


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_scikit_learn(k, levels, weighted):
    p, y, rng = draw(k, 200, k, levels)
    w = rng.random(200) if weighted else None
    labels = p.argmax(axis=1)
    assert accuracy(p, y, w) == pytest.approx(accuracy_score(y, labels, sample_weight=w))
    if k == 2:
        expected = roc_auc_score(y, p[:, 1], sample_weight=w)
    else:
        # scikit-learn's own macro mean, class by class: its multiclass form takes no such weights.
        expected = np.mean([roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(k)])
        if w is None:
            assert expected == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert roc_auc(p, y, w) == pytest.approx(expected)
    average = "binary" if k == 2 else "macro"
    assert f1(p, y, w) == pytest.approx(f1_score(y, labels, sample_weight=w, average=average))
    assert matthews(p, y, w) == pytest.approx(matthews_corrcoef(y, labels, sample_weight=w))


def test_f1_is_of_the_second_class_and_whoever_says_one_class_has_no_correlation():
    p, y = np.eye(2)[[1, 1, 1, 0]], np.array([1, 1, 0, 0])
    # 2 of 3 that are said to be of the second class are, and none is missed.
    assert f1(p, y) == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert f1(1 - p, 1 - y) != pytest.approx(f1(p, y))
    assert matthews(np.eye(2)[[1, 1, 1, 1]], y) == 0
    assert matthews(p, 1 - y) == pytest.approx(-matthews(p, y))


def test_brier_equals_its_definition_and_twice_the_binary_form():
    p, y, rng = draw(0, 50, 3)
    w = rng.random(50)
    expected = sum(
        w[i] * sum((p[i, c] - (y[i] == c)) ** 2 for c in range(3)) for i in range(50)
    ) / sum(w)
    assert brier(p, y, w) == pytest.approx(expected)
    p, y, _ = draw(1, 50, 2)
    assert brier(p, y) == pytest.approx(2 * np.mean((p[:, 1] - y) ** 2))
    assert brier(np.eye(2), np.array([1, 0])) == 2


def test_a_tie_counts_as_the_lowest_class():
    p = np.full((3, 3), 1 / 3)
    assert accuracy(p, np.array([0, 1, 2])) == pytest.approx(1 / 3)
    assert accuracy(p, np.array([0, 0, 0])) == 1


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(4, 25), k=st.integers(2, 4))
def test_weighted_auc_equals_the_pairs_of_each_replicate(seed, n, k):
    p, y, rng = draw(seed, n, k, levels=3)
    replicates = rng.integers(0, 3, (4, n))
    positive_classes = [1] if k == 2 else range(k)
    expected = [
        np.mean([auc_of_pairs(p[:, c], y == c, w) for c in positive_classes]) for w in replicates
    ]
    np.testing.assert_allclose(roc_auc(p, y, replicates), expected)


@pytest.mark.parametrize("score", [accuracy, roc_auc, brier, f1, matthews])
@pytest.mark.parametrize("k", [2, 4])
def test_counts_equal_repeated_rows(score, k):
    p, y, rng = draw(5, 60, k, levels=4)
    counts = rng.multinomial(60, np.full(60, 1 / 60), size=7)
    counts[:, :k] += 1  # every class stays
    repeated = [score(np.repeat(p, c, axis=0), np.repeat(y, c)) for c in counts]
    np.testing.assert_allclose(score(p, y, counts), repeated)


@pytest.mark.parametrize("score", [accuracy, roc_auc, brier, f1, matthews])
def test_slices_of_replicates_give_the_same_scores(score, monkeypatch):
    p, y, rng = draw(6, 30, 2)
    counts = rng.integers(0, 4, (11, 30))
    whole = score(p, y, counts)
    monkeypatch.setattr(weighted, "SLICE", 70)
    np.testing.assert_allclose(score(p, y, counts), whole, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 20, 70, 200])
def test_no_slice_of_replicates_is_large(n, monkeypatch):
    """However many there are, so that memory does not grow with them."""
    sizes = []

    def noted(weights):
        sizes.append(weights.size)
        return weights.sum(axis=1)

    monkeypatch.setattr(weighted, "SLICE", 70)
    found = weighted.over_replicates(noted, np.ones((11, n)), n)
    assert found.tolist() == [n] * 11
    assert sum(sizes) == 11 * n
    assert max(sizes) <= max(70, n)
    # Nor are there more slices than it takes.
    assert len(sizes) == math.ceil(11 / max(1, 70 // n))


def test_the_order_of_the_rows_plays_no_part():
    p, y, rng = draw(7, 80, 3, levels=3)
    order = rng.permutation(80)
    for score in (accuracy, roc_auc, brier, f1, matthews):
        assert score(p[order], y[order]) == pytest.approx(score(p, y))


def test_an_empty_class_or_replicate_is_nan_and_only_there():
    p, y, _ = draw(8, 10, 2)
    weights = np.stack([np.ones(10), (y == 1) * 1.0, np.zeros(10)])
    for score in (roc_auc, f1, matthews):
        assert np.isnan(score(p, y, weights)).tolist() == [False, True, True]
    assert np.isnan(accuracy(p, y, weights)).tolist() == [False, False, True]
    assert np.isnan(brier(p, y, weights)).tolist() == [False, False, True]
    assert math.isnan(roc_auc(np.eye(3)[[0, 1, 0]], np.array([0, 1, 0])))  # class 2 is empty


def test_no_replicates_give_no_scores_and_no_examples_give_nan():
    p, y, _ = draw(9, 10, 2)
    assert roc_auc(p, y, np.empty((0, 10))).shape == (0,)
    none = np.empty((0, 2)), np.empty(0, dtype=int)
    assert all(math.isnan(score(*none)) for score in (accuracy, roc_auc, brier, f1, matthews))


@pytest.mark.parametrize(
    "score", [accuracy, roc_auc, brier, f1, matthews, lambda p, y, w: -brier(p, y, w)]
)
def test_several_sets_of_answers_are_scored_as_one_by_one(score, monkeypatch):
    rng = np.random.default_rng(3)
    sets, y = rng.dirichlet([1, 1, 1], size=(5, 40)), rng.integers(3, size=40)
    weights = rng.integers(0, 4, size=(9, 40))
    weights[4] = 0
    monkeypatch.setattr(weighted, "SLICE", 40 * 4)
    found = score_each(score, list(sets), y, weights)
    assert found.shape == (9, 5)
    for i, p in enumerate(sets):
        alone = score(p, y, weights)
        # Of counts, the means of yes and no are the same to the last bit.
        close = 0 if score is accuracy else 1e-14
        assert found[:, i] == pytest.approx(alone, rel=close, abs=close, nan_ok=True)
    assert np.isnan(found[4]).all()
    assert score_each(score, list(sets), y, weights[:0]).shape == (0, 5)


@pytest.mark.parametrize("score", [exact_match, exact_match_cased])
def test_several_sets_of_written_answers_are_scored_as_one_by_one(score):
    sets = [texts(["a", "B", "c."]), texts(["A", "b", "d"])]
    y = accepted(("a",), ("b", "x"), ("c",))
    weights = np.array([[1, 1, 1], [2, 0, 3]])
    expected = np.stack([score(one, y, weights) for one in sets], axis=1)
    assert score_each(score, sets, y, weights).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("p", "y", "w"),
    [
        (np.full((2, 1), 1.0), np.array([0, 0]), None),
        (np.eye(2), np.array([0, 2]), None),
        (np.eye(2), np.array([0, -1]), None),
        (np.eye(2), np.array([0.0, 1.0]), None),
        (np.eye(2), np.array([0]), None),
        (np.full((2, 2), np.nan), np.array([0, 1]), None),
        (np.eye(2), np.array([0, 1]), np.ones(3)),
        (np.eye(2), np.array([0, 1]), np.array([1.0, -1.0])),
    ],
)
def test_what_is_no_prediction_is_refused(p, y, w):
    for score in (accuracy, roc_auc, brier, f1, matthews):
        with pytest.raises(ValueError, match=r"must"):
            score(p, y, w)


def test_pgr_is_the_formula_and_nan_without_a_gap():
    assert performance_gap_recovered(0.6, 0.7, 0.8) == pytest.approx(0.5)
    assert math.isnan(performance_gap_recovered(0.6, 0.7, 0.6))
    pgr = performance_gap_recovered(np.array([0.5, 0.5]), np.array([[0.4], [1.0]]), 0.75)
    np.testing.assert_allclose(pgr, [[-0.4, -0.4], [2.0, 2.0]])


def test_a_wrong_name_is_answered_with_the_nearest():
    assert metric("classification", "roc_auc") is roc_auc
    with pytest.raises(UserError, match=r"accuracy\?"):
        metric("classification", "acuracy")
    with pytest.raises(UserError, match="kind of task 'regression'"):
        metric("regression", "accuracy")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" United  Kingdom.\n", "united kingdom"),
        ("PARIS .", "paris"),
        ("e2e4", "e2e4"),
        ("Straße", "strasse"),
        ("U.S.A.", "u.s.a"),
        ("so be it...", "so be it.."),
        ("", ""),
    ],
)
def test_written_answers_are_compared_without_case_spacing_and_a_full_stop(text, expected):
    assert normalised(text) == expected
    assert normalised("a  b") != normalised("ab")


def accepted(*labels):
    """What counts as right, a tuple an example."""
    cells = np.empty(len(labels), dtype=object)
    cells[:] = labels
    return cells


def test_exact_match_by_hand():
    answers = texts(["France", " france. ", "Franc", "", "BXC3", "Qh7#"])
    labels = accepted(("France",), ("France",), ("France",), ("Peru",), ("bxc3",), ("Rd8#", "Qh7#"))
    assert metric("generation", "exact_match")(answers, labels) == 4 / 6
    assert metric("generation", "exact_match_cased")(answers, labels) == 2 / 6
    weights = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 3, 0, 1, 0]])
    assert exact_match(answers, labels, weights).tolist() == [1, 0.25]


def test_the_usual_metric_of_a_kind_is_its_first():
    assert (usual_metric("classification"), usual_metric("generation")) == (
        "accuracy", "exact_match"
    )  # fmt: skip
    assert metric("generation") is exact_match


def test_answers_need_what_counts_as_right_for_each():
    with pytest.raises(ValueError, match="one each an example"):
        exact_match(texts(["a", "b"]), accepted(("a",)))
    with pytest.raises(ValueError, match="one each an example"):
        exact_match(np.full((2, 2), 0.5), accepted(("a",), ("b",)))
