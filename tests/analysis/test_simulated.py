"""Agreement with right and wrong labels, by hand."""

import numpy as np
import pytest

from weak2strong.analysis.simulated import agreements


def test_agreement_is_counted_among_all_right_and_wrong_labels():
    labels = np.array([0, 0, 1, 1])
    supervisor = np.eye(2)[[[0, 0, 0, 0], [0, 0, 1, 0]]]
    student = np.eye(2)[[[0, 1, 0, 1], [0, 0, 1, 1]]]
    found = agreements(student, supervisor, labels)
    assert found["agreement_all"] == pytest.approx((2 / 4 + 3 / 4) / 2)
    assert found["agreement_right"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["agreement_wrong"] == pytest.approx((1 / 2 + 0) / 2)


def test_there_is_no_agreement_with_errors_of_a_supervisor_that_makes_none():
    labels = np.array([0, 1])
    perfect = np.eye(2)[labels][None]
    assert agreements(perfect, perfect, labels)["agreement_wrong"] is None
