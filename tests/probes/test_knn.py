"""Nearest neighbours against scikit-learn and a literal loop, where rounding could mislead."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsRegressor

from weak2strong.probes import knn
from weak2strong.probes.knn import knn_labels, mean_labels, nearest


def draw(seed, n=200, d=8, m=30, dtype=np.float32):
    rng = np.random.default_rng(seed)
    points, queries = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    return points.astype(dtype), queries.astype(dtype), rng.dirichlet(np.ones(3), n)


def literal(points, queries, k, itself=True):
    """By definition: float64 distances, the lower index of equals."""
    points, rows = points.astype(float), []
    for i, query in enumerate(queries.astype(float)):
        distance = np.square(points - query).sum(axis=1)
        if not itself:
            distance[i] = np.inf
        rows.append(np.lexsort((np.arange(len(points)), distance))[:k])
    return np.array(rows)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 7, 200])
def test_labels_equal_scikit_learn(dtype, k):
    points, queries, labels = draw(0, dtype=dtype)
    oracle = KNeighborsRegressor(k, algorithm="brute").fit(points.astype(float), labels)
    expected = oracle.predict(queries.astype(float))
    np.testing.assert_allclose(knn_labels(points, labels, queries, k=k), expected, atol=1e-12)
    # Among themselves every point counts; left out of its own neighbours, it does not.
    np.testing.assert_allclose(
        knn_labels(points, labels, k=k), oracle.predict(points.astype(float)), atol=1e-12
    )
    if k < len(points):
        held_out = oracle.set_params(n_neighbors=k).predict(None)
        found = knn_labels(points, labels, k=k, itself=False)
        np.testing.assert_allclose(found, held_out, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 60),
    d=st.integers(1, 5),
    grid=st.booleans(),
    scale=st.sampled_from([1e-30, 1e-21, 1.0, 1e12]),
    offset=st.sampled_from([0.0, 1.0, 1e6]),
    dtype=st.sampled_from([np.float32, np.float64]),
    data=st.data(),
)
def test_neighbours_and_their_order_are_exact(seed, n, d, grid, scale, offset, dtype, data):
    rng = np.random.default_rng(seed)
    # A coarse grid is full of ties and copies; far from 0, products cancel.
    drawn = rng.integers(-2, 3, (n, d)) if grid else rng.normal(size=(n, d))
    points = ((drawn + offset) * scale).astype(dtype)
    k = data.draw(st.integers(1, n - 1))
    for itself in (True, False):
        found = nearest(points, k=k, itself=itself)
        np.testing.assert_array_equal(found, literal(points, points, k, itself))


@pytest.mark.parametrize("scale", [1.0, 1e-21])
def test_what_float32_products_cannot_tell_apart_is_still_told_apart(scale):
    # Distances differ by less than one part in 10^6, or lie where products underflow.
    rng = np.random.default_rng(3)
    on_sphere = rng.normal(size=(400, 30))
    on_sphere /= np.linalg.norm(on_sphere, axis=1, keepdims=True)
    points = scale * on_sphere * (1 + 1e-9 * rng.permutation(400))[:, None]
    query = np.zeros((1, 30))
    np.testing.assert_array_equal(nearest(points, query, k=20), literal(points, query, 20))
    by_product = np.argsort(np.square(points.astype(np.float32)).sum(axis=1), kind="stable")[:20]
    assert (by_product != nearest(points, query, k=20)[0]).any()


def test_one_giant_point_and_a_far_query_change_nothing_for_the_others():
    points, queries, _ = draw(4)
    points[17] *= 1e6
    queries[3] += 1e5
    np.testing.assert_array_equal(nearest(points, queries, k=9), literal(points, queries, 9))


@pytest.mark.parametrize("workspace", [1, 5_000, 2**28])
@pytest.mark.parametrize("itself", [True, False])
def test_chunks_change_nothing(workspace, itself):
    points, _, _ = draw(5)
    expected = literal(points, points, 11, itself)
    found = nearest(points, k=11, itself=itself, workspace=workspace)
    np.testing.assert_array_equal(found, expected)


def test_fewer_neighbours_are_the_first_columns_and_the_point_comes_first():
    points, _, _ = draw(6)
    many = nearest(points, k=40)
    np.testing.assert_array_equal(nearest(points, k=6), many[:, :6])
    np.testing.assert_array_equal(many[:, 0], np.arange(len(points)))
    np.testing.assert_array_equal(nearest(points, k=39, itself=False), many[:, 1:])


def test_the_order_of_rows_plays_no_part():
    points, queries, labels = draw(7)
    order = np.random.default_rng(7).permutation(len(points))
    np.testing.assert_array_equal(
        knn_labels(points[order], labels[order], queries, k=9),
        knn_labels(points, labels, queries, k=9),
    )
    backwards = knn_labels(points, labels, queries[::-1], k=9)[::-1]
    np.testing.assert_array_equal(backwards, knn_labels(points, labels, queries, k=9))


def test_copies_of_a_point_come_by_index_and_are_measured_once(monkeypatch):
    points, _, _ = draw(8, n=50)
    points[10:45] = points[10]
    measured = []
    plain = knn._distances
    monkeypatch.setattr(
        knn,
        "_distances",
        lambda p, chosen, *a: measured.append(len(chosen)) or plain(p, chosen, *a),
    )
    found = nearest(points, k=5)
    np.testing.assert_array_equal(found[10:45], np.tile(np.arange(10, 15), (35, 1)))
    assert max(measured[10:45]) == 1
    # Out of fold, a copy still stands next to its copies, not to itself.
    np.testing.assert_array_equal(nearest(points, k=2, itself=False)[11], [10, 12])


def test_all_points_in_one_place():
    points = np.full((30, 4), 7.3, dtype=np.float32)
    np.testing.assert_array_equal(nearest(points, k=3), np.tile(np.arange(3), (30, 1)))


@pytest.mark.parametrize(("n", "m", "d"), [(1500, 1500, 16), (20, 10_000, 64)])
def test_memory_stays_within_the_stated_limit(n, m, d):
    points, queries, _ = draw(9, n=n, d=d, m=m)
    nearest(points[:10], k=3)
    workspace = 2**19
    tracemalloc.start()
    nearest(points, queries, k=3, workspace=workspace)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    copy, answer, by_point = points.nbytes, m * 3 * 8, n * 300
    assert workspace / 4 < peak - copy - answer < workspace + by_point
    # All distances at once, or all queries centred, would not fit.
    assert max(4 * n * m, 4 * m * d) > 2 * peak


def test_several_k_are_had_from_one_search():
    points, queries, labels = draw(12)
    neighbours = nearest(points, queries, k=30)
    for k in (1, 8, 30):
        np.testing.assert_array_equal(
            mean_labels(labels, neighbours[:, :k]), knn_labels(points, labels, queries, k=k)
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 201}, "201 nearest neighbours cannot be had of 200:"),
        ({"k": 200, "itself": False}, "200 nearest neighbours cannot be had of 199 others"),
        ({"k": 0}, "0 nearest"),
        ({"queries": np.ones((2, 9)), "k": 1}, "do not fit"),
        ({"queries": np.ones((2, 8)), "k": 1, "itself": False}, "among themselves"),
        ({"queries": np.full((2, 8), np.nan), "k": 1}, "finite"),
        ({"queries": np.full((2, 8), 1e30), "k": 1}, "shorter than"),
    ],
)
def test_what_cannot_be_answered_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        nearest(draw(10)[0], **arguments)


def test_points_and_labels_that_do_not_fit_are_refused():
    points, _, labels = draw(11)
    with pytest.raises(ValueError, match="do not fit 200 points"):
        knn_labels(points, labels[:5], k=1)
    with pytest.raises(ValueError, match="do not fit 200 points"):
        knn_labels(points, labels[:, 0], k=1)
    with pytest.raises(ValueError, match="rows and columns"):
        nearest(np.ones((0, 4)), k=1)
    points[4, 4], points[5, 4] = np.inf, -np.inf
    with pytest.raises(ValueError, match="finite"):
        nearest(points, k=1)
