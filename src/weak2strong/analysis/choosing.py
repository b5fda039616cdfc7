"""What a few trusted labels are worth: to choose a student by, or to finetune on them alone.

A *candidate* is a student of a method at some point of its training. N trusted labels of
validation, at most one of a group, say which candidate is right most often; that one is kept, of
equals the first in the order of the policy, which begins with what one would keep without any
label. The choice is nested: its score is that on the test set, of which no label plays a part, so
that choosing is paid for. What the chosen one scores on the trusted labels themselves (*claimed*)
flatters, since it was chosen by them.

Many draws of N labels are averaged. The interval is over seeds and groups of test examples, as that
of any score (`weak2strong.analysis.estimates`), for the labels of this validation set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weak2strong.analysis.estimates import DIFFERENCE, SHARE, columns, estimated, seed_scores
from weak2strong.analysis.intervals import Metric, group_weights, replicate_scores
from weak2strong.analysis.tested import REPLICATES
from weak2strong.ground.draws import one_of_each_group

CHOSEN = ("stopping", "method", "both")
"""What labels may choose: when to stop the first method, which method, or the two together."""

ALONE, ORACLE = "alone", "oracle"
"""The strong model finetuned on the trusted labels alone; the best candidate by the test itself."""


@dataclass(frozen=True)
class Candidate:
    """A student that may be chosen.

    Attributes:
        method: its name.
        fraction: the share of its training that was done; 1 at the end.
    """

    method: str
    fraction: float = 1.0


@dataclass(frozen=True)
class Candidates:
    """The answers of C candidates of S seeds on one task, the first method's last student first.

    Attributes:
        names: of the candidates.
        right: whether each is right on V validation examples, booleans ``(S, C, V)``.
        groups: of these examples, ``(V,)``.
        test: answers of each candidate to n test examples, C arrays ``(S, n, k)``.
        labels: ground truth of the test, ``(n,)``.
        test_groups: of the test examples, ``(n,)``.
        alone: by number of labels, test answers of the strong model finetuned on so many alone,
            ``(S, n, k)``.
    """

    names: tuple[Candidate, ...]
    right: np.ndarray
    groups: np.ndarray
    test: Sequence[np.ndarray]
    labels: np.ndarray
    test_groups: np.ndarray
    alone: Mapping[int, np.ndarray]

    def of(self, policy: str) -> list[int]:
        """The candidates that a policy chooses among, in the order in which equals are kept."""
        first = self.names[0].method
        chosen = {
            "stopping": [i for i, c in enumerate(self.names) if c.method == first],
            "method": [i for i, c in enumerate(self.names) if c.fraction == 1],
            "both": list(range(len(self.names))),
        }[policy]
        return sorted(chosen, key=lambda i: -self.names[i].fraction)


@dataclass(frozen=True)
class Choice:
    """How often each candidate is chosen, by many draws of trusted labels.

    Attributes:
        shares: ``(C,)``, adding up to 1.
        claimed: the mean share of the trusted labels that the chosen one has right.
    """

    shares: np.ndarray
    claimed: float


def choices(
    right: np.ndarray, groups: np.ndarray, counts: Sequence[int], draws: int, seed: int
) -> dict[int, Choice]:
    """What is chosen with so many trusted labels.

    Args:
        right: whether each candidate is right on each example, booleans ``(C, V)``; of equals the
            first is kept.
        groups: of the examples, ``(V,)``.
        counts: of labels, each at most the number of groups.
        draws: how many draws of labels are averaged; larger counts add to the labels of smaller.
        seed: of the draws.
    """
    rng, at = np.random.default_rng([seed, 0]), np.array(counts) - 1
    shares, claimed = np.zeros((len(counts), len(right))), np.zeros(len(counts))
    for _ in range(draws):
        hits = right[:, one_of_each_group(groups, rng)].cumsum(axis=1)[:, at]
        best = hits.argmax(axis=0)
        shares[np.arange(len(counts)), best] += 1
        claimed += hits.max(axis=0) / (at + 1) / draws
    return {n: Choice(s / draws, float(c)) for n, s, c in zip(counts, shares, claimed, strict=True)}


def choosing_rows(
    candidates: Candidates, counts: Sequence[int], draws: int, metric: Metric
) -> Iterator[dict[str, Any]]:
    """A row a policy and number of labels: the honest score, and its gain over no choice.

    ``trusted`` is 0 in the rows of policy ``none``, the student that is kept without labels, and of
    `ORACLE`. ``clear`` says whether the interval of the gain leaves out 0.

    Args:
        candidates: of one task.
        counts: of trusted labels.
        draws: how many draws are averaged.
        metric: of the scores; more is better.
    """
    c, groups = candidates, len(np.unique(candidates.test_groups))
    weights = group_weights(c.test_groups, REPLICATES, np.random.default_rng([0, 0])).astype(float)
    roles = [*c.test, *(c.alone[n] for n in counts if n in c.alone)]
    scores = np.stack([seed_scores(of, c.labels, metric) for of in roles], axis=1)
    replicates = replicate_scores(roles, c.labels, metric, weights)

    def row(policy: str, trusted: int, mixed: np.ndarray, **more: Any) -> dict[str, Any]:
        gains = mixed - np.eye(scores.shape[1])[0]
        score, gain = (
            estimated((scores * x).sum(axis=1), (replicates * x).sum(axis=2), groups, within)
            for x, within in ((mixed, SHARE), (gains, DIFFERENCE))
        )
        clear = gain is not None and (gain.low > 0 or gain.high < 0)
        numbers = columns("score", score) | columns("gain", gain)
        return {"policy": policy, "trusted": trusted, **numbers, "clear": clear, **more}

    every = np.eye(scores.shape[1])
    yield row("none", 0, every[[0] * len(scores)], claimed=None)
    yield row(ORACLE, 0, every[scores[:, : len(c.names)].argmax(axis=1)], claimed=None)
    for policy in CHOSEN:
        among = c.of(policy)
        if len(among) < 2:
            continue
        of_seeds = [
            choices(right[among], c.groups, counts, draws, seed)
            for seed, right in enumerate(c.right)
        ]
        for n in counts:
            mixed = np.zeros(scores.shape)
            mixed[:, among] = [choice[n].shares for choice in of_seeds]
            claimed = float(np.mean([choice[n].claimed for choice in of_seeds]))
            yield row(policy, n, mixed, claimed=claimed)
    for i, n in enumerate((n for n in counts if n in c.alone), start=len(c.names)):
        yield row(ALONE, n, every[[i] * len(scores)], claimed=None)


def first_clear(rows: Sequence[Mapping[str, Any]], policy: str) -> Mapping[str, Any] | None:
    """The row of the least number of labels from which on a policy is clearly better than none."""
    of_policy = sorted((r for r in rows if r["policy"] == policy), key=lambda r: -r["trusted"])
    found = None
    for row in of_policy:
        if not (row["clear"] and row["gain"] > 0):
            break
        found = row
    return found
