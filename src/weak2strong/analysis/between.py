"""How two students of the same supervisors differ: in score, and in the errors that they repeat.

Differences are paired: both answered the same test examples and learned the labels of the same
supervisors, seed by seed, so that neither the draw of examples nor that of supervisors moves them
apart. Intervals are over seeds and groups of test examples (`weak2strong.analysis.estimates`).
"""

from __future__ import annotations

from weak2strong.analysis.estimates import (
    DIFFERENCE,
    Estimate,
    estimated,
    mean_estimate,
    seed_scores,
)
from weak2strong.analysis.intervals import replicate_scores
from weak2strong.analysis.tested import Tested
from weak2strong.ground.metrics import metric


def score_difference(tested: Tested, one: str, other: str) -> Estimate | None:
    """The score of one student minus that of another, by their names among the students."""
    score = metric(tested.kind, tested.metric)
    both = [tested.students[name] for name in (one, other)]
    first, second = (seed_scores(answers, tested.labels, score) for answers in both)
    drawn = replicate_scores(both, tested.labels, score, tested.weights)
    apart = drawn[:, :, 0] - drawn[:, :, 1]
    return estimated(first - second, apart, tested.group_count, DIFFERENCE)


def repeated_difference(tested: Tested, one: str, other: str) -> Estimate | None:
    """The share of wrong weak labels that one student gives, too, minus that of another.

    None where the labels of some seed have no error.
    """
    told = tested.given["floor", ""]
    first, second = ((tested.given["student", n] == told).astype(float) for n in (one, other))
    wrong = ~tested.right["floor", ""]
    return mean_estimate(first - second, tested.weights, tested.group_count, wrong, DIFFERENCE)
