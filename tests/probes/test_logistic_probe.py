"""Logistic probes against scikit-learn, finite differences, and their own invariants."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from weak2strong.ground.errors import UserError
from weak2strong.probes import fit_logistic
from weak2strong.probes.logistic import _objective


def draw(seed, n=120, d=6, k=2, noise=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, d) + rng.normal(size=d)
    y = (x @ rng.normal(size=(d, k)) + noise * rng.gumbel(size=(n, k))).argmax(axis=1)
    return x, y, rng


def soften(y, k, rng):
    return 0.7 * np.eye(k)[y] + 0.3 * rng.dirichlet(np.ones(k), len(y))


@pytest.mark.parametrize("penalty", [1e-3, 1e-2, 1.0])
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("standardise", [False, True])
def test_equals_scikit_learn_at_the_documented_c(penalty, k, standardise):
    x, y, _ = draw(k, k=k)
    probe = fit_logistic(x, y, penalty=penalty, standardise=standardise)
    rows = StandardScaler().fit_transform(x) if standardise else x
    c = 1 / (len(x) * penalty) if k == 2 else 1 / (2 * len(x) * penalty)
    oracle = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(rows, y)
    np.testing.assert_allclose(probe.predict(x), oracle.predict_proba(rows), atol=1e-4)
    if k == 2:  # one sigmoid column against two softmax columns, each half of it
        np.testing.assert_allclose(probe.weights[:, 1], oracle.coef_[0] / 2, atol=1e-4)
        np.testing.assert_allclose(probe.weights[:, 0], -oracle.coef_[0] / 2, atol=1e-4)
        np.testing.assert_allclose(np.diff(probe.bias), oracle.intercept_, atol=1e-4)
    else:
        np.testing.assert_allclose(probe.weights, oracle.coef_.T, atol=1e-4)
        np.testing.assert_allclose(
            probe.bias - probe.bias.mean(),
            oracle.intercept_ - oracle.intercept_.mean(),
            atol=1e-4,
        )


@pytest.mark.parametrize("k", [2, 4])
def test_the_gradient_with_soft_labels_equals_finite_differences(k):
    x, y, rng = draw(11, n=20, d=3, k=k)
    t = soften(y, k, rng)
    for _ in range(3):
        theta = rng.normal(size=4 * k)
        numeric = np.asarray(approx_fprime(theta, lambda v: _objective(v, x, t, 0.3)[0], 1e-7))
        np.testing.assert_allclose(_objective(theta, x, t, 0.3)[1], numeric, atol=1e-5)


def test_a_soft_label_equals_weighted_copies_of_the_row():
    x, y, rng = draw(12, n=60, k=3)
    t = soften(y, 3, rng)
    probe = fit_logistic(x, t, penalty=1e-2, standardise=False)
    copies = LogisticRegression(C=1 / (2 * 60 * 1e-2), tol=1e-10, max_iter=10_000).fit(
        np.repeat(x, 3, axis=0), np.tile(np.arange(3), 60), sample_weight=t.ravel()
    )
    np.testing.assert_allclose(probe.predict(x), copies.predict_proba(x), atol=1e-4)


def test_one_sigmoid_column_has_the_same_minimum_at_half_the_penalty():
    x, y, rng = draw(20, d=3)
    t = soften(y, 2, rng)

    def literal(v):
        logit = x @ v[:-1] + v[-1]
        entropy = t[:, 1] * np.log1p(np.exp(-logit)) + t[:, 0] * np.log1p(np.exp(logit))
        return entropy.mean() + 1e-2 * (v[:-1] ** 2).sum()

    v = minimize(literal, np.zeros(4), tol=1e-10).x
    probe = fit_logistic(x, t, penalty=2e-2, standardise=False)
    expected = 1 / (1 + np.exp(-(x @ v[:-1] + v[-1])))
    np.testing.assert_allclose(probe.predict(x)[:, 1], expected, atol=1e-4)


def test_one_hot_rows_equal_labels_and_the_bias_is_free():
    x, y, _ = draw(13, k=3)
    by_label = fit_logistic(x, y)
    by_row = fit_logistic(x, np.eye(3)[y])
    np.testing.assert_array_equal(by_label.weights, by_row.weights)
    # A crushing penalty leaves the class shares, which only a free bias can hold.
    crushed = fit_logistic(x, y, penalty=1e4)
    np.testing.assert_allclose(crushed.predict(x[:1])[0], np.bincount(y) / len(y), atol=1e-4)


def test_standardising_makes_units_irrelevant_and_survives_constants():
    x, y, rng = draw(14)
    units = rng.uniform(1e-3, 1e3, x.shape[1])
    expected = fit_logistic(x, y).predict(x)
    np.testing.assert_allclose(fit_logistic(x * units + 5, y).predict(x * units + 5), expected)
    constant = np.column_stack([x, np.full(len(x), 0.1), np.zeros(len(x))])
    np.testing.assert_allclose(fit_logistic(constant, y).predict(constant), expected, atol=1e-6)


def test_a_class_or_label_set_that_is_partly_absent_gets_a_column():
    x, y, _ = draw(15)
    p = fit_logistic(x, y, classes=4).predict(x)
    assert p.shape == (len(x), 4)
    assert p[:, 2:].max() < 1e-3
    alone = fit_logistic(x, np.zeros(len(x), dtype=int)).predict(x)
    assert alone.shape == (len(x), 2)
    assert alone[:, 0].min() > 0.999


def test_where_it_starts_changes_nothing_but_the_time():
    x, y, _ = draw(16, k=3)
    far = fit_logistic(x, y, penalty=10.0)
    np.testing.assert_allclose(
        fit_logistic(x, y, penalty=1e-3, start=far).predict(x),
        fit_logistic(x, y, penalty=1e-3).predict(x),
        atol=1e-4,
    )


def test_log_probabilities_stay_finite_far_from_the_data():
    x, y, _ = draw(17)
    probe = fit_logistic(x, y, penalty=1e-4)
    assert np.isfinite(probe.log_predict(1e4 * x)).all()
    np.testing.assert_allclose(np.exp(probe.log_predict(x)), probe.predict(x))


def test_a_fit_that_is_cut_short_says_so():
    x, y, _ = draw(18)
    with pytest.warns(RuntimeWarning, match="above its tolerance"):
        fit_logistic(x, y, max_iterations=2)


@pytest.mark.parametrize(
    ("features", "targets", "error"),
    [
        (np.ones((3, 2)), np.array([0, 1]), ValueError),
        (np.full((2, 2), np.nan), np.array([0, 1]), ValueError),
        (np.ones((2, 2)), np.array([[0.2, 0.2], [0.5, 0.5]]), ValueError),
        (np.ones((2, 2)), np.array([[1.5, -0.5], [0.5, 0.5]]), ValueError),
        (np.ones((2, 2)), np.array([0, -1]), ValueError),
        (np.ones((2, 2)), np.array([0.0, 1.0]), ValueError),
        (np.ones((0, 2)), np.array([], dtype=int), UserError),
    ],
)
def test_what_cannot_be_fitted_is_refused(features, targets, error):
    with pytest.raises(error):
        fit_logistic(features, targets)


def test_a_negative_penalty_and_too_few_classes_are_refused():
    x, y, _ = draw(19, k=3)
    with pytest.raises(UserError, match="negative"):
        fit_logistic(x, y, penalty=-1.0)
    with pytest.raises(ValueError, match=r"0 \.\. 1"):
        fit_logistic(x, y, classes=2)
    with pytest.raises(ValueError, match="class indices"):
        fit_logistic(x, np.eye(3)[y], classes=2)
