"""What becomes of the classes that several people gave to the same examples, and how they agree.

Votes are indices of classes ``(n, m)`` of n examples and m annotators, -1 where one gave none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

NOTHING = -1
"""The vote of an annotator who gave no class."""

ROUNDS = 1000
"""Rounds of expectation and maximisation at most."""

STILL = 1e-8
"""Change of a probability below which they end."""

LEAST = 1e-10
"""Probability of a confusion that was never seen."""


def counts(votes: np.ndarray, classes: int) -> np.ndarray:
    """How many annotators gave each class, ``(n, classes)``."""
    return np.stack([(votes == c).sum(axis=1) for c in range(classes)], axis=1).astype(float)


def mean(votes: np.ndarray, classes: int) -> np.ndarray:
    """The share of each class among the votes of an example, ``(n, classes)``.

    Every example needs a vote.
    """
    of = counts(votes, classes)
    return of / of.sum(axis=1, keepdims=True)


def majority(votes: np.ndarray, classes: int) -> np.ndarray:
    """All weight on the class that most gave; equal ones share it. ``(n, classes)``."""
    of = counts(votes, classes)
    most = (of == of.max(axis=1, keepdims=True)).astype(float)
    return most / most.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class DawidSkene:
    """How often each class occurs, and what each annotator says of each, as estimated.

    Attributes:
        prior: ``(classes,)``.
        confusion: ``(m, classes, classes)``: of annotator, true class, class given.
    """

    prior: np.ndarray
    confusion: np.ndarray

    def posterior(self, votes: np.ndarray) -> np.ndarray:
        """How probable each class is after the votes, ``(n, classes)``."""
        logs = np.log(np.maximum(self.confusion, LEAST))
        log_p = np.tile(np.log(np.maximum(self.prior, LEAST)), (len(votes), 1))
        for annotator, said in enumerate(votes.T):
            given = said != NOTHING
            log_p[given] += logs[annotator][:, said[given]].T
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    @property
    def accuracies(self) -> np.ndarray:
        """The estimated share of right votes of each annotator, ``(m,)``."""
        return np.einsum("k,mkk->m", self.prior, self.confusion)


def dawid_skene(votes: np.ndarray, classes: int) -> DawidSkene:
    """Each annotator's errors, estimated without ground truth from where they disagree.

    Dawid and Skene 1979 (Applied Statistics 28, 20-28): expectation and maximisation, which begins
    at the mean of the votes. Examples with the same votes are as probable of each class, so that a
    round takes as long as there are different votes.
    """
    votes, times = np.unique(votes, axis=0, return_counts=True)
    given = np.stack([votes == c for c in range(classes)], axis=2) * times[:, None, None]
    truth = mean(votes, classes)
    model = _estimated(truth, times, given)
    for _ in range(ROUNDS):
        after = model.posterior(votes)
        change, truth = np.abs(after - truth).max(), after
        model = _estimated(truth, times, given)
        if change < STILL:
            break
    return model


def _estimated(truth: np.ndarray, times: np.ndarray, given: np.ndarray) -> DawidSkene:
    """What is likeliest where these ``(n, classes)`` are how probable the true classes are.

    Args:
        truth: of votes that differ, ``(n, classes)``.
        times: how many examples have these votes, ``(n,)``.
        given: in how many of them an annotator gave a class, ``(n, m, classes)``.
    """
    said = np.einsum("nk,nml->mkl", truth, given)
    total = said.sum(axis=2, keepdims=True)
    even = np.full_like(said, 1 / truth.shape[1])
    confusion = np.divide(said, total, out=even, where=total > 0)
    return DawidSkene(times @ truth / times.sum(), confusion)


def of_dawid_skene(votes: np.ndarray, classes: int) -> np.ndarray:
    """The posterior of `dawid_skene` on the votes that it was estimated from."""
    return dawid_skene(votes, classes).posterior(votes)


RULES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "mean": mean,
    "majority": majority,
    "dawid-skene": of_dawid_skene,
}
"""What makes probabilities ``(n, classes)`` of votes, by the name of the rule."""


def kappa(one: np.ndarray, other: np.ndarray) -> float:
    """Cohen's kappa of two annotators on the examples that both labelled (Cohen 1960).

    Nan where there is none, or both always say the same one class.
    """
    both = (one != NOTHING) & (other != NOTHING)
    one, other = one[both], other[both]
    if not len(one):
        return float("nan")
    classes = np.union1d(one, other)
    by_chance = sum((one == c).mean() * (other == c).mean() for c in classes)
    return float(((one == other).mean() - by_chance) / (1 - by_chance)) if by_chance < 1 else np.nan


def alpha(votes: np.ndarray) -> float:
    """Krippendorff's alpha of nominal classes, which minds missing votes (Krippendorff 2004).

    1: all agree; 0: as by chance. Nan where no example has two votes, or all say one class.
    """
    classes = np.unique(votes[votes != NOTHING])
    of = np.stack([(votes == c).sum(axis=1) for c in classes], axis=1).astype(float)
    of = of[of.sum(axis=1) > 1]
    if not len(of):
        return float("nan")
    total = of.sum(axis=1)
    same = (of * (of - 1)).sum(axis=1)
    observed = ((total * (total - 1) - same) / (total - 1)).sum() / total.sum()
    margin, whole = of.sum(axis=0), total.sum()
    expected = (whole**2 - (margin**2).sum()) / (whole * (whole - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")
