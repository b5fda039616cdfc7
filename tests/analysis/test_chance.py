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
    assert _chance(on, labels) == pytest.approx(
        max(metric("classification", on)(a, labels) for a in always)
    )
