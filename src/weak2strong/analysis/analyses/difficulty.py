"""Scores on easy and on hard test examples.

The task gives the difficulty of an example, in a unit of its own; a harder example has a higher
number (see `weak2strong.tasks.task.Example`). No model of the run judges it. Burns et al. 2023,
appendix C, show scores of chess puzzles by rating.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import columns, score_estimate
from weak2strong.analysis.intervals import Metric
from weak2strong.analysis.tested import Tested, TestedRun, Who
from weak2strong.ground.errors import UserError
from weak2strong.ground.table import Column, Row, count, estimate

BUCKETS = 4
"""Quantile buckets where no edges are given."""


@dataclass(frozen=True)
class Bucket:
    """Examples with a difficulty from ``low`` to below ``high``, in the last bucket to ``high``."""

    low: float
    high: float
    members: np.ndarray


def buckets(difficulty: np.ndarray, edges: Sequence[float] = ()) -> list[Bucket]:
    """Examples from easy to hard; equally hard ones share a bucket.

    Args:
        difficulty: ``(n,)``.
        edges: between the buckets, rising; the quartiles if none, so that many equally hard
            examples make fewer buckets than `BUCKETS`.

    Raises:
        UserError: for edges that do not rise, or that leave a bucket empty.
    """
    least, most = float(difficulty.min()), float(difficulty.max())
    if not edges:
        inner = np.unique(np.quantile(difficulty, np.arange(1, BUCKETS) / BUCKETS, method="higher"))
        edges = [float(e) for e in inner if e > least]
    elif any(b <= a for a, b in pairwise(edges)):
        raise UserError(f"--edges rise from easy to hard, unlike {_list(edges)}.")
    of = np.searchsorted(edges, difficulty, side="right")
    if len(np.unique(of)) != len(edges) + 1:
        raise UserError(
            f"--edges {_list(edges)} leave a bucket empty: difficulties of the test examples go "
            f"from {least:g} to {most:g}."
        )
    ends = [least, *edges, most]
    return [Bucket(ends[i], ends[i + 1], of == i) for i in range(len(edges) + 1)]


def quarters(difficulty: np.ndarray) -> list[int]:
    """The bucket in which each quarter of the examples begins; quarters by rank, easy to hard.

    Every bucket occurs; one occurs twice only where equally hard examples fill several quarters.
    """
    first = np.quantile(difficulty, np.arange(BUCKETS) / BUCKETS, method="higher")
    lows = [bucket.low for bucket in buckets(difficulty)]
    return (np.searchsorted(lows, first, side="right") - 1).tolist()


def in_buckets(
    tested: Tested, edges: Sequence[float] = ()
) -> Iterator[tuple[int, Bucket, Who, np.ndarray]]:
    """The answers ``(S, m, ...)`` of every role in every bucket, with the bucket and its number."""
    assert tested.difficulty is not None
    for number, bucket in enumerate(buckets(tested.difficulty, edges)):
        for who, answers in tested.roles.items():
            yield number, bucket, who, answers[:, bucket.members]


def difficulty_rows(
    tested: Tested, metric: Metric, edges: Sequence[float] = ()
) -> Iterator[dict[str, Any]]:
    """A row a bucket and role: the score of the role in the bucket, null where it is not defined.

    ``role`` is floor, student or ceiling, and ``method`` empty except for students.
    """
    for number, bucket, (role, method), answers in in_buckets(tested, edges):
        members = bucket.members
        groups = len(np.unique(tested.groups[members]))
        score = score_estimate(
            answers, tested.labels[members], metric, tested.weights[:, members], groups
        )
        yield {
            "bucket": number,
            "from": bucket.low,
            "to": bucket.high,
            "examples": int(members.sum()),
            "role": role,
            "method": method,
            **columns("score", score),
        }


def _list(edges: Sequence[float]) -> str:
    return ", ".join(f"{e:g}" for e in edges)


def _edge(name: str) -> Column:
    return Column(name, name, lambda row: f"{row[name]:g}")


def _lacks(run: TestedRun) -> list[str]:
    if "difficulty" not in run.predictions.columns:
        return [
            "Difficulty: the run was made before it was recorded; run its study again with the "
            "same --out to add it (what the store has is not computed again)."
        ]
    if all(tested.difficulty is None for tested in run.tests.values()):
        return ["Difficulty: no task says how hard its examples are."]
    return []


@analysis(
    "difficulty",
    "a row a role and bucket",
    title="{Metric} on test by difficulty, easy to hard",
    columns=[_edge("from"), _edge("to"), count("examples"), estimate("score")],
    notes=[
        "Difficulty is in the task's own unit; a bucket ends before its upper number, the last "
        "one with it. A dash: not defined there."
    ],
    lacks=_lacks,
)
def difficulty(run: TestedRun) -> Iterator[Row]:
    """The rows of `difficulty_rows` for every task that tells difficulties."""
    return run.of_tasks(
        lambda tested: difficulty_rows(tested, run.score, run.edges),
        having=lambda tested: tested.difficulty is not None,
    )
