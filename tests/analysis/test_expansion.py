"""Expansion: sets by brute force, the theorem where it holds, and islands and spread errors."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.analysis.expansion import (
    NUMBERS,
    class_edges,
    error_bound,
    expansion_numbers,
    expansion_rows,
    neighbourhood,
    robust,
)
from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.overlap import StudentExamples
from weak2strong.probes.knn import nearest

K = 4


def drawn(seed: int, n: int = 60, classes: int = 3):
    """Random neighbours, labels, and answers of a supervisor and a student that are often right."""
    rng = np.random.default_rng(seed)
    neighbours = nearest(rng.normal(size=(n, 2)), k=K, itself=False)
    labels = rng.integers(classes, size=n)
    weak, student = (
        np.where(rng.uniform(size=n) < right, labels, rng.integers(classes, size=n))
        for right in rng.uniform(0.5, 1.0, 2)
    )
    return neighbours, labels, weak, student


def by_sets(neighbours, labels, weak, student, of, weights) -> dict[str, float]:
    """The numbers of one replicate, with Python's sets and a loop over pairs."""
    n = len(labels)
    near = {
        i: {
            j
            for j in range(n)
            if j != i
            and labels[j] == labels[i]
            and (j in neighbours[i].tolist() or i in neighbours[j].tolist())
        }
        for i in range(n)
    }
    everyone = {i for i in range(n) if labels[i] == of}
    good = {i for i in everyone if weak[i] == of}
    bad = everyone - good
    steady = {i for i in everyone if all(student[j] == student[i] for j in near[i])}
    right = {i for i in everyone if student[i] == of}

    def mass(members) -> float:
        return sum(weights[i] for i in members)

    def share(members, among) -> float:
        return mass(members & among) / mass(among) if mass(among) else np.nan

    def expands(a, b, members) -> float:
        reached = {j for i in members for j in near[i]}
        part = share(members, b)
        return share(reached, a) / part if part else np.nan

    around = {i: np.mean([j in good for j in neighbours[i]]) for i in everyone}

    def mean_around(among) -> float:
        return sum(weights[i] * around[i] for i in among) / mass(among) if mass(among) else np.nan

    return {
        "wrong": share(bad, everyone),
        "reached": share({j for i in good for j in near[i]}, bad),
        "good_around_wrong": mean_around(bad),
        "good_around_all": mean_around(everyone),
        "expansion": expands(bad, good, good & steady & right),
        "error_expansion": expands(good, bad, (bad & steady) - right),
        "robust": share(steady, everyone),
        "weak_error": share({i for i in everyone if student[i] != weak[i]}, everyone),
        "student_error": share(everyone - right, everyone),
        "corrected": share(right, bad),
    }


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_those_of_sets_with_and_without_weights(seed):
    neighbours, labels, weak, student = drawn(seed)
    weights = np.random.default_rng(seed).integers(4, size=(3, len(labels))).astype(float)
    for of in range(3):
        for given in (None, weights):
            found = expansion_numbers(weak, student, labels, of, neighbours, given)
            assert set(found) == set(NUMBERS)
            each = np.ones((1, len(labels))) if given is None else given
            for replicate, one in enumerate(each):
                expected = by_sets(neighbours, labels, weak, student, of, one)
                for name, value in expected.items():
                    assert found[name][replicate] == pytest.approx(value, nan_ok=True), name


def test_neighbourhoods_go_both_ways_and_stay_within_a_class():
    labels = np.array([0, 0, 0, 1])
    edges = class_edges(np.array([[1], [2], [3], [0]]), labels)
    only = np.eye(4, dtype=bool)
    found = [np.flatnonzero(neighbourhood(only[i], edges)).tolist() for i in range(4)]
    # 0 names 1 and 1 names 2; what 2 and 3 name is of another class.
    assert found == [[1], [0, 2], [1], []]
    assert robust(np.array([5, 5, 6, 7]), edges).tolist() == [True, False, False, True]


def test_the_bound_holds_whatever_the_data():
    """Theorem B.1, on the examples themselves; it says something in a good part of the cases."""
    told = 0
    for seed in range(200):
        neighbours, labels, weak, student = drawn(seed, classes=2)
        weights = np.random.default_rng(seed).integers(3, size=(4, len(labels))).astype(float)
        for of in range(2):
            found = expansion_numbers(weak, student, labels, of, neighbours, weights)
            defined = np.isfinite(found["bound"])
            bound, error = found["bound"][defined], found["student_error"][defined]
            assert (bound >= error - 1e-12).all()
            told += (bound < found["wrong"][defined]).sum()
    assert told > 50


def test_the_bound_is_the_one_of_the_paper_where_everyone_is_robust():
    """Table 1 of the paper leaves the term of robustness out: label 0 of SentenceBERT."""
    found = error_bound(np.array(0.848), np.array(0.11), np.array(0.12), np.array(0.0))
    assert found == pytest.approx(0.05, abs=0.005)
    label_1 = error_bound(np.array(0.497), np.array(0.33), np.array(0.29), np.array(0.0))
    assert label_1 == pytest.approx(0.37, abs=0.005)
    assert np.isnan(error_bound(np.array(1.0), np.array(0.5), np.array(0.1), np.array(0.0)))


