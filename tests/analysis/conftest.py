"""A test set made by hand, for the analyses of a run; and the simulations in benchmarks/."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

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


BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def benchmark(name: str) -> ModuleType:
    """A script in benchmarks/ as a module; scripts import each other as neighbours."""
    spec = importlib.util.spec_from_file_location(f"{name}_benchmark", BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up while it is made.
    sys.modules[spec.name] = module
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


@pytest.fixture(scope="session")
def coverage():
    return benchmark("coverage")


@pytest.fixture(scope="session")
def calibration():
    return benchmark("calibration")


@pytest.fixture(scope="session")
def few_seeds():
    return benchmark("few_seeds")


@pytest.fixture(scope="session")
def shared_entities():
    return benchmark("shared_entities")


@pytest.fixture(scope="session")
def auc():
    return benchmark("auc")
