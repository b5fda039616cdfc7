"""The study that the tests here run: toy models on a real task, one quick epoch."""

import pytest

from weak2strong.models.spec import ModelSpec
from weak2strong.protocol.config import StudyConfig
from weak2strong.training.settings import Training


@pytest.fixture(scope="session")
def quick_study(toy_models) -> StudyConfig:
    """One seed, both methods; every fit takes a fraction of a second."""
    quick = Training(epochs=1, evaluations=2, learning_rate=3e-3)
    return StudyConfig(
        tasks=("atlas-southern",),
        weak=ModelSpec(str(toy_models["gpt2"])),
        strong=ModelSpec(str(toy_models["llama"])),
        seeds=1,
        weak_training=quick,
        strong_training=quick,
    )
