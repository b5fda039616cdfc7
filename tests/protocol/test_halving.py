"""The search for rates, on surfaces whose best point is known."""

import numpy as np
import pytest

from weak2strong.config.training import Training
from weak2strong.protocol.halving import (
    LEAST,
    RULE,
    Lattice,
    passes,
    rates_at,
    search,
    smoothed,
    trial_training,
)

BOTH, HEAD, TRUNK = Lattice(True, True), Lattice(False, True), Lattice(True, False)


def hill(top, noise=0.0, seed=0, cliff=99):
    """Scores that fall from a point on; beyond the cliff a trunk diverges."""
    rng = np.random.default_rng(seed)

    def score(points, number):
        clean = {p: -0.05 * ((p[0] - top[0]) ** 2 + 0.3 * (p[1] - top[1]) ** 2) for p in points}
        return {p: -2.0 if p[0] >= cliff else s + noise * rng.normal() for p, s in clean.items()}

    return score


@pytest.mark.parametrize("lattice", [BOTH, HEAD, TRUNK])
def test_the_best_point_is_found_wherever_it_is(lattice):
    for top in lattice.points:
        found = search(lattice, hill(top))
        lost = hill(top)([found], 0)[found]
        assert lost >= -0.05, "one step of the trunk's rate, or two of the head's"


def test_a_noisy_score_leads_near_the_best_point():
    """Though a step to either side costs no more than the noise of a score."""
    off = [search(BOTH, hill((2, 0), 0.05, seed))[0] - 2 for seed in range(200)]
    assert np.mean(np.abs(off) <= 1) > 0.95
    alone = [search(TRUNK, hill((2, 0), 0.05, seed))[0] - 2 for seed in range(200)]
    assert np.mean(np.abs(alone) <= 1) > 0.95


def test_a_point_beside_those_that_diverge_is_not_chosen_for_a_hair():
    tried = []

    def score(points, number):
        tried.append(points)
        return {p: -2.0 if p[0] >= 2 else -0.3 + 0.001 * p[0] for p in points}

    assert search(BOTH, score)[0] < 2
    assert all(p[0] <= 0 for p in tried[1])


def test_of_equal_points_the_rule_wins():
    for lattice in (BOTH, HEAD, TRUNK):
        assert search(lattice, lambda points, number: dict.fromkeys(points, -0.5)) == RULE


def test_a_mean_of_neighbours_is_that_of_its_formula():
    scores = {(0, 0): 1.0, (1, 1): 0.0, (2, 0): 0.5}
    weights = np.exp(-np.array([1, 1, 1]) / (2 * 0.7**2))
    assert smoothed(scores, (1, 0)) == pytest.approx(np.average([1, 0, 0.5], weights=weights))


def test_the_lattice_is_wide_enough_and_holds_the_rule():
    """A supervisor that is an embedding alone wanted 3e-3 where the rule says 1e-4."""
    for lattice in (BOTH, TRUNK):
        rates = [rates_at((1e-4, 1e-3), p)[0] for p in lattice.points]
        assert min(rates) <= 1e-5
        assert max(rates) >= 3e-3
        assert RULE in lattice.first
    assert len(BOTH.first) * 2 == len(BOTH.points)


def test_a_trial_has_its_share_of_the_steps_and_of_the_warm_up():
    training = Training(epochs=4, batch_size=10, warmup_steps=20, stopping="oracle")
    trial = trial_training(training, (0.1, 0.2), 500, 1 / 2)
    assert (trial.steps_on(500), trial.learning_rate, trial.head_rate) == (100, 0.1, 0.2)
    assert trial.warmup_share(100) * 200 == pytest.approx(20)
    assert trial.stopping == "none"
    assert trial_training(training, (0.1, 0.2), 60, 0.01).steps == LEAST
    assert trial_training(training, (0.1, 0.2), 30, 0.01).steps == 12


def test_a_search_costs_what_its_trials_do():
    tried = []

    def score(points, number):
        tried.extend(points)
        return dict.fromkeys(points, 0.0)

    for lattice in (BOTH, HEAD, TRUNK):
        tried.clear()
        search(lattice, score)
        found = passes(lattice, Training(epochs=3, batch_size=10), 4000)
        assert len(found) == len(tried)
        whole = 3 * 3000
        assert sum(found) / whole == pytest.approx(len(lattice.first) / 6 + 4 / 3 + 2, rel=0.01)
