"""Models whose rates nobody has fitted do about as well as with fitted ones (slow)."""

import shutil

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.config.training import Training
from weak2strong.ground.metrics import accuracy
from weak2strong.ground.store import Store
from weak2strong.models.folders import location_of
from weak2strong.models.rates import fitted_rates
from weak2strong.protocol import stages
from weak2strong.protocol.resolve import resolved
from weak2strong.protocol.task_run import TaskRun

TASK = "atlas-asia"
SEEDS = 3
CLOSE = 0.015


def copy_of(rung, folder, factor=1.0):
    """A rung under another name, so that its fitted rates are not known; its states, which the head
    reads, are scaled by the weight of the final norm."""
    shutil.copytree(location_of(ModelSpec(rung)), folder)
    file = folder / "model.safetensors"
    weights = load_file(file)
    (norm,) = (name for name in weights if name.endswith(("model.norm.weight", "ln_f.weight")))
    save_file({**weights, norm: weights[norm] * factor}, file, {"format": "pt"})
    return ModelSpec(str(folder))


def scores(model, rates, store):
    """Mean accuracy on ``validation`` as a supervisor and as a ceiling."""
    training = Training(stopping="none")
    config = StudyConfig(
        tasks=(TASK,), weak=model, strong=model, seeds=SEEDS, rates=rates, methods=("naive",),
        weak_training=training, strong_training=training,
    )  # fmt: skip
    task_run = TaskRun.of(resolved(config), Store(store), TASK)
    validation = task_run.splits.validation
    ids, labels = [e.item.id for e in validation], np.array([e.label for e in validation])
    made = (stages.supervisor, stages.ceiling)
    return [
        np.mean([accuracy(of(task_run, s)["validation"].at(ids), labels) for s in range(SEEDS)])
        for of in made
    ]


@pytest.mark.slow
@pytest.mark.parametrize("rates", ["rule", "search"])
@pytest.mark.parametrize("rung", ["atlas-s", "atlas-l"])
def test_a_rung_under_another_name_does_as_well_as_with_its_fitted_rates(rung, rates, tmp_path):
    copied = copy_of(rung, tmp_path / "copy")
    assert fitted_rates(copied) is None
    found = scores(copied, rates, tmp_path / "store")
    fitted = scores(ModelSpec(rung), "auto", tmp_path / "store")
    print(rung, rates, "found", found, "fitted", fitted)
    assert min(np.subtract(found, fitted)) >= -CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("rates", ["rule", "search"])
def test_the_size_of_states_does_not_matter(rates, tmp_path):
    """0.01, 1 and 100 times as large."""
    of_factor = {
        factor: scores(
            copy_of("atlas-s", tmp_path / f"{factor:g}", factor), rates, tmp_path / "store"
        )
        for factor in (0.01, 1.0, 100.0)
    }
    fitted = scores(ModelSpec("atlas-s"), "auto", tmp_path / "store")
    print(rates, of_factor, "fitted", fitted)
    for found in of_factor.values():
        assert min(np.subtract(found, fitted)) >= -CLOSE
