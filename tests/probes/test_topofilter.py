"""TopoFilter against a slow version written from the definition."""

import numpy as np
import pytest

from weak2strong.probes.topofilter import topo_cc, topofilter


def neighbours_of(features, among, k):
    """For each point of ``among`` the set of its k nearest others there."""
    found = {}
    for i in among:
        others = [j for j in among if j != i]
        others.sort(key=lambda j: (float(((features[i] - features[j]) ** 2).sum()), j))
        found[i] = others[:k]
    return found


def reachable(start, edges, members):
    seen, stack = {start}, [start]
    while stack:
        for j in edges[stack.pop()]:
            if j in members and j not in seen:
                seen.add(j)
                stack.append(j)
    return seen


def literal(features, labels, k, drop):
    n = len(features)
    edges = neighbours_of(features, range(n), k)
    classes = [max(range(labels.shape[1]), key=lambda c: labels[i, c]) for i in range(n)]
    kept = set()
    for one in set(classes):
        members = {i for i in range(n) if classes[i] == one}
        reach = {i: reachable(i, edges, members) for i in members}
        components = [{j for j in reach[i] if i in reach[j]} for i in sorted(members)]
        kept |= max(components, key=len)
    core = frozenset(kept)
    near = neighbours_of(features, sorted(core), k)
    far = {}
    for i in core:
        mean = sum(labels[j] for j in near[i]) / max(1, len(near[i]))
        far[i] = float(abs(labels[i] - mean).sum() / 2) if near[i] else 0.0
    for i in sorted(core, key=lambda i: (-far[i], i)):
        if n - len(kept) >= round(drop * n):
            break
        kept.remove(i)
    mask = np.zeros(n, dtype=bool)
    mask[list(kept)] = True
    return mask, core


def draw(seed, n, classes, spread):
    """A blob a class, a fifth of the labels wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=n)
    features = rng.normal(size=(n, 3)) + spread * true[:, None]
    weak = np.where(rng.random(n) < 0.2, rng.integers(classes, size=n), true)
    labels = 0.4 * rng.dirichlet(np.ones(classes), n) + 0.6 * np.eye(classes)[weak]
    return features, labels


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("k", "drop"), [(2, 0.5), (4, 0.3), (15, 0.1), (59, 0.1)])
def test_equals_the_definition(seed, classes, k, drop):
    features, labels = draw(seed, n=60, classes=classes, spread=1.5)
    expected, core = literal(features, labels, k, drop)
    np.testing.assert_array_equal(np.flatnonzero(topo_cc(features, labels, k=k)), sorted(core))
    np.testing.assert_array_equal(topofilter(features, labels, k=k, drop=drop), expected)


def test_the_graph_is_directed():
    # On a line 0, 1, 3, 7, ... each one's nearest lies to the left: only 0 and 1 agree.
    features = (2.0 ** np.arange(6) - 1)[:, None]
    labels = np.tile([0.9, 0.1], (6, 1))
    assert topo_cc(features, labels, k=1).tolist() == [True, True, False, False, False, False]


def test_edges_through_the_other_class_do_not_connect():
    # Left and right blobs of class 0 meet only by way of class 1 between them.
    features = np.array([0, 1, 2, 3.1, 4.2, 5.3, 6.4, 7.4])[:, None]
    labels = np.eye(2)[[0, 0, 0, 1, 1, 1, 0, 0]]
    assert topo_cc(features, labels, k=2).tolist() == [True] * 6 + [False] * 2
    together = topo_cc(features, np.eye(2)[[0] * 8], k=2)
    assert together.sum() > 6


def test_what_topocc_overshoots_is_not_topped_up():
    features = (2.0 ** np.arange(6) - 1)[:, None]
    labels = np.tile([0.9, 0.1], (6, 1))
    mask = topofilter(features, labels, k=1, drop=0.1)
    np.testing.assert_array_equal(mask, topo_cc(features, labels, k=1))


def test_wrong_labels_go_and_the_share_is_met():
    rng = np.random.default_rng(0)
    true = np.arange(400) % 2
    features = rng.normal(size=(400, 5)) + 4 * true[:, None]
    wrong = rng.random(400) < 0.08
    labels = np.eye(2)[true ^ wrong] * 0.8 + 0.1
    mask = topofilter(features, labels, k=20)
    assert (~mask).sum() == 40
    assert not mask[wrong].any()


def test_ties_go_by_index():
    # Two pairs, equally large; two classes at exactly one half are the first.
    features = np.array([[0.0], [1.0], [50.0], [51.0]])
    labels = np.full((4, 2), 0.5)
    assert topo_cc(features, labels, k=1).tolist() == [True, True, False, False]
    # All agree equally: the lowest indices go.
    blob = np.random.default_rng(1).normal(size=(20, 2))
    mask = topofilter(blob, np.tile([0.7, 0.3], (20, 1)), k=19, drop=0.1)
    assert np.flatnonzero(~mask).tolist() == [0, 1]


def test_the_order_of_rows_plays_no_part():
    features, labels = draw(9, n=80, classes=2, spread=2.0)
    order = np.random.default_rng(9).permutation(80)
    expected = topofilter(features, labels, k=10, drop=0.2)
    found = topofilter(features[order], labels[order], k=10, drop=0.2)
    np.testing.assert_array_equal(found, expected[order])


def test_everything_can_be_kept_and_everything_dropped():
    features, labels = draw(10, n=30, classes=2, spread=3.0)
    core = topo_cc(features, labels, k=29)
    np.testing.assert_array_equal(topofilter(features, labels, k=29, drop=0), core)
    assert core.all()
    assert not topofilter(features, labels, k=29, drop=1).any()


def test_what_cannot_be_filtered_is_refused():
    features, labels = draw(11, n=20, classes=2, spread=1.0)
    with pytest.raises(ValueError, match="20 nearest neighbours cannot be had of 19 others"):
        topofilter(features, labels, k=20)
    with pytest.raises(ValueError, match="do not fit 20 examples"):
        topofilter(features, labels[:, 0], k=3)
    with pytest.raises(ValueError, match="within 0 and 1"):
        topofilter(features, labels, k=3, drop=10)
