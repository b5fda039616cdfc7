"""Do answers agree with each other? Two wordings of a statement, and a statement and its negation.

Of two test examples that say the same, a model should give the same answer, and of two that say the
opposite, another one (Burns et al. 2022, arXiv 2212.03827, use the latter to find what a model
takes for true). The data say which examples belong together (`weak2strong.tasks.task.Item.pair`).
Answers may be consistent and wrong: *both right* stands beside. With two classes, *if independent*
is the consistency that two accuracies a and b give where errors fall independently, ``a b + (1 - a)
(1 - b)``: only what goes beyond it speaks of more than accuracy.

A preference is consistent when its completions change places, by construction: a model gives each a
reward of its own, without seeing the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import SHARE, columns, mean_estimate
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Row, count, estimate, number, words

SAME, OPPOSITE = "same", "opposite"
RELATIONS = (SAME, OPPOSITE)
"""What two examples of a pair say."""


def paired(names: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The positions of the first and the second example of every pair, by what the two say.

    Of several examples with one name, every two are a pair.

    Args:
        names: ``(n,)``; empty where an example has no other, with a ``-`` before it where it says
            the opposite.
    """
    members = defaultdict[str, list[int]](list)
    for position, name in enumerate(names.tolist()):
        if name:
            members[name.removeprefix("-")].append(position)
    found: dict[str, list[tuple[int, int]]] = {relation: [] for relation in RELATIONS}
    for positions in members.values():
        for i, j in combinations(positions, 2):
            found[SAME if names[i] == names[j] else OPPOSITE].append((i, j))
    return {
        relation: (np.array([i for i, _ in two]), np.array([j for _, j in two]))
        for relation, two in found.items()
        if two
    }


def consistent(given: np.ndarray, relation: str, first: np.ndarray, second: np.ndarray) -> Any:
    """Whether the answers to each pair agree with what the two say, booleans ``(..., pairs)``.

    Args:
        given: answers, ``(..., n)``.
        relation: one of `RELATIONS`.
        first: positions of the first example of each pair.
        second: of the second one.
    """
    return (given[..., first] == given[..., second]) == (relation == SAME)


def consistency_rows(tested: Tested) -> Iterator[dict[str, Any]]:
    """A row a relation and role: the share of consistent pairs, and of those that are both right.

    ``truth`` is the share of pairs in which ground truth is consistent: below 1, the data
    contradict themselves. Intervals are over seeds and pairs, which are drawn by the group of
    their first example.
    """
    assert tested.pairs is not None
    classes = tested.floor.shape[2] if tested.floor.ndim == 3 else None
    for relation, (first, second) in paired(tested.pairs).items():
        weights, groups = tested.weights[:, first], len(np.unique(tested.groups[first]))
        truth = float(consistent(tested.labels, relation, first, second).mean())
        for (role, method), given in tested.given.items():
            right = tested.right[role, method]
            a, b = right[:, first].mean(axis=1), right[:, second].mean(axis=1)
            shares = {
                "consistent": consistent(given, relation, first, second),
                "both_right": right[:, first] & right[:, second],
            }
            row: dict[str, Any] = {"relation": relation, "role": role, "method": method}
            for name, values in shares.items():
                row |= columns(name, mean_estimate(values, weights, groups, within=SHARE))
            independent = float((a * b + (1 - a) * (1 - b)).mean()) if classes == 2 else None
            yield row | {"if_independent": independent, "truth": truth, "pairs": len(first)}


@analysis(
    "consistency",
    "a row a relation and role",
    title="Consistent answers to pairs that say the same, or the opposite",
    columns=[
        words("relation", "they say"),
        count("pairs"),
        estimate("consistent", "consistent [95%]"),
        number("if_independent", "if independent"),
        estimate("both_right", "both right [95%]", detail=True),
        number("truth", "ground truth", detail=True),
    ],
    notes=[
        "consistent: share of pairs with the same answer where the two say the same, or different "
        "answers where they say the opposite. if independent: what two classes give where errors "
        "of the two fall independently. ground truth: share of pairs whose labels are consistent."
    ],
)
def consistency(run: TestedRun) -> Iterator[Row]:
    """The rows of `consistency_rows` for every task that has pairs."""
    return run.of_tasks(consistency_rows, having=lambda tested: tested.pairs is not None)
