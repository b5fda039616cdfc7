"""The confidence loss where a supervisor is unsure of everything must not make sure of noise.

Its own answers count as if they were certain, however soft the labels are, so that with soft labels
they could outweigh them long before the student has learnt anything.
"""

from functools import cache

import numpy as np
import pytest

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses import loss
from weak2strong.models.load import load_model
from weak2strong.models.rates import usual_rates
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits
from weak2strong.training.fit import fit
from weak2strong.training.predict import predict
from weak2strong.training.training_set import TrainingSet

SOFTNESS = (1.0, 0.3, 0.1, 0.03, 0.01)

MARGIN = 0.03


@cache
def splits(task):
    """The splits of an embedded task, and the weak labels of ``strong_train``."""
    parts = make_splits(find_task(task, DataOptions()), 0)
    truth = np.eye(2)[[example.label for example in parts.weak_train]]
    supervisor = finetuned("atlas-s", parts.weak_train, truth, "cross-entropy")
    return parts, predict(supervisor, items(parts.strong_train)).probabilities


def finetuned(name, examples, targets, loss_name):
    spec = ModelSpec(name)
    training = Training(stopping="none", evaluations=1).with_rates(usual_rates(spec))
    model = load_model(spec, "classification", 2, seed=0)
    fit(model, TrainingSet(items(examples), targets), loss(loss_name), training, seed=0)
    return model


def items(examples):
    return [example.item for example in examples]


@pytest.mark.slow
@pytest.mark.parametrize("softness", SOFTNESS)
@pytest.mark.parametrize("task", ["atlas-southern", "atlas-asia"])
def test_confidence_is_never_far_below_naive_on_the_same_soft_labels(task, softness):
    """Labels are pulled towards 1/2, so that all that changes is how sure they are."""
    parts, weak = splits(task)
    soft, scores = 0.5 + softness * (weak - 0.5), []
    labels = [example.label for example in parts.test]
    for name in ("cross-entropy", "confidence"):
        student = finetuned("atlas-l", parts.strong_train, soft, name)
        answers = predict(student, items(parts.test)).probabilities
        scores.append((answers.argmax(axis=1) == labels).mean())
    naive, confidence = scores
    assert confidence > naive - MARGIN
