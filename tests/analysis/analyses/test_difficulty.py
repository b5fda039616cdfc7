"""Buckets of difficulty share the examples out, and scores are those of their members."""

from itertools import pairwise

import numpy as np
import pytest

from weak2strong.analysis.analyses.difficulty import buckets, difficulty_rows, quarters
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import accuracy, roc_auc


def test_quartiles_share_the_examples_out():
    difficulty = np.random.default_rng(0).permutation(100) + 0.5
    found = buckets(difficulty)
    assert [b.members.sum() for b in found] == [25, 25, 25, 25]
    assert (sum(b.members for b in found) == 1).all()
    for b, harder in pairwise(found):
        assert difficulty[b.members].max() < b.high == harder.low
        assert b.high == difficulty[harder.members].min()


def test_equally_hard_examples_share_a_bucket():
    assert [b.members.sum() for b in buckets(np.array([1.0] * 6 + [2, 3]))] == [6, 2]
    (one,) = buckets(np.ones(5))
    assert (one.low, one.high, one.members.sum()) == (1, 1, 5)


@pytest.mark.parametrize("seed", range(5))
def test_a_quarter_is_of_the_bucket_of_its_easiest_example(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 40))
    for difficulty in (rng.normal(size=n), rng.integers(4, size=n).astype(float)):
        found = buckets(difficulty)
        easiest = [sorted(difficulty)[-(-q * (n - 1) // 4)] for q in range(4)]
        expected = [
            next(i for i, b in enumerate(found) if x in difficulty[b.members]) for x in easiest
        ]
        assert quarters(difficulty) == expected
        assert set(expected) == set(range(len(found)))


def test_edges_are_the_first_of_their_bucket():
    found = buckets(np.array([1000.0, 1199, 1200, 1600, 2000]), edges=(1200, 1600))
    assert [b.members.tolist().count(True) for b in found] == [2, 1, 2]
    assert [(b.low, b.high) for b in found] == [(1000, 1200), (1200, 1600), (1600, 2000)]


@pytest.mark.parametrize(
    ("edges", "message"),
    [((3, 2), "--edges rise from easy to hard, unlike 3, 2."), ((9,), "from 1 to 4.")],
)
def test_edges_that_cannot_be_are_a_sentence(edges, message):
    with pytest.raises(UserError, match=message):
        buckets(np.array([1.0, 2, 3, 4]), edges)


def test_scores_are_those_of_the_members(tested):
    labels = np.array([1, 0] * 10)
    difficulty = np.arange(20)
    # Right on the easy half, wrong on the hard one; the ceiling is right everywhere.
    floor = np.where(difficulty < 10, labels, 1 - labels)[None]
    naive = np.where(difficulty < 15, labels, 1 - labels)[None]
    test = tested(labels, floor=floor, ceiling=labels[None], difficulty=difficulty, naive=naive)
    rows = list(difficulty_rows(test, accuracy, edges=(10,)))
    scores = {(r["bucket"], r["role"], r["method"]): r["score"] for r in rows}
    assert scores == {
        (0, "floor", ""): 1,
        (0, "student", "naive"): 1,
        (0, "ceiling", ""): 1,
        (1, "floor", ""): 0,
        (1, "student", "naive"): 0.5,
        (1, "ceiling", ""): 1,
    }


def test_a_score_that_a_bucket_does_not_define_is_null(tested):
    """All hard examples are of one class, so that they have no ROC AUC."""
    labels = [0, 1] * 5 + [1] * 10
    test = tested(labels, floor=[np.linspace(0, 1, 20)], difficulty=range(20))
    easy, hard = (r for r in difficulty_rows(test, roc_auc, (10,)) if r["role"] == "floor")
    assert easy["score"] is not None
    assert hard["score"] is None
