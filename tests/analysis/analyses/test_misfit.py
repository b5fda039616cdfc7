"""Misfit and gain: their identity, the theorem where it holds, and the correlation over tasks."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import entropy, pearsonr

from weak2strong.analysis.analyses.misfit import (
    kl_misfit,
    misfit_over_tasks,
    misfit_rows,
    squared_misfit,
)
from weak2strong.ground.metrics import brier

RNG = np.random.default_rng(0)
LABELS = RNG.integers(3, size=80)
STUDENT, WEAK = RNG.dirichlet(np.ones(3), (2, 80))


def test_gain_is_the_fall_of_brier_score_and_misfit_a_part_of_it():
    found = squared_misfit(STUDENT, WEAK, LABELS)
    assert found.gain.mean() == pytest.approx(brier(WEAK, LABELS) - brier(STUDENT, LABELS))
    truth = np.eye(3)[LABELS]
    rest = 2 * ((WEAK - STUDENT) * (STUDENT - truth)).sum(1)
    assert found.gain == pytest.approx(found.misfit + rest)


def test_kl_is_from_student_to_weak_labels_as_scipy_has_it():
    found = kl_misfit(STUDENT, WEAK, LABELS)
    assert found.misfit == pytest.approx(entropy(STUDENT, WEAK, axis=1))
    expected = np.log(STUDENT / WEAK)[np.arange(80), LABELS]
    assert found.gain == pytest.approx(expected)
    certain = kl_misfit(np.eye(3)[[0]], np.eye(3)[[1]], np.array([0]))
    assert np.isfinite(certain.misfit).all()


def test_a_least_squares_head_gains_at_least_its_misfit():
    """Charikar et al., theorem 1: a linear head on features in which the truth is linear."""
    features = np.column_stack([np.ones(500), RNG.uniform(-1, 1, (500, 4))])
    truth = features @ np.array([0.5, 0.2, -0.1, 0.05, 0.1])
    weak = truth + RNG.normal(0, 0.1, 500) + 0.2 * features[:, 1] ** 2
    head, *_ = np.linalg.lstsq(features, weak, rcond=None)
    student = features @ head
    misfit = np.mean((student - weak) ** 2)
    gain = np.mean((weak - truth) ** 2 - (student - truth) ** 2)
    assert gain >= misfit - 1e-12
    assert misfit > 0.01
    # As probabilities and with truth in place of one label, ours are twice these.
    both = [np.stack([1 - p, p], axis=1) for p in (student, weak)]
    assert squared_misfit(*both, np.zeros(500, dtype=int)).misfit.mean() == pytest.approx(
        2 * misfit
    )


def test_the_projection_by_kl_gains_at_least_its_misfit():
    """Mixtures of two distributions a point are a convex class; labels come from one of it."""
    ends, n = RNG.dirichlet(np.ones(3), (2, 4)), 4
    weak, truth = RNG.dirichlet(np.ones(3), n), 0.3 * ends[0] + 0.7 * ends[1]

    def mixture(share: float) -> np.ndarray:
        return share * ends[0] + (1 - share) * ends[1]

    none = np.zeros(n, dtype=int)
    best = minimize(
        lambda x: kl_misfit(mixture(x[0]), weak, none).misfit.mean(), [0.5], bounds=[(0, 1)]
    )
    student = mixture(best.x[0])
    misfit = kl_misfit(student, weak, none).misfit.mean()
    # The mean gain over labels drawn from the truth.
    gain = sum(
        (truth[:, c] * kl_misfit(student, weak, np.full(n, c)).gain).mean() for c in range(3)
    )
    assert gain >= misfit - 1e-6
    assert misfit > 0.01


def test_rows_have_misfit_gain_and_what_is_between_them(tested):
    labels, (floor, naive) = RNG.integers(2, size=60), RNG.uniform(0.1, 0.9, (2, 3, 60))
    squared, kl = misfit_rows(tested(labels, floor=floor, naive=naive), "naive")
    assert (squared["form"], kl["form"]) == ("squared", "kl")
    assert squared["misfit"] == pytest.approx(2 * np.mean((naive - floor) ** 2))
    for row in (squared, kl):
        assert 0 < row["misfit_low"] < row["misfit"] < row["misfit_high"]
        assert row["surplus"] == pytest.approx(row["gain"] - row["misfit"])
        assert row["surplus_low"] < row["surplus"] < row["surplus_high"]


def test_the_correlation_over_tasks_needs_four_of_them():
    x, y = RNG.random((2, 6))
    rows = [
        {"form": "squared", "method": "naive", "misfit": a, "gain": b}
        for a, b in zip(x, y, strict=True)
    ]
    (every,) = misfit_over_tasks(rows)
    expected = pearsonr(x, y)
    interval = expected.confidence_interval()
    assert every["tasks"] == 6
    assert every["r"] == pytest.approx(expected[0])
    assert (every["r_low"], every["r_high"]) == pytest.approx((interval.low, interval.high))
    assert every["gain_over_misfit"] == pytest.approx(y.sum() / x.sum())
    (three,) = misfit_over_tasks(rows[:3])
    assert three["r"] is None
    (same,) = misfit_over_tasks([row | {"gain": 0.1 + row["gain"] * 1e-15} for row in rows])
    assert same["r"] is None
    assert three["gain"] == pytest.approx(y[:3].mean())


def test_a_misfit_is_no_less_than_0_and_a_gain_may_be(tested):
    """Ends of intervals, where one example in sixty differs."""
    labels, floor = RNG.integers(2, size=60), RNG.uniform(0.3, 0.7, (2, 60))
    naive = floor.copy()
    naive[:, 0] = 1 - labels[0]
    for row in misfit_rows(tested(labels, floor=floor, naive=naive), "naive"):
        assert row["misfit_low"] == 0 < row["misfit"]
        assert row["gain_low"] < row["gain"] < 0
