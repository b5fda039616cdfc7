"""Overlap density: change points by brute force, and regions that were planted are found."""

from dataclasses import replace

import numpy as np
import pytest

from weak2strong.analysis import overlap
from weak2strong.analysis.intervals import group_weights
from weak2strong.analysis.overlap import (
    REGIONS,
    StudentExamples,
    change_point,
    detect,
    likeness,
    margins,
    overlap_rows,
)

RNG = np.random.default_rng(0)
WIDTH = 24


def error_about_means(values: np.ndarray, at: int) -> float:
    """The squared error of sorted values about the mean of the first so many, and of the rest."""
    return sum(np.square(part - part.mean()).sum() for part in (values[:at], values[at:]))


@pytest.mark.parametrize(
    "values",
    [
        RNG.normal(size=60),
        RNG.integers(5, size=40) / 10,
        np.array([2.0, 1.0]),
        1e6 + RNG.exponential(size=50),
        np.array([0.0] * 30 + [1.0]),
    ],
)
def test_the_change_point_has_the_least_squared_error_of_all_splits(values):
    found = change_point(values)
    assert found is not None
    ordered = np.sort(values)
    errors = [error_about_means(ordered, at) for at in range(1, len(ordered))]
    # Splits between equal numbers are among these, and are no better.
    here = error_about_means(ordered, int((ordered < found.threshold).sum()))
    assert here == pytest.approx(min(errors), abs=1e-9)
    total = np.square(values - values.mean()).sum()
    assert found.explained == pytest.approx(1 - min(errors) / total)
    assert found.threshold in values


def test_equal_numbers_have_no_change_point():
    assert change_point(np.full(9, 0.3)) is None
    assert change_point(np.array([])) is None


def test_what_is_explained_where_there_are_no_groups_is_as_documented():
    for values, expected in (
        (RNG.normal(size=200_000), 2 / np.pi),
        (np.linspace(0, 1, 9999), 0.75),
    ):
        found = change_point(values)
        assert found is not None
        assert found.explained == pytest.approx(expected, abs=0.005)


def test_for_two_classes_the_margin_is_twice_the_distance_from_a_half():
    p = RNG.uniform(size=50)
    np.testing.assert_allclose(margins(np.stack([1 - p, p], axis=1)), 2 * np.abs(p - 0.5))
    assert margins(np.array([[0.2, 0.5, 0.3]])) == pytest.approx([0.2])


@pytest.mark.parametrize("products", [1, 2**25])
def test_likeness_is_the_largest_absolute_cosine(monkeypatch, products):
    monkeypatch.setattr(overlap, "PRODUCTS", products)
    features, hard = RNG.normal(size=(40, 6)), RNG.uniform(size=40) < 0.3
    features[3], hard[3] = 0, False
    features[5], hard[5] = 0, True
    expected = []
    for x in features[~hard]:
        cosines = [0.0]
        for y in features[hard]:
            if x.any() and y.any():
                cosines.append(abs(x @ y) / np.linalg.norm(x) / np.linalg.norm(y))
        expected.append(max(cosines))
    np.testing.assert_allclose(likeness(features, hard), expected)


def planted(counts: dict[str, int], noise: float, rng=RNG) -> tuple[np.ndarray, ...]:
    """Features of an easy and a hard block, weak labels, and the region of each example.

    A pattern is one of a few directions of its block; where it is missing there is noise only. The
    supervisor is sure where there is an easy pattern.
    """
    of = rng.permutation(np.repeat(np.arange(3), [counts[name] for name in REGIONS]))
    n, half = len(of), WIDTH // 2
    easy, hard = (
        np.eye(half)[rng.integers(4, size=n)] * has[:, None]
        for has in (of != REGIONS.index("hard-only"), of != REGIONS.index("easy-only"))
    )
    features = np.hstack([easy, hard]) + rng.normal(0, noise, (n, WIDTH))
    sure = of != REGIONS.index("hard-only")
    p = np.where(sure, rng.uniform(0.9, 1.0, n), rng.uniform(0.5, 0.6, n))
    p = np.where(rng.uniform(size=n) < 0.5, p, 1 - p)
    return features, np.stack([1 - p, p], axis=1), of


