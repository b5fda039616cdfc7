"""A test set made by hand, for the analyses of a run."""

import numpy as np
import pytest

from weak2strong.analysis.tested import Tested


@pytest.fixture
def tested():
    """Makes a test set from probabilities of class 1, a list ``(S, n)`` a role."""

    def make(labels, floor, ceiling=None, probe=None, difficulty=None, groups=None, **students):
        def answers(p):
            p = np.asarray(p, dtype=float)
            return np.stack([1 - p, p], axis=-1)

        labels = np.asarray(labels)
        groups = np.array([f"{i:04}" for i in range(len(labels))] if groups is None else groups)
        return Tested(
            labels=labels,
            groups=groups,
            floor=answers(floor),
            ceiling=answers(floor if ceiling is None else ceiling),
            students={method: answers(p) for method, p in students.items()},
            probe=None if probe is None else answers(probe),
            difficulty=None if difficulty is None else np.asarray(difficulty, dtype=float),
            kind="classification",
            metric="accuracy",
        )

    return make
