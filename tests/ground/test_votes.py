"""What is made of annotators' classes, against loops over them and scikit-learn."""

import math
from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from weak2strong.ground import votes as of_votes
from weak2strong.ground.votes import RULES, alpha, dawid_skene, kappa, majority, mean

CLASSES = 3


def drawn(n=400, accuracies=(0.9, 0.75, 0.6, 0.55), gaps=0.2, seed=0):
    """Truth, and the votes of annotators who each have a usual mistake; some votes are missing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(CLASSES, size=n)
    votes = np.full((n, len(accuracies)), -1)
    for m, accuracy in enumerate(accuracies):
        wrong = (truth + 1 + (rng.random(n) < 0.2)) % CLASSES
        votes[:, m] = np.where(rng.random(n) < accuracy, truth, wrong)
        votes[rng.random(n) < gaps, m] = -1
    some = (votes >= 0).any(axis=1)
    return truth[some], votes[some]


def test_mean_and_majority_are_those_of_a_loop():
    _, votes = drawn(n=60)
    for row, share, most in zip(votes, mean(votes, 3), majority(votes, 3), strict=True):
        said = [int(v) for v in row if v >= 0]
        expected = [said.count(c) / len(said) for c in range(3)]
        assert share.tolist() == pytest.approx(expected)
        top = [c for c in range(3) if expected[c] == max(expected)]
        assert most.tolist() == pytest.approx([(c in top) / len(top) for c in range(3)])


def literal_dawid_skene(votes, rounds):
    """The equations of the paper, one example, annotator and class after another."""
    n, m = votes.shape
    t = [[sum(v == k for v in row) / sum(v >= 0 for v in row) for k in range(3)] for row in votes]
    for _ in range(rounds):
        prior = [sum(t[i][k] for i in range(n)) / n for k in range(3)]
        pi = {}
        for j in range(m):
            for k in range(3):
                total = sum(t[i][k] for i in range(n) if votes[i, j] >= 0)
                for c in range(3):
                    said = sum(t[i][k] for i in range(n) if votes[i, j] == c)
                    pi[j, k, c] = max(said / total, 1e-10)
        for i in range(n):
            joint = [
                prior[k] * math.prod(pi[j, k, votes[i, j]] for j in range(m) if votes[i, j] >= 0)
                for k in range(3)
            ]
            t[i] = [p / sum(joint) for p in joint]
    return np.array(t)


@pytest.mark.parametrize("rounds", [1, 30])
def test_dawid_skene_is_that_of_its_equations(monkeypatch, rounds):
    _, votes = drawn(n=50)
    monkeypatch.setattr(of_votes, "ROUNDS", rounds)
    found = dawid_skene(votes, 3).posterior(votes)
    np.testing.assert_allclose(found, literal_dawid_skene(votes, rounds + 1), atol=1e-9)


def test_dawid_skene_finds_who_is_right_without_ground_truth():
    truth, votes = drawn(n=4000)
    model = dawid_skene(votes, 3)
    own = [(votes[:, m] == truth)[votes[:, m] >= 0].mean() for m in range(4)]
    assert model.accuracies == pytest.approx(own, abs=0.03)
    score = {rule: (of(votes, 3).argmax(axis=1) == truth).mean() for rule, of in RULES.items()}
    assert score["dawid-skene"] > score["majority"] + 0.01
    # Which votes are missing, and in which order annotators stand, makes no difference.
    order = next(p for p in permutations(range(4)) if p != (0, 1, 2, 3))
    other = votes[:, order]
    found = dawid_skene(other, 3).posterior(other)
    np.testing.assert_allclose(found, model.posterior(votes), atol=1e-6)


def test_kappa_is_that_of_scikit_learn_on_what_both_labelled():
    _, votes = drawn()
    both = (votes[:, 0] >= 0) & (votes[:, 2] >= 0)
    expected = cohen_kappa_score(votes[both, 0], votes[both, 2])
    assert kappa(votes[:, 0], votes[:, 2]) == pytest.approx(expected)
    assert math.isnan(kappa(np.array([1, -1]), np.array([-1, 1])))
    assert math.isnan(kappa(np.ones(5), np.ones(5)))


def literal_alpha(votes):
    """Krippendorff's definition, over pairs of votes."""
    units = [[v for v in row if v >= 0] for row in votes]
    units = [unit for unit in units if len(unit) > 1]
    whole = [v for unit in units for v in unit]
    observed = sum(
        sum(a != b for i, a in enumerate(u) for j, b in enumerate(u) if i != j) / (len(u) - 1)
        for u in units
    ) / len(whole)
    pairs = [(a, b) for i, a in enumerate(whole) for j, b in enumerate(whole) if i != j]
    return 1 - observed / (sum(a != b for a, b in pairs) / len(pairs))


def test_alpha_is_that_of_its_definition():
    _, votes = drawn(n=60)
    assert alpha(votes) == pytest.approx(literal_alpha(votes))
    assert alpha(np.array([[0, 0, -1], [1, 1, 1]])) == 1
    assert math.isnan(alpha(np.array([[0, -1], [-1, 1]])))
