"""Weak labels of a simulated supervisor (see `weak2strong.simulators`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from weak2strong.ground.predictions import Predictions, load_predictions
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.stages.finetuning import (
    FILE,
    PREDICTED,
    finetune,
    labels_digest,
    on_truth,
    writer,
)
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.stages.roles import supervisor
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.simulators import SIMULATORS
from weak2strong.simulators.simulator import Seen, error_count, mislabelled
from weak2strong.tasks.splits import digest


def simulated_labels(task_run: TaskRun, seed: int) -> Mapping[str, Predictions]:
    """Hard labels by split with the accuracy asked for, or that of the real supervisor there."""
    config, classes = task_run.config, len(task_run.task.classes)
    simulator, accuracy = SIMULATORS.get(config.simulated or ""), config.simulated_accuracy
    needs = simulator.needs
    real = supervisor(task_run, seed) if accuracy is None or "supervisor" in needs else {}
    knowing = _knowing(task_run, seed) if "knowing" in needs else {}

    def make(working: Path) -> Write:
        examples = {split: task_run.splits.examples(split) for split in PREDICTED}
        states = activations(task_run, config.strong, "last") if "activations" in needs else {}
        truth = {s: np.array([e.label for e in given]) for s, given in examples.items()}
        errors = {}
        for split, labels in truth.items():
            if accuracy is None:
                answers = real[split].at([e.item.id for e in examples[split]])
                errors[split] = int((answers.argmax(axis=1) != labels).sum())
            else:
                errors[split] = error_count(len(labels), accuracy)
        seen = Seen(examples, classes, errors, real, knowing, states)
        labelled = {}
        for i, (split, order) in enumerate(simulator.order(seen).items()):
            rng = np.random.default_rng([seed, i])
            said = mislabelled(order, truth[split], classes, errors[split], rng)
            labelled[split] = Predictions(seen.ids(split), said, task_run.task.kind)
        return writer(labelled)

    fields: dict[str, Any] = {"kind": simulator.name, "accuracy": accuracy, "seed": seed}
    inputs = {f"truth_{split}": digest(task_run.splits.examples(split)) for split in PREDICTED}
    for name, answers in (("supervisor", real), ("knowing", knowing)):
        inputs |= {f"{name}_{split}": labels_digest(p) for split, p in answers.items()}
    if "activations" in needs:
        fields["model"] = config.strong.settings
        inputs["weights"] = fingerprint(config.strong)
    return load_predictions(task_run.stage("simulated", fields, inputs, make).path / FILE)


def _knowing(task_run: TaskRun, seed: int) -> Mapping[str, Predictions]:
    """The strong model finetuned as the ceiling is, on ground truth of ``weak_train``."""
    model, training = task_run.config.strong, task_run.config.strong_training
    return finetune(on_truth(task_run, model, training, task_run.splits.weak_train, seed))
