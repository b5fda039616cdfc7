"""Grids of a sweep from its table, and the places that are marked in them."""

import numpy as np
import polars as pl
import pytest

from weak2strong.analysis.swept import summarise_sweep
from weak2strong.ground.errors import UserError

LAYERS, SETTINGS, SEEDS = (0, 2), (5.0, 10.0, 100.0), (0, 1)


def table(score, agreement, truth, ceilings=SEEDS, metric="accuracy") -> pl.DataFrame:
    """Scores as a sweep writes them, rows shuffled; grids are (seeds, layers, settings)."""
    rows = []

    def add(value, **about):
        rows.append({"task": "t", "metric": metric, "score": float(value), **about})

    for i, layer in enumerate(LAYERS):
        for j, setting in enumerate(SETTINGS):
            at = {"role": "probe", "probe": "knn", "layer": layer, "setting": setting}
            weak = {**at, "learned": "weak"}
            for seed in SEEDS:
                add(score[seed, i, j], **weak, seed=seed, split="test", against="truth")
                add(agreement[seed, i, j], **weak, seed=seed, split="validation", against="weak")
                # What must not be taken for one of the three.
                add(-1, **weak, seed=seed, split="validation", against="truth")
                add(-2, **weak, seed=seed, split="test", against="weak")
            known = {**at, "learned": "truth", "seed": -1, "against": "truth"}
            add(truth[i, j], **known, split="test")
            add(-3, **known, split="validation")
    for seed in SEEDS:
        add(0.6 + 0.1 * seed, role="floor", seed=seed, split="test", against="truth")
        add(-4, role="floor", seed=seed, split="validation", against="truth")
    for seed in ceilings:
        add(0.8 + 0.1 * seed, role="ceiling", seed=seed, split="test", against="truth")
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.sample(fraction=1, shuffle=True, seed=0)


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    shape = (len(SEEDS), len(LAYERS), len(SETTINGS))
    return rng.random(shape), rng.random(shape), rng.random(shape[1:])


def test_grids_are_means_over_seeds():
    score, agreement, truth = drawn()
    other = table(*drawn(1), metric="brier")
    (one,) = summarise_sweep(pl.concat([table(score, agreement, truth), other]), "accuracy")
    assert (one.task, one.probe, one.metric) == ("t", "knn", "accuracy")
    assert (one.layers, one.settings, one.seeds) == (LAYERS, SETTINGS, 2)
    np.testing.assert_allclose(one.score, score.mean(axis=0))
    np.testing.assert_allclose(one.agreement, agreement.mean(axis=0))
    np.testing.assert_allclose(one.truth, truth)
    assert one.floor == pytest.approx(0.65)
    assert one.ceiling == pytest.approx(0.85)


def test_the_fair_choice_looks_at_agreement_alone():
    score, agreement, truth = drawn()
    agreement[:, 1, 2] = 2
    score[:, 0, 1] = 2
    (one,) = summarise_sweep(table(score, agreement, truth), "accuracy")
    assert one.chosen == (1, 2)
    assert one.oracle == (0, 1)


def test_of_equals_the_lowest_layer_and_setting_is_chosen_and_of_brier_the_least():
    score, agreement, truth = drawn()
    agreement[:] = 0.5
    agreement[:, 1, :2] = 0.75
    agreement[:, 0, 1] = 0.25
    agreement[:, 0, 2] = np.nan
    for metric, place in (("accuracy", (1, 0)), ("brier", (0, 1))):
        (one,) = summarise_sweep(table(score, agreement, truth, metric=metric), metric)
        assert one.chosen == place


def test_a_ceiling_that_not_every_seed_has_is_none():
    (one,) = summarise_sweep(table(*drawn(), ceilings=(1,)), "accuracy")
    assert one.ceiling is None


def test_a_metric_that_was_not_scored_is_refused():
    with pytest.raises(UserError, match="Unknown metric of this sweep 'roc'"):
        summarise_sweep(table(*drawn()), "roc")
