"""What answers say and whether they are right, against plain loops over rows."""

import numpy as np
import polars as pl
import pytest

from weak2strong.engine.examples import outcomes
from weak2strong.ground.metrics import METRICS
from weak2strong.ground.predictions import column, texts
from weak2strong.tasks.answers import by_weak_label, comparable, is_right, with_correctness
from weak2strong.tasks.kinds import labels_from_lists

SEEDS, N = 4, 60
FORMS = [
    ("classification", "accuracy"),
    ("preference", "roc_auc"),
    ("generation", "exact_match"),
    ("generation", "exact_match_cased"),
    ("generation", None),
]


def drawn(kind):
    """Random answers (SEEDS, N, ...) and labels: three classes with ties, or texts like these."""
    rng = np.random.default_rng(0)
    if kind != "generation":
        values = rng.integers(1, 4, size=(SEEDS, N, 3)).astype(float)
        return values / values.sum(axis=-1, keepdims=True), rng.integers(3, size=N)
    some = ["Bxc3", "bxc3", " Bxc3.", "BXC3", "a  b", "A b.", "", ".", "straße", "STRASSE", "b . "]
    accepted = [tuple(rng.choice(some, size=rng.integers(1, 3))) for _ in range(N)]
    return texts(rng.choice(some, size=SEEDS * N)).reshape(SEEDS, N), labels_from_lists(
        kind, accepted
    )


def read(value, label, on):
    """What one answer says, and whether it is right."""
    if not isinstance(value, str):
        best = 0
        for i, p in enumerate(value):
            if p > value[best]:
                best = i
        return best, best == label

    def form(text):
        words = " ".join(
            w for w in (text if on == "exact_match_cased" else text.casefold()).split()
        )
        return words[:-1].rstrip() if words.endswith(".") else words

    return form(value), any(form(value) == form(other) for other in label)


@pytest.mark.parametrize(("kind", "on"), FORMS)
def test_answers_are_read_as_row_by_row(kind, on):
    values, labels = drawn(kind)
    expected = [[read(v, y, on) for v, y in zip(row, labels, strict=True)] for row in values]
    assert comparable(values, kind, on).tolist() == [[x for x, _ in row] for row in expected]
    hits = is_right(values, labels, kind, on)
    assert hits.dtype == bool
    assert hits.tolist() == [[x for _, x in row] for row in expected]
    assert 0 < hits.mean() < 1
    # One seed alone is read as among others.
    assert comparable(values[1], kind, on).tolist() == comparable(values, kind, on)[1].tolist()
    assert is_right(values[1], labels, kind, on).tolist() == hits[1].tolist()


@pytest.mark.parametrize(("kind", "on"), FORMS)
def test_the_share_of_right_answers_is_the_score(kind, on):
    values, labels = drawn(kind)
    name = on if kind == "generation" and on else next(iter(METRICS[kind]))
    scores = [METRICS[kind][name](one, labels) for one in values]
    assert is_right(values, labels, kind, on).mean(axis=1).tolist() == pytest.approx(scores)


def frame_of(values, labels, kind, role="floor", method="", seed=0):
    ids = [f"{i:03}" for i in range(len(labels))]
    same = {"task": "t", "kind": kind, "role": role, "method": method, "seed": seed, "id": ids}
    return pl.DataFrame(same | {"label": labels.tolist()}).with_columns(column(values, kind))


@pytest.mark.parametrize(("kind", "on"), FORMS)
def test_a_frame_is_read_as_arrays_are(kind, on):
    values, labels = drawn(kind)
    frame = with_correctness(frame_of(values[0], labels, kind), on)
    assert frame["said"].to_list() == comparable(values[0], kind, on).tolist()
    assert frame["right"].to_list() == is_right(values[0], labels, kind, on).tolist()


def test_a_frame_may_hold_tasks_of_different_numbers_of_classes():
    two = frame_of(np.array([[0.5, 0.5]]), np.array([0]), "preference")
    three = frame_of(np.array([[0.2, 0.4, 0.4]]), np.array([2]), "classification")
    found = with_correctness(pl.concat([two, three]))
    assert found["said"].to_list() == [0, 1]
    assert found["right"].to_list() == [True, False]


def test_weak_labels_are_parted_by_whether_they_are_right():
    found = by_weak_label(np.array([[True, False, True]]))
    assert {name: chosen.tolist() for name, chosen in found.items()} == {
        "all": [[True, True, True]],
        "right": [[True, False, True]],
        "wrong": [[False, True, False]],
    }


@pytest.mark.parametrize(("kind", "on"), FORMS)
def test_what_became_of_weak_labels_is_counted_row_by_row(kind, on):
    """And is shown as it was written."""
    values, labels = drawn(kind)
    weak, one, other = values[:3]
    frames = [frame_of(weak, labels, kind), frame_of(values[3], labels, kind, seed=1)]
    frames += [frame_of(x, labels, kind, "student", m) for x, m in ((one, "one"), (other, "other"))]
    expected = {}
    for i, label in enumerate(labels):
        told, told_right = read(weak[i], label, on)
        for method, answers in (("one", one), ("other", other)):
            answer, hit = read(answers[i], label, on)
            became = None
            if hit and not told_right:
                became = "corrected"
            elif not told_right and answer == told:
                became = "imitated"
            elif told_right and not hit:
                became = "lost"
            elif not told_right and not hit:
                became = "erred"
            if became:
                expected.setdefault((became, f"{i:03}"), []).append(method)
    rows = outcomes(pl.concat(frames), on).to_dicts()
    assert {(r["outcome"], r["id"]): r["methods"] for r in rows} == expected
    assert {became for became, _ in expected} == {"corrected", "imitated", "lost", "erred"}
    for row in rows:
        at = int(row["id"])
        student = one if row["methods"][0] == "one" else other
        shown = [weak[at], student[at]]
        if kind != "generation":
            shown = [read(x, labels[at], on)[0] for x in shown]
        assert [row["supervisor"], row["student"]] == shown
        label = list(labels[at]) if kind == "generation" else labels[at]
        assert row["label"] == label
