"""The rule for ties against a literal reckoning from the rewards of all answers."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from weak2strong.analysis import tested as answers_of
from weak2strong.analysis.analyses.subsets import MEAN, subset_rows
from weak2strong.analysis.ties import read_ties, ties_scores
from weak2strong.tasks.several import TIES

SEEDS = 3


def rewards(numbers=12, seed=0):
    """Rewards of right and wrong answers of each question, by its sort and number."""
    rng = np.random.default_rng(seed)
    found = {}
    for n in range(numbers):
        for sort, right in (("ref", 1), ("tied", int(rng.integers(2, 5)))):
            if (sort, n) in (("ref", 3), ("tied", 7)):
                continue
            found[sort, n] = (
                [rng.normal(2.0, 0.7, SEEDS) for _ in range(right)],
                [rng.normal(0.0, 0.7, SEEDS) for _ in range(int(rng.integers(1, 5)))],
            )
    return found


def paired(found, seed=1):
    """The pairs that a run keeps of these, in any order."""
    rng, rows = np.random.default_rng(seed), []
    for (sort, n), (right, wrong) in found.items():
        for (i, r), w in product(enumerate(right), wrong):
            label, p = int(rng.integers(2)), 1 / (1 + np.exp(w - r))
            both = np.stack([p, 1 - p] if label == 0 else [1 - p, p], axis=-1)
            rows.append((f"{sort}:{n}/{i}", label, both))
    names, labels, answers = zip(*(rows[i] for i in rng.permutation(len(rows))), strict=True)
    return np.stack(answers, axis=1), np.array(labels), np.array(names)


def reckoned(found, seed, times):
    """The score of a seed, where each question stands so many times."""
    stats = {}
    for key, (right, wrong) in found.items():
        r, w = [float(x[seed]) for x in right], [float(x[seed]) for x in wrong]
        stats[key] = (max(r) - min(r), min(r) - max(w))
    hits = {
        sort: [m > 0 for (s, n), (_, m) in stats.items() if s == sort for _ in range(times[s, n])]
        for sort in ("ref", "tied")
    }
    preferred, hard, near = [], [], []
    for (sort, n), (spread, margin) in stats.items():
        if sort == "tied" and ("ref", n) in stats:
            lesser = min(margin, stats["ref", n][1])
            for _ in range(times[sort, n]):
                preferred.append(margin > spread)
                hard.append(lesser > spread)
                near.append(math.tanh(lesser / spread - 1))
    share = {sort: sum(hit) / len(hit) for sort, hit in hits.items()}
    parts = [sum(part) / len(part) for part in (preferred, hard, near)]
    score = 0.3 * share["ref"] + 0.3 * share["tied"] + 0.2 * parts[0] + 0.2 * parts[1]
    return score + 0.01 * parts[2]


def test_the_score_is_that_of_the_rule_however_often_questions_count():
    found = rewards()
    ties = read_ties(*paired(found))
    keys = list(zip(ties.sorts.tolist(), ties.numbers.tolist(), strict=True))
    assert sorted(keys) == sorted(found)
    weights = np.random.default_rng(2).integers(1, 4, size=(5, len(keys)))
    scores = ties_scores(ties, weights)
    for s, b in product(range(SEEDS), range(5)):
        times = dict(zip(keys, weights[b].tolist(), strict=True))
        assert scores[s, b] == pytest.approx(reckoned(found, s, times))
    assert 0.2 < scores.min() < scores.max() < 0.95


def test_certain_answers_and_equal_rewards_are_scored():
    names, labels = np.array(["tied:1/0", "tied:1/1", "ref:1/0"]), np.array([0, 1, 0])
    sure = np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    assert ties_scores(read_ties(sure, labels, names), np.ones((1, 2)))[0, 0] == pytest.approx(1.01)
    even = np.full((1, 3, 2), 0.5)
    assert ties_scores(read_ties(even, labels, names), np.ones((1, 2)))[0, 0] == 0


def of_a_run():
    answers, labels, names = paired(rewards(40))
    more = np.random.default_rng(3).dirichlet([1, 1], size=(SEEDS, 50))
    return answers_of.Tested(
        labels=np.concatenate([labels, np.zeros(50, dtype=int)]),
        groups=np.array([*(name.partition("/")[0] for name in names), *map(str, range(50))]),
        floor=np.concatenate([answers, more], axis=1),
        ceiling=np.concatenate([answers, more], axis=1),
        students={},
        probe=None,
        difficulty=None,
        kind="preference",
        metric="accuracy",
        subsets=np.array([TIES] * len(names) + ["Math"] * 50),
        questions=np.array([*names, *(f"m{i}" for i in range(50))]),
    )


def test_the_subset_has_the_score_with_an_interval_and_others_theirs():
    found, data = rewards(40), of_a_run()
    rows = {row["subset"]: row for row in subset_rows(data) if row["role"] == "floor"}
    once = dict.fromkeys(found, 1)
    expected = np.mean([reckoned(found, s, once) for s in range(SEEDS)])
    assert rows[TIES]["score"] == pytest.approx(expected)
    assert rows[TIES]["score_low"] < expected < rows[TIES]["score_high"]
    assert rows[TIES]["questions"] == len(found)
    right = (data.floor[:, -50:, 0] > 0.5).mean()
    assert rows["Math"]["score"] == pytest.approx(right)
    assert rows[MEAN]["score"] == pytest.approx((expected + right) / 2)


def test_questions_of_other_names_are_right_or_wrong():
    data = of_a_run()
    names = np.char.replace(data.questions, "tied:", "other ")
    plain = replace(data, questions=names, groups=data.groups)
    rows = {row["subset"]: row for row in subset_rows(plain) if row["role"] == "floor"}
    assert 0 < rows[TIES]["score"] < 1
    assert rows[TIES]["questions"] == len({*names[:-50]})
