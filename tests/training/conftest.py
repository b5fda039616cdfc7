"""A separable toy task on toy models: is the sentence about red or about blue?"""

import numpy as np
import pytest

from weak2strong.config.model import ModelSpec
from weak2strong.models.load import load_model
from weak2strong.tasks.task import Item
from weak2strong.training.training_set import TrainingSet

PLACES = ("here", "beside the river", "in the morning, as ever", "", "where birds sing")


@pytest.fixture
def load(toy_models):
    """A function from toy, seed and other settings to a fresh model, in float64 if asked."""

    def load(name="llama", seed=0, double=False, **settings):
        spec = ModelSpec(str(toy_models[name]), **settings)
        model = load_model(spec, "classification", 2, seed)
        if double:
            # Adam divides rounding by rounding where gradients vanish; float64 keeps these
            # far below what a wrong gradient would do.
            model.network.double()
        return model

    return load


@pytest.fixture
def lesson():
    """A function from size and seed to items of uneven length with one-hot targets."""

    def lesson(n, seed=0):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(np.arange(n) % 2)
        items = [
            Item(f"{seed}-{i}", f"g{i}", f"A {'blue' if label else 'red'} {kind} {place}".strip())
            for i, (label, kind, place) in enumerate(
                zip(
                    labels,
                    rng.choice(["house", "bird", "river", "label"], n),
                    rng.choice(PLACES, n),
                    strict=True,
                )
            )
        ]
        return TrainingSet(items, np.eye(2)[labels])

    return lesson


@pytest.fixture
def soft_lesson(lesson):
    """The same with soft labels that are only roughly right."""

    def soft_lesson(n, seed=0):
        whole = lesson(n, seed)
        noise = np.random.default_rng(seed + 1).dirichlet((1, 1), n)
        return TrainingSet(whole.items, 0.6 * whole.targets + 0.4 * noise)

    return soft_lesson
