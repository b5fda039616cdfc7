"""The flat recipe and the package are the same experiment: one fit, and the whole protocol."""

import importlib.util
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

import weak2strong as w2s
from weak2strong.cli import main
from weak2strong.config.model import ModelSpec
from weak2strong.losses import loss
from weak2strong.models import text_model
from weak2strong.models.folders import location_of
from weak2strong.models.load import load_model
from weak2strong.models.rates import usual_rates
from weak2strong.tasks.task import Item
from weak2strong.training import fit, loop
from weak2strong.training.predict import predict

RECIPE = Path(__file__).parents[2] / "recipes" / "minimal_loop.py"
TASK, WEAK, EPOCHS = "atlas-africa", "atlas-s", 1

CAP = 0.06
"""Means further apart are not of the same experiment, however noisy its seeds: floor, student
and ceiling are about 0.70, 0.77 and 0.96 here. A student's standard deviation over seeds is
about 0.03, so that a difference of two means of 4 has a standard error of 0.02."""

SIZES = [
    pytest.param("atlas-landlocked", "atlas-xs", "atlas-s", 2, 0.1),
    pytest.param(TASK, WEAK, "atlas-l", 4, CAP, marks=pytest.mark.slow),
]
"""Task, models, seeds, and by how much means may differ: a small study, and one whose ceiling is
far above the floor."""


@pytest.fixture(scope="module")
def recipe():
    """The recipe as a module."""
    spec = importlib.util.spec_from_file_location("minimal_loop", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Writes a task as a file."""
    folder = tmp_path_factory.mktemp("recipe")

    def write(task):
        file = folder / f"{task}.jsonl"
        assert main(["export", task, "--out", str(file)]) == 0
        return file

    return write


def test_the_recipe_imports_nothing_of_the_package():
    assert "weak2strong" not in RECIPE.read_text()


def test_one_fit_is_that_of_the_package_but_for_rounding(recipe, exported, monkeypatch):
    """Given the same first head and order of examples, soft targets teach both the same."""
    read = recipe.read(exported(TASK))[0]
    texts, asked = read["strong_train"][:200], read["test"][:200]
    targets = torch.rand(len(texts), 2, generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    model, seed = ModelSpec(WEAK), 5
    taught = recipe.finetune(location_of(model), texts, targets, usual_rates(model), 2, seed)
    torch.manual_seed(seed)
    head = recipe.Classifier(location_of(model), 2).head
    orders = [torch.randperm(len(texts)) for _ in range(2)]
    batches = [batch.numpy() for order in orders for batch in order.split(32)]
    monkeypatch.setattr(text_model, "new_head", lambda *given: head)
    monkeypatch.setattr(loop, "_batches", lambda *given: iter(batches))
    ours = load_model(model, "classification", 2, seed)
    untaught = predict(ours, items(asked)).probabilities
    training = w2s.Training(epochs=2).with_rates(usual_rates(model))
    labelled = fit.TrainingSet(items(texts), targets.numpy())
    fit.fit(ours, labelled, loss("cross-entropy"), training, seed)
    expected = predict(ours, items(asked)).probabilities
    found = recipe.answers(taught, asked).numpy()
    assert abs(expected - untaught).max() > 0.05, "the fit has moved the answers"
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("task", "weak", "strong", "seeds", "cap"), SIZES)
def test_scores_are_those_of_the_package_within_the_noise_of_seeds(
    exported, tmp_path, monkeypatch, capsys, task, weak, strong, seeds, cap
):
    """Means over seeds differ by less than that; where there are seeds enough to say how noisy they
    are, 0 is in Welch's 99% interval of the difference.

    Both have the same rates and the same stopping rule, which is the default of the package: every
    model learns all of its split, and the weights of the last step are kept. Orders of examples
    differ, so seeds are not paired.
    """
    assert w2s.Training().stopping == "none"
    assert "`--stopping none`" in RECIPE.read_text()
    flags = ["--epochs", str(EPOCHS), "--seeds", str(seeds)]
    for side, model in (("weak", ModelSpec(weak)), ("strong", ModelSpec(strong))):
        flags += [f"--{side}", location_of(model), f"--{side}-rates", *map(str, usual_rates(model))]
    monkeypatch.setattr(sys, "argv", [str(RECIPE), str(exported(task)), *flags])
    with torch.random.fork_rng(devices=[]):
        runpy.run_path(str(RECIPE), run_name="__main__")
    printed = re.findall(
        r"floor (\S+), student (\S+), ceiling (0\.\d+)(?:, PGR (\S+))?", capsys.readouterr().out
    )
    *ours, means = np.array([[float(x or "nan") for x in line] for line in printed])
    ours = np.stack(ours)[:, :3]
    floor, student, ceiling = ours.mean(axis=0)
    pgr = w2s.performance_gap_recovered(floor, student, ceiling)
    np.testing.assert_allclose(means, [floor, student, ceiling, pgr], atol=0.012)
    training = w2s.Training(epochs=EPOCHS)
    study = w2s.Study(
        task, weak, strong, "naive", seeds, weak_training=training, strong_training=training
    )
    cells = study.run(tmp_path / "run", tmp_path / "store", quiet=True).cells
    theirs = cells.filter(metric="accuracy")["floor", "student", "ceiling"].to_numpy()
    assert theirs.shape == ours.shape == (seeds, 3)
    if seeds > 2:
        found = stats.ttest_ind(ours, theirs, equal_var=False)
        interval = found.confidence_interval(0.99)
        assert (interval.low < 0).all()
        assert (interval.high > 0).all()
    assert (abs(ours.mean(axis=0) - theirs.mean(axis=0)) < cap).all()


def items(texts):
    return [Item(str(i), str(i), text) for i, text in enumerate(texts)]
