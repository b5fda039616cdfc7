"""Scores by the subsets of a benchmark of preferences, as RewardBench has them.

RewardBench 2 (Malik et al. 2025, arXiv 2506.01937) asks a question with several completions. It is
answered rightly where every right completion has a higher reward than every wrong one, which is so
where all pairs of the two sorts are answered rightly. The score of a benchmark is the mean over its
subsets. That benchmark scores its subset "Ties" by a rule of its own (see
`weak2strong.analysis.ties`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from weak2strong.analysis.analyses import analysis
from weak2strong.analysis.estimates import SHARE, columns, estimated
from weak2strong.analysis.tested import Tested, TestedRun
from weak2strong.analysis.ties import read_ties, ties_scores
from weak2strong.ground.table import Row, count, estimate, words
from weak2strong.tasks.several import TIES

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
    names = sorted(set(tested.subsets))
    for (role, method), answers in tested.roles.items():
        about = {"role": role, "method": method}
        parts = [_scored(tested, answers, tested.subsets == name) for name in names]
        for name, (scores, replicates, groups) in zip(names, parts, strict=True):
            score = estimated(scores, replicates, len(np.unique(groups)), SHARE)
            yield {"subset": name, "questions": len(groups), **about, **columns("score", score)}
        if len(names) > 1:
            scores, replicates = (np.mean([part[k] for part in parts], axis=0) for k in (0, 1))
            groups = np.concatenate([part[2] for part in parts])
            score = estimated(scores, replicates, len(np.unique(groups)), SHARE)
            yield {"subset": MEAN, "questions": len(groups), **about, **columns("score", score)}


def _scored(
    tested: Tested, answers: np.ndarray, members: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The score of a subset by seed, ``(S,)``, redrawn, ``(B, S)``, and its questions' groups.

    Args:
        tested: the test set.
        answers: of a role, ``(S, n, 2)``.
        members: which examples are of the subset, ``(n,)``.
    """
    assert tested.subsets is not None
    answers, labels = answers[:, members], tested.labels[members]
    weights, groups = tested.weights[:, members], tested.groups[members]
    asked = np.arange(len(labels)) if tested.questions is None else tested.questions[members]
    if tested.subsets[members][0] == TIES and (ties := read_ties(answers, labels, asked)):
        once = np.ones((1, len(ties.first)))
        scores = ties_scores(ties, once)[:, 0]
        return scores, ties_scores(ties, weights[:, ties.first]).T, groups[ties.first]
    _, first, questions = np.unique(asked, return_index=True, return_inverse=True)
    right, drawn = right_together(answers, labels, questions), weights[:, first]
    with np.errstate(invalid="ignore"):
        replicates = (drawn @ right.T) / drawn.sum(axis=1, keepdims=True)
    return right.mean(axis=1), replicates, groups[first]


@analysis(
    "subsets",
    "a row a role and subset",
    title="Questions that are answered rightly, by subset of the benchmark",
    columns=[words("subset"), count("questions"), estimate("score")],
    notes=[
        "Of a question with several completions, every right one has a higher reward than every "
        "wrong one; the subset Ties of RewardBench 2 is scored as its authors do, also by how near "
        "the rewards of right completions are. A dash: not defined there."
    ],
)
def subsets(run: TestedRun) -> Iterator[Row]:
    """The rows of `subset_rows` for every task of preferences that tells subsets."""
    return run.of_tasks(
        subset_rows,
        having=lambda tested: tested.kind == "preference" and tested.subsets is not None,
    )