@pytest.mark.parametrize(
    "counts",
    [
        {"hard-only": 60, "overlap": 100, "easy-only": 140},
        {"hard-only": 20, "overlap": 250, "easy-only": 30},
        {"hard-only": 150, "overlap": 15, "easy-only": 135},
    ],
)
def test_planted_regions_are_found(counts):
    features, weak, of = planted(counts, noise=0.03)
    found = detect(features, weak)
    assert found is not None
    assert (found.index == of).mean() > 0.99
    density = (found.index == REGIONS.index("overlap")).mean()
    assert density == pytest.approx(counts["overlap"] / len(of), abs=0.01)
    assert min(found.confidence.explained, found.likeness.explained) > 0.9


def test_lengths_of_features_and_the_order_of_classes_do_not_matter():
    features, weak, _ = planted({"hard-only": 30, "overlap": 40, "easy-only": 50}, noise=0.1)
    found = detect(features, weak)
    scaled = detect(features * RNG.uniform(1, 9, (len(features), 1)), weak[:, ::-1])
    assert found is not None
    assert scaled is not None
    np.testing.assert_array_equal(found.index, scaled.index)


def test_without_a_difference_in_confidence_or_likeness_there_are_no_regions():
    features, weak, _ = planted({"hard-only": 9, "overlap": 9, "easy-only": 9}, noise=0.1)
    assert detect(features, np.eye(2)[weak.argmax(axis=1)]) is None
    assert detect(np.ones_like(features), weak) is None


@pytest.fixture
def learned() -> StudentExamples:
    """Two seeds, whose supervisors are unsure of other examples."""
    counts = {"hard-only": 30, "overlap": 40, "easy-only": 50}
    features, weak, _ = planted(counts, noise=0.05)
    p = RNG.uniform(size=(2, len(weak)))
    return StudentExamples(
        task="planted",
        classes=("no", "yes"),
        layer=1,
        groups=np.array([f"{i:03}" for i in range(len(weak))]),
        labels=RNG.integers(2, size=len(weak)),
        features=features,
        weak=np.stack([weak, weak[::-1]]),
        students={"naive": np.stack([1 - p, p], axis=2)},
    )


def weights_of(learned: StudentExamples) -> np.ndarray:
    return group_weights(learned.groups, 200, np.random.default_rng(0)).astype(float)


def test_rows_tell_the_share_of_a_region_and_who_is_right_there(learned):
    rows = list(overlap_rows(learned, weights_of(learned)))
    assert len(rows) == 3 * 3
    for seed in range(2):
        found = detect(learned.features, learned.weak[seed])
        assert found is not None
        for index, region in enumerate(REGIONS):
            (row,) = [r for r in rows if (r["region"], r["seed"]) == (region, seed)]
            inside = np.flatnonzero(found.index == index)
            assert row["share"] == pytest.approx(len(inside) / len(found.index))
            for name, said in (
                ("weak_right", learned.weak[seed]),
                ("student_right", learned.students["naive"][seed]),
            ):
                hits = [said[i].argmax() == learned.labels[i] for i in inside]
                assert row[name] == pytest.approx(np.mean(hits))
            assert row["likeness_threshold"] == found.likeness.threshold
    for region in REGIONS:
        mean, *seeds = [r for r in rows if r["region"] == region]
        assert mean["seed"] is None
        for name in ("share", "weak_right", "student_right"):
            assert mean[name] == pytest.approx(np.mean([r[name] for r in seeds]))
            assert mean[f"{name}_low"] <= mean[name] <= mean[f"{name}_high"]


def test_ground_truth_plays_no_part_in_the_regions(learned):
    other = replace(learned, labels=1 - learned.labels)
    weights = weights_of(learned)
    shares, others = (
        [row["share"] for row in overlap_rows(of, weights)] for of in (learned, other)
    )
    assert shares == others


def test_a_seed_without_regions_leaves_the_task_without_rows(learned):
    certain = np.eye(2)[learned.weak[1].argmax(axis=1)]
    without = replace(learned, weak=np.stack([learned.weak[0], certain]))
    assert not list(overlap_rows(without, weights_of(learned)))
