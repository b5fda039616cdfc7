"""Choosing by trusted labels: literal draws, and scores that are honest where claims flatter."""

import numpy as np
import pytest

from weak2strong.analysis.choosing import (
    ALONE,
    ORACLE,
    Candidate,
    Candidates,
    choices,
    choosing_rows,
    first_clear,
)
from weak2strong.ground.draws import one_of_each_group
from weak2strong.ground.metrics import accuracy


def answers(right, labels):
    """Probabilities ``(S, n, 2)`` that are right where told."""
    return np.eye(2)[np.where(right, labels, 1 - labels)]


def made(rng, skills, seeds=3, validation=80, test=150, alone=None):
    """Candidates that are right with these chances, on every example alike."""
    labels = rng.integers(2, size=test)
    names = tuple(Candidate(f"m{i}") for i in range(len(skills)))

    def drawn(skill):
        return answers(rng.random((seeds, test)) < skill, labels)

    chances = np.array(skills)[None, :, None]
    return Candidates(
        names,
        rng.random((seeds, len(skills), validation)) < chances,
        np.arange(validation),
        [drawn(skill) for skill in skills],
        labels,
        np.arange(test),
        {n: drawn(skill) for n, skill in (alone or {}).items()},
    )


def test_one_of_each_group_is_drawn_in_random_order():
    groups = np.array([0, 0, 1, 2, 2, 2, 3])
    counts = np.zeros(len(groups))
    for seed in range(400):
        drawn = one_of_each_group(groups, np.random.default_rng(seed))
        assert sorted(groups[drawn]) == [0, 1, 2, 3]
        counts[drawn[0]] += 1
    # An example is the first as often as any other, as a random order has it.
    assert counts == pytest.approx(400 / 7, abs=32)


def test_choices_are_those_of_a_literal_loop():
    rng = np.random.default_rng(0)
    right, groups = rng.random((3, 40)) < 0.7, np.repeat(np.arange(20), 2)
    found = choices(right, groups, [5, 20], 50, 3)
    order = np.random.default_rng([3, 0])
    chosen, claims = {5: [], 20: []}, {5: [], 20: []}
    for _ in range(50):
        drawn = one_of_each_group(groups, order)
        for n in chosen:
            scores = [sum(of[i] for i in drawn[:n]) for of in right]
            best = scores.index(max(scores))
            chosen[n].append(best)
            claims[n].append(max(scores) / n)
    for n, choice in found.items():
        expected = [chosen[n].count(i) / 50 for i in range(3)]
        assert choice.shares == pytest.approx(expected)
        assert choice.claimed == pytest.approx(np.mean(claims[n]))


def test_of_equals_the_first_is_kept():
    right = np.ones((4, 10), dtype=bool)
    assert choices(right, np.arange(10), [3], 20, 0)[3].shares.tolist() == [1, 0, 0, 0]


def test_policies_choose_among_their_own_and_begin_with_the_last_of_the_first_method():
    names = [("a", 1.0), ("a", 0.5), ("b", 1.0), ("b", 0.5)]
    made_of = made(np.random.default_rng(0), [0.5] * 4)
    candidates = Candidates(
        tuple(Candidate(*name) for name in names),
        **{k: v for k, v in vars(made_of).items() if k != "names"},
    )
    assert candidates.of("stopping") == [0, 1]
    assert candidates.of("method") == [0, 2]
    assert candidates.of("both") == [0, 2, 1, 3]


def test_rows_have_the_score_of_what_was_chosen_on_test():
    rng = np.random.default_rng(1)
    c = made(rng, [0.6, 0.8], alone={40: 0.9})
    rows = list(choosing_rows(c, [10, 40], 30, accuracy))
    assert [(r["policy"], r["trusted"]) for r in rows] == [
        ("none", 0),
        (ORACLE, 0),
        ("method", 10),
        ("method", 40),
        ("both", 10),
        ("both", 40),
        (ALONE, 40),
    ]
    test = np.array([[accuracy(of, c.labels) for of in x] for x in c.test]).T
    assert rows[0]["score"] == pytest.approx(test[:, 0].mean())
    assert rows[0]["gain"] == 0
    assert rows[1]["score"] == pytest.approx(test.max(axis=1).mean())
    expected = [
        choices(c.right[s], c.groups, [10, 40], 30, s)[40].shares @ test[s] for s in range(3)
    ]
    assert rows[3]["score"] == pytest.approx(np.mean(expected))
    assert rows[3]["gain"] == pytest.approx(np.mean(expected) - test[:, 0].mean())
    assert rows[3]["clear"]
    assert first_clear(rows, "method")["trusted"] <= 40
    assert first_clear(rows, ALONE)["trusted"] == 40


def test_the_nested_score_is_honest_and_the_claim_flatters():
    """Eight candidates that are all right with chance 0.7: choosing gains nothing."""
    rng, inside, scores, claims = np.random.default_rng(2), 0, [], []
    for _ in range(120):
        c = made(rng, [0.7] * 8, validation=30, test=100)
        row = next(r for r in choosing_rows(c, [20], 20, accuracy) if r["policy"] == "both")
        inside += row["score_low"] <= 0.7 <= row["score_high"]
        scores.append(row["score"])
        claims.append(row["claimed"])
    assert np.mean(scores) == pytest.approx(0.7, abs=0.01)
    assert np.mean(claims) > 0.8
    assert inside / 120 >= 0.92


def test_first_clear_is_from_where_on_all_are_clear():
    rows = [
        {"policy": "both", "trusted": n, "clear": clear, "gain": gain}
        for n, clear, gain in ((5, True, 0.1), (10, False, 0.1), (20, True, 0.1), (40, True, 0.2))
    ]
    assert first_clear(rows, "both")["trusted"] == 20
    assert first_clear([*rows, rows[0] | {"trusted": 80, "gain": -0.1}], "both") is None
