"""The score of whoever knows only how often each class occurs, against that of such answers."""

import numpy as np
import pytest

from weak2strong.analysis.summary import _chance
from weak2strong.ground.metrics import metric


@pytest.mark.parametrize("on", ["accuracy", "roc_auc", "f1", "matthews"])
@pytest.mark.parametrize("sizes", [(30, 10), (10, 30), (5, 9, 20)])
def test_chance_is_the_best_that_one_answer_to_everything_scores(on, sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    always = [np.eye(len(sizes))[np.full(len(labels), c)] for c in range(len(sizes))]
    assert _chance("classification", on, labels) == pytest.approx(
        max(metric("classification", on)(a, labels) for a in always)
    )


def test_chance_of_written_answers_is_that_of_the_commonest_target_as_it_is_read():
    labels = np.empty(5, dtype=object)
    labels[:] = [("#### 5",), ("5.0",), ("It is 5.", "five"), ("7",), ("1,000",)]
    assert _chance("generation", "number_match", labels) == pytest.approx(3 / 5)
    assert _chance("generation", "exact_match", labels) == pytest.approx(1 / 5)
