"""A short run of benchmarks/auc.py: intervals of ROC AUCs cover."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from weak2strong.ground.metrics import roc_auc

TRIALS = 40


def test_the_truth_of_the_simulation_is_what_its_draws_show(auc):
    regime, rng = replace(auc.REGIMES["seeds"], examples=4000), np.random.default_rng(0)
    answers, labels = auc.draw(regime, 60, rng)
    found = [np.mean([roc_auc(p, labels) for p in role]) for role in answers]
    assert found == pytest.approx(auc.AUCS, abs=0.02)
    assert labels.mean() == 0.5


def test_intervals_of_aucs_cover(auc):
    regime = replace(auc.REGIMES["mixed"], examples=200)
    found = auc.simulate(regime, 3, TRIALS, np.random.default_rng(0), replicates=100)
    least = binom.ppf(1e-3, TRIALS, 0.95) / TRIALS
    for name in ("floor", "gap", "gain", "PGR"):
        assert found[name] >= least, name
    assert found["no PGR"] < 0.6
