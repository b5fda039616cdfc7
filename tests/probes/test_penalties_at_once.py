"""Many penalties solved together: the same probes as one by one, in fewer steps."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from weak2strong.ground.errors import UserError
from weak2strong.probes import fit_logistic, fit_penalties, logistic

PENALTIES = (1.0, 1e-3, 1e-1, 1e-4, 1e-2)


def draw(seed, n=300, d=20, k=3, decay=1.0):
    """Soft labels on correlated features of uneven variance, far from zero."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0]
    x = rng.normal(size=(n, d)) * np.arange(1, d + 1) ** -decay @ axes + 5
    y = ((x - 5) @ rng.normal(size=(d, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)
    return x, 0.7 * np.eye(k)[y] + 0.3 * rng.dirichlet(np.ones(k), n)


@pytest.fixture
def evaluations(monkeypatch):
    """Counts how often an objective was asked for."""
    calls = []
    plain = logistic._objective
    monkeypatch.setattr(logistic, "_objective", lambda *a: calls.append(1) or plain(*a))
    return calls


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize(("n", "d"), [(300, 20), (30, 60)])
def test_soft_labels_equal_weighted_rows_in_scikit_learn(k, standardise, n, d):
    x, t = draw(k, n=n, d=d, k=k)
    rows = StandardScaler().fit_transform(x) if standardise else x
    for penalty, probe in zip(
        PENALTIES, fit_penalties(x, t, PENALTIES, standardise=standardise), strict=True
    ):
        # The mapping of the docstring; each row stands k times, weighted by its labels.
        c = 1 / ((1 if k == 2 else 2) * n * penalty)
        # A centred copy: scikit-learn's solver is slow far from zero, and the bias is free.
        centre = rows.mean(axis=0)
        oracle = LogisticRegression(C=c, tol=1e-9, max_iter=20_000).fit(
            np.repeat(rows - centre, k, axis=0), np.tile(np.arange(k), n), sample_weight=t.ravel()
        )
        expected = oracle.predict_proba(rows - centre)
        np.testing.assert_allclose(probe.predict(x), expected, atol=2e-4)


def test_together_equals_one_by_one_in_any_order():
    x, t = draw(0)
    together = fit_penalties(x, t, PENALTIES)
    for penalty, probe in zip(PENALTIES, together, strict=True):
        alone = fit_logistic(x, t, penalty=penalty)
        np.testing.assert_allclose(probe.weights, alone.weights, atol=1e-2 * 1e-6 / penalty + 1e-5)
        np.testing.assert_allclose(probe.predict(x), alone.predict(x), atol=1e-5)
    backwards = fit_penalties(x, t, PENALTIES[::-1])[::-1]
    for probe, other in zip(together, backwards, strict=True):
        np.testing.assert_allclose(probe.predict(x), other.predict(x), atol=1e-5)


@pytest.mark.parametrize("standardise", [True, False])
def test_the_gradient_is_as_short_as_promised(standardise):
    x, t = draw(1)
    for penalty, probe in zip(
        PENALTIES, fit_penalties(x, t, PENALTIES, standardise=standardise), strict=True
    ):
        rows = (x - x.mean(axis=0)) / (x.std(axis=0) if standardise else 1)
        bias = probe.bias + (0 if standardise else x.mean(axis=0) @ probe.weights)
        flat = np.vstack([probe.weights, bias]).ravel()
        gradient = logistic._objective(flat, rows, t, penalty)[1]
        assert np.linalg.norm(gradient) < 1.1e-6


def test_uneven_correlated_features_take_tens_of_steps_for_all(evaluations):
    x, t = draw(2, n=800, d=150, k=2)
    fit_penalties(x, t, PENALTIES)
    assert len(evaluations) < 50


def test_a_start_at_the_answer_leaves_little_to_do(evaluations):
    x, t = draw(3)
    probes = fit_penalties(x, t, PENALTIES, standardise=False)
    cold = len(evaluations)
    again = fit_penalties(x, t, PENALTIES, standardise=False, start=probes)
    assert len(evaluations) - cold <= 5 < cold
    for probe, other in zip(probes, again, strict=True):
        np.testing.assert_allclose(probe.predict(x), other.predict(x), atol=1e-5)


def test_confident_probes_of_separable_classes_are_reached_too():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 50))
    y = (x @ rng.normal(size=50) > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probes = fit_penalties(x, y, [1e-4, 1e-6, 1e-8], max_iterations=500)
    assert all((p.predict(x).argmax(axis=1) == y).all() for p in probes)
    assert [p.predict(x).max(axis=1).min() for p in probes] == sorted(
        p.predict(x).max(axis=1).min() for p in probes
    )


def test_a_feature_told_twice_counts_once_at_twice_the_penalty():
    x, t = draw(5, d=4)
    twice = np.hstack([x, x])
    for penalty, probe in zip((1e-2, 0.0), fit_penalties(x, t, (1e-2, 0.0)), strict=True):
        doubled = fit_logistic(twice, t, penalty=2 * penalty)
        np.testing.assert_allclose(doubled.weights[:4], doubled.weights[4:], atol=1e-6)
        np.testing.assert_allclose(doubled.predict(twice), probe.predict(x), atol=1e-4)


def test_what_cannot_be_fitted_is_refused():
    x, t = draw(6)
    with pytest.raises(UserError, match="negative: -1"):
        fit_penalties(x, t, [1.0, -1.0])
    with pytest.raises(ValueError, match="at least one penalty"):
        fit_penalties(x, t, [])
    with pytest.raises(ValueError, match="one start for each"):
        fit_penalties(x, t, [1.0, 0.1], start=fit_penalties(x, t, [1.0]))
    with pytest.warns(RuntimeWarning, match="above its tolerance"):
        fit_penalties(x, t, PENALTIES, max_iterations=2)
