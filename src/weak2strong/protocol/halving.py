"""A short search for peak rates: successive halving on a lattice around those of the rule.

Neighbours on the lattice differ by a factor of 10 ** 0.5 in the rate of trunk or head. The first
round tries every other point with a sixth of the steps, the second the 4 best with a third, the
last the 2 best with all of them (Jamieson and Talwalkar 2016, with rounds of steps in place of
time). A point's score is a mean over itself and its neighbours, near ones counting most: held-out
examples are few, so that a single score is noisy, and rates next to those that diverge are no good
choice. Points that the first round did not try have such a score, too, and may come into the
second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from weak2strong.config.training import Training

Point = tuple[int, int]
"""Steps on the lattice, of trunk and head, from the rates of the rule."""

RULE: Point = (0, 0)

FACTOR = 10**0.5
"""From a point of the lattice to the next."""

ROUNDS: tuple[tuple[int | None, float], ...] = ((None, 1 / 6), (4, 1 / 3), (2, 1.0))
"""Points of each round, and the share of the steps of a finetuning that each of them is given."""

LEAST = 20
"""Optimiser steps of a trial, where the finetuning has as many."""

REACH = 0.7
"""Steps on the lattice after which a neighbour counts exp(-1/2) as much."""

HELD_OUT = 0.25
"""Share of the ground truth on which a search scores, in groups."""

Score = Callable[[Sequence[Point], int], Mapping[Point, float]]
"""Scores points in a round, which has a number; more is better."""


@dataclass(frozen=True)
class Lattice:
    """The rates that a search may find.

    Attributes:
        trunk: whether something beneath the head is trained.
        head: whether there is a fresh head.
    """

    trunk: bool
    head: bool

    @property
    def points(self) -> tuple[Point, ...]:
        """From a tenth to thirty times the rule's rate for the trunk, a third to three times for
        the head; for a head alone from a thirtieth to thirty times."""
        trunks = range(-2, 4) if self.trunk else (0,)
        heads = (range(-1, 2) if self.trunk else range(-3, 4)) if self.head else (0,)
        return tuple((i, j) for i in trunks for j in heads)

    @property
    def first(self) -> tuple[Point, ...]:
        """What the first round tries: every other point, or all where one rate is searched."""
        both = self.trunk and self.head
        return tuple((i, j) for i, j in self.points if not both or (i + j) % 2 == 0)

    @property
    def rounds(self) -> tuple[tuple[int, float], ...]:
        """How many points each round tries, and with what share of the steps."""
        return tuple((number or len(self.first), share) for number, share in ROUNDS)


def search(lattice: Lattice, score: Score) -> Point:
    """The point that is left at the end.

    Args:
        lattice: where to search.
        score: called once a round.
    """
    scores = score(lattice.first, 0)
    candidates = lattice.points
    for number, (count, _) in enumerate(ROUNDS[1:], start=1):
        candidates = _best(candidates, scores, count or len(candidates))
        scores = score(candidates, number)
    return max(sorted(scores, key=_from_rule), key=scores.__getitem__)


def _best(points: Sequence[Point], scores: Mapping[Point, float], number: int) -> tuple[Point, ...]:
    """The points with the best mean of neighbours; of equals those that are nearest to the rule."""
    ranked = sorted(points, key=lambda p: (-smoothed(scores, p), _from_rule(p)))
    return tuple(ranked[:number])


def smoothed(scores: Mapping[Point, float], at: Point) -> float:
    """The weighted mean of scores around a point of the lattice."""
    weights = {p: math.exp(-(math.dist(p, at) ** 2) / (2 * REACH**2)) for p in scores}
    return sum(weights[p] * scores[p] for p in scores) / sum(weights.values())


def _from_rule(point: Point) -> tuple[float, Point]:
    return math.dist(point, RULE), point


def rates_at(rule: tuple[float, float], point: Point) -> tuple[float, float]:
    """Rates of trunk and head at a point, to two digits."""
    trunk, head = (
        float(f"{rate * FACTOR**steps:.1e}") for rate, steps in zip(rule, point, strict=True)
    )
    return trunk, head


def trial_steps(training: Training, examples: int, share: float) -> int:
    """Optimiser steps of a trial on so many examples."""
    whole = training.steps_on(examples)
    return min(whole, max(LEAST, round(share * whole)))


def trial_training(
    training: Training, rates: tuple[float, float], examples: int, share: float
) -> Training:
    """The settings of a trial: the last weights are kept, and the schedule ends with the trial."""
    return replace(
        searched(training),
        steps=trial_steps(training, examples, share),
        warmup=min(1.0, training.warmup_share(training.steps_on(examples))),
        warmup_steps=None,
        learning_rate=rates[0],
        head_rate=rates[1],
    )


def searched(training: Training) -> Training:
    """The settings that a search depends on: neither rates nor what concerns stopping."""
    return replace(
        training,
        learning_rate=None,
        head_rate=None,
        stopping="none",
        stopping_metric=None,
        evaluations=1,
        evaluate_every=None,
    )


def passes(lattice: Lattice, training: Training, examples: int) -> list[int]:
    """Examples that pass in each trial of a search on a training set of so many.

    Args:
        lattice: of the search.
        training: of the finetuning whose rates are searched.
        examples: of which some are held out.
    """
    learnt = round((1 - HELD_OUT) * examples)
    return [
        trial_steps(training, learnt, share) * training.batch
        for number, share in lattice.rounds
        for _ in range(number)
    ]
