"""Scores by the subsets of a benchmark of preferences, as RewardBench has them.

RewardBench 2 (Malik et al. 2025, arXiv 2506.01937) asks a question with several completions. It is
answered rightly where every right completion has a higher reward than every wrong one, which is so
where all pairs of the two sorts are answered rightly. The score of a benchmark is the mean over its
subsets. That benchmark scores its subset "Ties" by a rule of its own, which is not computed here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import SHARE, columns, estimated
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.ground.table import Row, count, estimate, words

MEAN = "mean of subsets"
"""What the last row of a role is called."""


def right_together(answers: np.ndarray, labels: np.ndarray, questions: np.ndarray) -> np.ndarray:
    """Whether all examples of each question are right, booleans ``(S, q)``.

    An example is right where its label is more probable than one half, so that equal rewards are
    not.

    Args:
        answers: ``(S, n, 2)``.
        labels: ``(n,)``.
        questions: ``(n,)`` whole numbers from 0 to q - 1.
    """
    right = answers[:, np.arange(len(labels)), labels] > 0.5
    wrong = np.zeros((len(answers), int(questions.max()) + 1), dtype=int)
    for of_seed, row in zip(right, wrong, strict=True):
        np.add.at(row, questions, ~of_seed)
    return wrong == 0


def subset_rows(tested: Tested) -> Iterator[Row]:
    """A row a subset and role, and one a role with the mean over subsets, if there are several."""
    assert tested.subsets is not None
    asked = tested.questions if tested.questions is not None else np.arange(len(tested.labels))
    _, first, questions = np.unique(asked, return_index=True, return_inverse=True)
    subsets, names = tested.subsets[first], sorted(set(tested.subsets))
    weights, groups = tested.weights[:, first], tested.groups[first]
    for (role, method), answers in tested.roles.items():
        right = right_together(answers, tested.labels, questions)
        scores, replicates = [], []
        for name in names:
            members = subsets == name
            scores.append(right[:, members].mean(axis=1))
            drawn = weights[:, members]
            with np.errstate(invalid="ignore"):
                replicates.append((drawn @ right[:, members].T) / drawn.sum(axis=1, keepdims=True))
            score = estimated(scores[-1], replicates[-1], len(np.unique(groups[members])), SHARE)
            about = {"subset": name, "questions": int(members.sum()), "role": role}
            yield about | {"method": method, **columns("score", score)}
        if len(names) > 1:
            mean, redrawn = np.mean(scores, axis=0), np.mean(replicates, axis=0)
            score = estimated(mean, redrawn, len(np.unique(groups)), SHARE)
            about = {"subset": MEAN, "questions": len(first), "role": role}
            yield about | {"method": method, **columns("score", score)}


@analysis(
    "subsets",
    "a row a role and subset",
    title="Questions that are answered rightly, by subset of the benchmark",
    columns=[words("subset"), count("questions"), estimate("score")],
    notes=[
        "Of a question with several completions, every right one has a higher reward than every "
        "wrong one. A dash: not defined there."
    ],
)
def subsets(run: TestedRun) -> Iterator[Row]:
    """The rows of `subset_rows` for every task of preferences that tells subsets."""
    for task, tested in run.tests.items():
        if tested.kind == "preference" and tested.subsets is not None:
            yield from ({"task": task, **row} for row in subset_rows(tested))
