"""Scores by subset against literal loops over questions and their completions."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from weak2strong.analysis import tested as answers_of
from weak2strong.analysis.analyses.subsets import MEAN, right_together, subset_rows

SEEDS = 3


def made(questions=40, seed=0):
    """The pairs that a run has of some questions, and the rewards of all their completions."""
    rng = np.random.default_rng(seed)
    rewards, rows = [], []
    for q in range(questions):
        right, wrong = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        of = rng.normal(size=(SEEDS, right + wrong)) + np.repeat([1.0, 0.0], [right, wrong])
        rewards.append((of[:, :right], of[:, right:], "xyz"[q % 3]))
        for i, j in product(range(right), range(wrong)):
            label = int(rng.integers(2))
            p = 1 / (1 + np.exp(-(of[:, i] - of[:, right + j])))
            both = np.stack([p, 1 - p] if label == 0 else [1 - p, p], axis=-1)
            rows.append((f"q{q}", "xyz"[q % 3], label, both))
    order = rng.permutation(len(rows))
    names, subsets, labels, answers = zip(*(rows[i] for i in order), strict=True)
    floor = np.stack(answers, axis=1)
    tested = answers_of.Tested(
        labels=np.array(labels),
        groups=np.array(names),
        floor=floor,
        ceiling=floor[:, :, ::-1],
        students={},
        probe=None,
        difficulty=None,
        kind="preference",
        metric="accuracy",
        subsets=np.array(subsets),
        questions=np.array(names),
    )
    return tested, rewards


def by_loop(rewards, subset):
    """The share of questions whose lowest right completion is above the highest wrong one."""
    of_seeds = []
    for s in range(SEEDS):
        wins = [r[s].min() > w[s].max() for r, w, name in rewards if name == subset]
        of_seeds.append(sum(wins) / len(wins))
    return sum(of_seeds) / SEEDS


def test_a_question_is_right_where_every_right_completion_is_above_every_wrong_one():
    tested, rewards = made()
    rows = {(r["subset"], r["role"]): r for r in subset_rows(tested)}
    of_floor = [by_loop(rewards, name) for name in "xyz"]
    for name, expected in zip("xyz", of_floor, strict=True):
        row = rows[name, "floor"]
        assert row["score"] == pytest.approx(expected)
        assert row["score_low"] < expected < row["score_high"]
        assert row["questions"] == sum(r[2] == name for r in rewards)
        assert 0.2 < expected < 0.8
    assert rows[MEAN, "floor"]["score"] == pytest.approx(np.mean(of_floor))
    # Whoever says the contrary of one who is often right is seldom right.
    assert rows[MEAN, "ceiling"]["score"] < 0.2


def test_pairs_that_stand_alone_are_their_accuracy_and_equal_rewards_are_not_right():
    alone = replace(made()[0], questions=None)
    row = next(iter(subset_rows(alone)))
    of = alone.subsets == row["subset"]
    hits = alone.floor[:, of].argmax(axis=-1) == alone.labels[of]
    assert row["score"] == pytest.approx(hits.mean())
    same = np.full((1, 2, 2), 0.5)
    assert not right_together(same, np.array([0, 1]), np.array([0, 1])).any()


def test_a_single_subset_has_no_mean_beside_it_and_one_group_no_interval():
    tested = made()[0]
    one = replace(tested, subsets=np.full(len(tested.labels), "x"))
    assert {row["subset"] for row in subset_rows(one)} == {"x"}
    few = replace(tested, groups=np.full(len(tested.labels), "g"))
    assert {row["score_low"] for row in subset_rows(few)} == {None}
