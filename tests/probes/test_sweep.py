"""A sweep gives what its settings give one by one."""

import numpy as np
import pytest

from weak2strong.ground.errors import UserError
from weak2strong.probes import sweep as module
from weak2strong.probes.knn_probe import Knn
from weak2strong.probes.logistic_probe import Logistic
from weak2strong.probes.sweep import sweep_knn, sweep_logistic


def draw(seed, classes):
    rng = np.random.default_rng(seed)
    x, queries = rng.normal(size=(50, 4)), rng.normal(size=(20, 4))
    y = (x @ rng.normal(size=(4, classes)) + rng.gumbel(size=(50, classes))).argmax(axis=1)
    labels = 0.7 * np.eye(classes)[y] + 0.3 * rng.dirichlet(np.ones(classes), 50)
    return 3 * x + 1, labels, 3 * queries + 1


@pytest.fixture
def searches(monkeypatch):
    """Counts the searches and the fits."""
    calls = []
    for name in ("nearest", "fit_penalties"):
        plain = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, plain=plain, **k: calls.append(1) or plain(*a, **k)
        )
    return calls


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("itself", [False, True])
def test_every_k_equals_a_probe_of_its_own(classes, itself, searches):
    x, labels, queries = draw(classes, classes)
    queries, ks = None if itself else queries, [20, 1, 50, 7]
    found = sweep_knn(x, labels, queries, ks)
    assert found.shape == (4, 50 if itself else 20, classes)
    assert len(searches) == 1
    for k, answers in zip(ks, found, strict=True):
        np.testing.assert_array_equal(answers, Knn(k).predict(x, labels, queries))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("itself", [False, True])
@pytest.mark.parametrize("standardise", [False, True])
def test_every_penalty_equals_a_probe_of_its_own(classes, itself, standardise, searches):
    x, labels, queries = draw(classes, classes)
    queries, penalties = None if itself else queries, [1.0, 1e-4, 1e-2]
    found = sweep_logistic(x, labels, queries, penalties, standardise=standardise)
    assert found.shape == (3, 50 if itself else 20, classes)
    assert len(searches) == 1
    for penalty, answers in zip(penalties, found, strict=True):
        alone = Logistic(penalty, standardise).predict(x, labels, queries)
        np.testing.assert_allclose(answers, alone, atol=2e-5)
    assert np.abs(found[0] - found[1]).max() > 0.05


def test_settings_that_cannot_be_are_refused():
    x, labels, queries = draw(0, 2)
    with pytest.raises(UserError, match="51 neighbours among 50 training points"):
        sweep_knn(x, labels, queries, [3, 51])
    with pytest.raises(UserError, match="Knn: k must be at least 1, not 0"):
        sweep_knn(x, labels, queries, [3, 0])
    with pytest.raises(UserError, match="Logistic: penalty must be at least 0, not -1"):
        sweep_logistic(x, labels, queries, [0.1, -1])
    with pytest.raises(UserError, match="at least one k"):
        sweep_knn(x, labels, queries, [])
    with pytest.raises(UserError, match="at least one penalty"):
        sweep_logistic(x, labels, queries, [])
    with pytest.raises(ValueError, match="do not fit 50 points"):
        sweep_knn(x, labels[:-1], queries, [3])