def test_the_bound_by_hand_where_some_are_not_robust():
    """c = 1/2, alpha = 1/5: c' = 1/2 / (4/5 + 1/10) = 5/9."""
    half, fifth, weak_error, fragile = (np.array(x) for x in (0.5, 0.2, 0.3, 0.25))
    expected = (0.3 - 0.2 * (10 / 9 - 1) + 10 / 9 * 0.2 * 0.25) / (1 - 10 / 9 * 0.2)
    assert error_bound(half, fifth, weak_error, fragile) == pytest.approx(expected)
    # What expands more than wholly expands wholly.
    whole, more = (error_bound(np.array(c), fifth, weak_error, fragile) for c in (1.0, 3.0))
    assert whole == more


def clusters(wrong_apart: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of two classes far apart, and a tenth of weak labels wrong: in a third place, or here.

    Returns:
        Features, labels and weak answers.
    """
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 150)
    features = rng.normal(size=(300, 3)) + 50 * labels[:, None]
    wrong = np.arange(300) % 10 == 0
    if wrong_apart:
        features[wrong] += 500
    return features, labels, np.where(wrong, 1 - labels, labels)


def test_errors_on_islands_do_not_expand_and_spread_ones_do():
    for apart, expected in ((True, 0.0), (False, 1.0)):
        features, labels, weak = clusters(apart)
        neighbours = nearest(features, k=5, itself=False)
        for of in range(2):
            found = expansion_numbers(weak, labels, labels, of, neighbours)
            for name in ("reached", "expansion"):
                assert found[name] == pytest.approx(expected, abs=0.02)
            spread = found["good_around_wrong"] / found["good_around_all"]
            assert spread == pytest.approx(expected, abs=0.1)
            assert found["bound"] == pytest.approx(0 if not apart else 0.2, abs=0.02)


def test_a_student_that_fits_wrong_labels_too_has_no_expansion():
    """Proposition 4.1: next to a wrong label such a student is not robust."""
    features, labels, weak = clusters(wrong_apart=False)
    neighbours = nearest(features, k=5, itself=False)
    found = expansion_numbers(weak, weak, labels, 0, neighbours)
    assert found["expansion"] == 0
    assert found["reached"] > 0.9
    assert found["corrected"] == 0
    # It errs just where the labels do.
    assert found["student_error"] == found["wrong"]


@pytest.fixture
def learned() -> StudentExamples:
    """Two seeds on clusters; the student of seed 1 repeats its supervisor's errors."""
    features, labels, weak = clusters(wrong_apart=False)
    said = np.eye(2)[np.stack([weak, weak])]
    student = np.eye(2)[np.stack([labels, weak])]
    groups = np.array([f"{i:03}" for i in range(len(labels))])
    return StudentExamples(
        "clusters", ("no", "yes"), 2, groups, labels, features, said, {"naive": student}
    )


def test_rows_are_by_class_and_seed_with_means_and_intervals(learned):
    weights = group_weights(learned.groups, 200, np.random.default_rng(0)).astype(float)
    rows = list(expansion_rows(learned, 5, weights))
    assert [(r["class"], r["seed"]) for r in rows] == [
        (c, s) for c in ("no", "yes") for s in (None, 0, 1)
    ]
    neighbours = nearest(learned.features, k=5, itself=False)
    for of, (mean, right, repeats) in enumerate((rows[:3], rows[3:])):
        weak = learned.weak[1].argmax(axis=1)
        alone = expansion_numbers(weak, weak, learned.labels, of, neighbours)
        for name in ("expansion", "good_around_wrong", "robust"):
            assert repeats[name] == alone[name]
        assert (right["corrected"], repeats["corrected"]) == (1, 0)
        # No errors of its own: nothing that could expand from bad to good.
        assert right["error_expansion"] is None
        assert mean["error_expansion"] is None
        for name in set(NUMBERS) - {"error_expansion"}:
            assert mean[name] == pytest.approx((right[name] + repeats[name]) / 2)
            assert mean[f"{name}_low"] <= mean[name] <= mean[f"{name}_high"]


def test_a_class_without_wrong_labels_has_no_expansion(learned):
    right = np.eye(2)[np.stack([learned.labels] * 2)]
    weights = np.ones((4, len(learned.labels)))
    none = replace(learned, weak=right, classes=("no", "yes", "never"))
    rows = list(expansion_rows(none, 5, weights))
    assert {row["class"] for row in rows} == {"no", "yes"}
    for row in rows:
        assert row["wrong"] == 0
        for name in ("expansion", "bound", "corrected", "reached"):
            assert row[name] is None


def test_every_estimate_lies_within_its_interval_and_its_range():
    """A student that repeats the errors of a region, where a tenth of the labels is right."""
    rng = np.random.default_rng(5)
    n = 240
    labels = rng.integers(2, size=n)
    features = np.column_stack([rng.random(n), 50.0 * labels])
    region = features[:, 0] < 0.25
    weak = np.where(rng.random(n) < np.where(region, 0.1, 0.95), labels, 1 - labels)
    student = np.where(region, 1 - labels, labels)
    examples = StudentExamples(
        "task", ("no", "yes"), 0, np.array([f"g{i}" for i in range(n)]), labels, features,
        np.eye(2)[weak][None], {"naive": np.eye(2)[student][None]},
    )  # fmt: skip
    weights = group_weights(examples.groups, 300, rng).astype(float)
    rows = [row for row in expansion_rows(examples, K, weights) if row["seed"] is None]
    assert len(rows) == 2
    for row in rows:
        for name in ("expansion", "error_expansion", "wrong", "robust", "corrected"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"], name
            assert row[f"{name}_low"] >= 0
        assert 0 < row["error_expansion"] < 1
