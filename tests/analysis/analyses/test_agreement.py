"""Agreement where the weak label is right and where it is wrong, and who has what right."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from weak2strong.analysis.analyses.agreement import agreement_rows, confusion_rows


def test_a_case_by_hand(tested):
    """Labels 1 1 1 1 0 0; the supervisor misses the last of each class, the student differs."""
    test = tested(
        [1, 1, 1, 1, 0, 0],
        floor=[[0.9, 0.9, 0.9, 0.1, 0.1, 0.9]],
        naive=[[0.9, 0.9, 0.2, 0.8, 0.1, 0.9]],
    )
    every, right, wrong = agreement_rows(test, "naive")
    assert [r["weak_label"] for r in (every, right, wrong)] == ["all", "right", "wrong"]
    assert [r["examples"] for r in (every, right, wrong)] == [6, 4, 2]
    assert every["agreement"] == pytest.approx(4 / 6)
    assert right["agreement"] == pytest.approx(3 / 4)
    assert wrong["agreement"] == pytest.approx(1 / 2)
    assert wrong["student_accuracy"] == pytest.approx(1 / 2)
    shares = {
        (r["student_right"], r["supervisor_right"]): r["share"]
        for r in confusion_rows(test, "naive")
    }
    assert shares == pytest.approx(
        {(True, True): 3 / 6, (True, False): 1 / 6, (False, True): 1 / 6, (False, False): 1 / 6}
    )


def test_seeds_are_averaged_and_scikit_learn_agrees(tested):
    rng = np.random.default_rng(0)
    labels, (floor, naive) = rng.integers(2, size=200), rng.random((2, 3, 200))
    test = tested(labels, floor=floor, naive=naive)
    supervisor, student = (x > 0.5 for x in (floor, naive))
    for row in agreement_rows(test, "naive"):
        chosen = {"all": lambda w: w == w, "right": lambda w: w == labels}.get(
            row["weak_label"], lambda w: w != labels
        )
        expected = [
            accuracy_score(w[chosen(w)], s[chosen(w)])
            for w, s in zip(supervisor, student, strict=True)
        ]
        assert row["agreement"] == pytest.approx(np.mean(expected))
        assert row["agreement_low"] < row["agreement"] < row["agreement_high"]
    matrix = np.mean(
        [
            confusion_matrix(s == labels, w == labels)
            for w, s in zip(supervisor, student, strict=True)
        ],
        axis=0,
    )
    for row in confusion_rows(test, "naive"):
        at = int(row["student_right"]), int(row["supervisor_right"])
        assert row["share"] == pytest.approx(matrix[at] / 200)


def test_more_classes_let_a_student_be_wrong_in_its_own_way(tested):
    """It agrees with none of the wrong weak labels, and corrects none."""
    test = tested([0, 0, 0], floor=[[0.5] * 3], naive=[[0.5] * 3])
    three = {
        "floor": np.eye(3)[[[0, 1, 1]]],
        "ceiling": np.eye(3)[[[0, 0, 0]]],
        "students": {"naive": np.eye(3)[[[0, 2, 2]]]},
    }
    *_, wrong = agreement_rows(type(test)(**{**vars(test), **three}), "naive")
    assert (wrong["agreement"], wrong["student_accuracy"]) == (0, 0)


def test_a_supervisor_without_errors_leaves_nothing_to_imitate(tested):
    test = tested([1, 0, 1], floor=[[0.9, 0.1, 0.9]], naive=[[0.9, 0.9, 0.9]])
    *_, wrong = agreement_rows(test, "naive")
    assert wrong["examples"] == 0
    assert wrong["agreement"] is wrong["agreement_low"] is wrong["student_accuracy"] is None
