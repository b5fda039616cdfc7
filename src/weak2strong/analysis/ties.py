"""The rule by which RewardBench 2 (Malik et al. 2025, arXiv 2506.01937) scores its subset "Ties".

Its questions come in twos of one number: ``tied`` has several right answers, which should get
nearly the same reward, and ``ref`` has one. With r over rewards of right answers of a question, and
w over those of wrong ones:

    spread = max r - min r          margin = min r - max w

    score = 0.3 share of ref with margin > 0   + 0.3 share of tied with margin > 0
          + 0.2 share of twos with margin of tied > spread of tied
          + 0.2 share of twos with the lesser margin of both > spread of tied
          + 0.01 mean over twos of tanh(lesser margin / spread - 1)

where what cannot be divided counts as 0 in the last line, as in the benchmark's own code. So the
score can be 1.01 at most.

What is stored of a reward model are probabilities p of pairs of a right and a wrong answer, and
log p / (1 - p) is r - w. So a margin is the least of these of a question, and a spread is that of
their means over the wrong answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weak2strong.tasks.several import tie_of

REF, TIED = "ref", "tied"
FEW = np.finfo(float).tiny


@dataclass(frozen=True)
class Ties:
    """What the answers of S seeds say of q questions.

    Attributes:
        first: the position of the first example of each question, ``(q,)``.
        sorts: "ref" or "tied", ``(q,)``.
        numbers: of the questions, ``(q,)``.
        margins: ``(S, q)``.
        spreads: ``(S, q)``.
    """

    first: np.ndarray
    sorts: np.ndarray
    numbers: np.ndarray
    margins: np.ndarray
    spreads: np.ndarray


def read_ties(answers: np.ndarray, labels: np.ndarray, questions: np.ndarray) -> Ties | None:
    """The questions of some examples; None where one of these is no such question.

    Args:
        answers: probabilities ``(S, n, 2)``.
        labels: the index of the right one, ``(n,)``.
        questions: names as `weak2strong.tasks.several` gives them, ``(n,)``.
    """
    names = [tie_of(str(name)) for name in questions]
    known = [name for name in names if name is not None]
    if len(known) < len(names) or not names:
        return None
    rows = np.arange(len(labels))
    sides = np.maximum(answers, FEW)
    gaps = np.log(sides[:, rows, labels]) - np.log(sides[:, rows, 1 - labels])
    asked = np.array([f"{name.sort}:{name.number}" for name in known])
    _, first, question = np.unique(asked, return_index=True, return_inverse=True)
    rights = np.array([name.right for name in known])
    twos, right = np.unique(np.stack([question, rights]), axis=1, return_inverse=True)
    margins = np.full((len(answers), len(first)), np.inf)
    means = np.zeros((len(answers), twos.shape[1]))
    high, low = np.full_like(margins, -np.inf), np.full_like(margins, np.inf)
    for seed, gap in enumerate(gaps):
        np.minimum.at(margins[seed], question, gap)
        np.add.at(means[seed], right, gap)
        means[seed] /= np.bincount(right)
        np.maximum.at(high[seed], twos[0], means[seed])
        np.minimum.at(low[seed], twos[0], means[seed])
    sorts = np.array([known[i].sort for i in first])
    numbers = np.array([known[i].number for i in first])
    return Ties(first, sorts, numbers, margins, high - low)


def ties_scores(ties: Ties, weights: np.ndarray) -> np.ndarray:
    """The score of each seed with each row of weights, ``(S, B)``.

    Args:
        ties: of all questions.
        weights: how often each question counts, ``(B, q)``; of a two, that of the tied one.
    """
    right = ties.margins > 0
    of_sort = [ties.sorts == sort for sort in (REF, TIED)]
    shares = [_mean(right[:, members], weights[:, members]) for members in of_sort]
    place = {(s, n): i for i, (s, n) in enumerate(zip(ties.sorts, ties.numbers, strict=True))}
    both = [n for s, n in place if s == TIED and (REF, n) in place]
    tied, ref = ([place[sort, n] for n in both] for sort in (TIED, REF))
    lesser = np.minimum(ties.margins[:, tied], ties.margins[:, ref])
    spread, drawn = ties.spreads[:, tied], weights[:, tied]
    with np.errstate(divide="ignore", invalid="ignore"):
        closeness = np.nan_to_num(np.tanh(lesser / spread - 1), nan=0.0)
    return (
        0.3 * shares[0]
        + 0.3 * shares[1]
        + 0.2 * _mean(ties.margins[:, tied] > spread, drawn)
        + 0.2 * _mean(lesser > spread, drawn)
        + 0.01 * _mean(closeness, drawn)
    )


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means of ``(S, k)`` by ``(B, k)``, ``(S, B)``; not a number where nothing counts."""
    with np.errstate(invalid="ignore"):
        return (values @ weights.T) / weights.sum(axis=1)
