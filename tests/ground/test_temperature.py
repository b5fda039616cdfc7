"""How sure probabilities are: another temperature, and the one that suits ground truth."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from weak2strong.ground.temperature import HIGHEST, LOWEST, at_temperature, fitted_temperature


def drawn(classes: int, sharpness: float = 1.0, n: int = 4000):
    """Logits, and labels that follow their softmax, but for the sharpness that logits then have."""
    rng = np.random.default_rng(classes)
    logits = rng.normal(size=(n, classes))
    labels = [rng.choice(classes, p=p) for p in softmax(logits, axis=1)]
    return sharpness * logits, np.array(labels)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_probabilities_at_a_temperature_are_those_of_divided_logits(classes, temperature):
    logits, _ = drawn(classes)
    found = at_temperature(softmax(logits, axis=1), temperature)
    np.testing.assert_allclose(found, softmax(logits / temperature, axis=1), atol=1e-12)
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()


@pytest.mark.parametrize("temperature", [1e-300, 0.5, 2.0, 1e300])
def test_certain_answers_stay_and_even_ones_stay_even(temperature):
    rows = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(at_temperature(rows, temperature), rows)


def test_two_classes_have_the_temperature_of_a_logistic_regression_on_their_log_odds():
    logits, labels = drawn(2, sharpness=2.5)
    odds = logits[:, 1] - logits[:, 0]
    fit = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-10).fit(odds[:, None], labels)
    found = fitted_temperature(softmax(logits, axis=1), labels)
    assert found == pytest.approx(1 / fit.coef_[0, 0], rel=0.005)
    assert found == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_no_temperature_of_a_fine_grid_has_a_lower_cross_entropy(sharpness):
    logits, labels = drawn(4, sharpness, n=200)
    p = softmax(logits, axis=1)

    def cross_entropy(temperature):
        return -np.mean(np.log(at_temperature(p, temperature)[range(200), labels]))

    best = min(np.geomspace(0.1, HIGHEST, 2000), key=cross_entropy)
    assert fitted_temperature(p, labels) == pytest.approx(best, rel=0.01)


def test_the_ends_are_reached_and_not_passed():
    p = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1]])
    right = p.argmax(axis=1)
    assert fitted_temperature(p, right) == LOWEST
    assert fitted_temperature(p, 1 - right) == HIGHEST


def test_a_label_that_has_no_probability_leaves_a_finite_temperature():
    p = np.array([[0.0, 1.0], [0.2, 0.8], [0.7, 0.3]])
    assert LOWEST <= fitted_temperature(p, np.array([0, 1, 0])) <= HIGHEST
