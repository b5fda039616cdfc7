"""Scores over seeds and test examples: PGR with an interval that covers both."""

from weak2strong.analysis.intervals import (
    Interval,
    Measured,
    group_weights,
    replicate_scores,
)
from weak2strong.analysis.recovered import (
    BOOTSTRAP_SEEDS,
    HONEST_SEEDS,
    Recovered,
    recovered,
)

__all__ = [
    "BOOTSTRAP_SEEDS",
    "HONEST_SEEDS",
    "Interval",
    "Measured",
    "Recovered",
    "group_weights",
    "recovered",
    "replicate_scores",
]
