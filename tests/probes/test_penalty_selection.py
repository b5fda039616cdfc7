"""The penalty is chosen by groups held out whole, whatever the order of the rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from weak2strong.ground.errors import UserError
from weak2strong.probes import select_penalty

PENALTIES = (1e-4, 1e-2, 1.0)


def draw(seed, groups=40, rows=3, d=30):
    """Each group has its own label and, in its features, its own fingerprint."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rows)
    y = rng.integers(0, 2, groups)[group]
    x = rng.normal(size=(groups, d))[group] + 0.01 * rng.normal(size=(groups * rows, d))
    x[:, 0] += y
    return x, y, group


def test_equals_cross_validation_with_scikit_learn():
    for seed in range(3):
        x, y, group = draw(seed)
        shuffled = np.random.default_rng(seed).permutation(40)
        losses = []
        for penalty in PENALTIES:
            loss = 0.0
            for part in range(4):
                held_out = shuffled[group] % 4 == part
                scaler = StandardScaler().fit(x[~held_out])
                model = LogisticRegression(C=1 / ((~held_out).sum() * penalty), max_iter=10_000)
                model.fit(scaler.transform(x[~held_out]), y[~held_out])
                p = model.predict_proba(scaler.transform(x[held_out]))
                loss += log_loss(y[held_out], p, normalize=False, labels=[0, 1])
            losses.append(loss)
        chosen = select_penalty(x, y, group, penalties=PENALTIES, folds=4, seed=seed)
        assert chosen == PENALTIES[int(np.argmin(losses))]


def test_groups_stay_whole():
    x, y, group = draw(4)
    # Split by row, each held-out row has its twins in training: no penalty looks best.
    by_row = select_penalty(x, y, np.arange(len(y)), penalties=PENALTIES, seed=0)
    by_group = select_penalty(x, y, group, penalties=PENALTIES, seed=0)
    assert by_row == min(PENALTIES)
    assert by_group == max(PENALTIES)


def test_order_of_rows_and_of_candidates_plays_no_part():
    x, y, group = draw(5)
    names = np.array([f"city {g}" for g in group])
    order = np.random.default_rng(0).permutation(len(y))
    expected = select_penalty(x, y, names, penalties=PENALTIES, seed=3)
    reordered = select_penalty(x[order], y[order], names[order], penalties=PENALTIES[::-1], seed=3)
    assert reordered == expected


def test_ties_go_to_the_largest_penalty():
    x = np.zeros((8, 2))  # nothing to learn from: every penalty gives the class shares
    y = np.tile([0, 1], 4)
    assert select_penalty(x, y, np.repeat(np.arange(4), 2), penalties=PENALTIES, seed=0) == 1.0


def test_too_little_to_choose_from_is_a_sentence():
    x, y, group = draw(6)
    with pytest.raises(UserError, match="two groups"):
        select_penalty(x, y, np.zeros(len(y)), seed=0)
    with pytest.raises(UserError, match="two folds"):
        select_penalty(x, y, group, folds=1, seed=0)
    with pytest.raises(UserError, match="candidate"):
        select_penalty(x, y, group, penalties=(), seed=0)
