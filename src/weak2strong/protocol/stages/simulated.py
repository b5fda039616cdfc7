"""Weak labels of a simulated supervisor (see `weak2strong.simulators`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.stages.annotated import annotated_labels
from weak2strong.protocol.stages.files import FILE, labels_digest, writer
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import PREDICTED, on_truth
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.stages.learners import loaders_of
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.stages.supervisor import supervisor
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.simulators import SIMULATORS
from weak2strong.simulators.simulator import Evidence, Order, error_count, misanswered, mislabelled
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.splits import digest


def simulated_labels(task_run: TaskRun, seed: int) -> Mapping[str, Predictions]:
    """Hard labels by split; their accuracy is the study's, or else that of the real supervisor, or
    of people who take its place."""
    config, kind, classes = task_run.config, task_run.task.kind, len(task_run.task.classes)
    simulator, accuracy = SIMULATORS.get(config.simulated or ""), config.simulated_accuracy
    needs, annotated = simulator.needs, config.data.weak_label_columns
    people = annotated_labels(task_run) if annotated and accuracy is None else {}
    counted = accuracy is None and not people
    real = supervisor(task_run, seed) if counted or "supervisor" in needs else {}
    strong = _strong_answers(task_run, seed) if "strong_answers" in needs else {}

    def make(working: Path) -> Write:
        examples = {split: task_run.splits.examples(split) for split in PREDICTED}
        states = activations(task_run, config.strong, "last") if "activations" in needs else {}
        errors: dict[str, int] = {}
        evidence = Evidence(examples, kind, classes, config.metric, errors, real, strong, states)
        for split in examples:
            if accuracy is None:
                answers = (people or real)[split].at(evidence.ids(split))
                errors[split] = int((~evidence.right(split, answers)).sum())
            else:
                errors[split] = error_count(len(examples[split]), accuracy)
        by_split = {}
        for i, (split, order) in enumerate(simulator.order(evidence).items()):
            rng = np.random.default_rng([seed, i])
            labels = _labels(evidence, split, order, rng)
            by_split[split] = Predictions(evidence.ids(split), labels, kind)
        return writer(by_split)

    fields: dict[str, Any] = {
        "kind": simulator.name,
        "classes": classes,
        "accuracy": accuracy,
        "seed": seed,
    }
    inputs = {f"truth_{split}": digest(task_run.splits.examples(split)) for split in PREDICTED}
    by_name = {"supervisor": real, "knowing": strong, "annotators": people}
    for name, answers in by_name.items():
        inputs |= {f"{name}_{split}": labels_digest(p) for split, p in answers.items()}
    if "activations" in needs:
        fields["model"] = settings_in_keys(config.strong)
        inputs["weights"] = fingerprint(config.strong)
        read = task_run.item_digests(PREDICTED, config.strong)
        inputs |= {f"read_{split}": of_split for split, of_split in read.items()}
    # Of other models it has the answers, whichever device gave them.
    by = "device" if "activations" in needs else "processor"
    named = (simulator, *loaders_of(kind, config.strong))
    if kind in WRITTEN:
        fields["metric"] = config.metric
        named = (*named, metric(kind, config.metric))
    entry = task_run.stage("simulated", fields, inputs, make, named, by)
    return load_predictions(entry.path / FILE)


def _labels(evidence: Evidence, split: str, order: Order, rng: np.random.Generator) -> np.ndarray:
    """The labels of one split, wrong in that order: hard rows, or texts."""
    errors, labels = evidence.errors[split], evidence.labels(split)
    if evidence.kind not in WRITTEN:
        return mislabelled(order, labels, evidence.classes, errors, rng)
    targets = true_targets(evidence.kind, evidence.examples[split], evidence.classes)
    return misanswered(order, targets, partial(evidence.right, split), errors, rng)


def _strong_answers(task_run: TaskRun, seed: int) -> Mapping[str, Predictions]:
    """The strong model finetuned as the ceiling is, on ground truth of ``weak_train``."""
    task_run = at_rates(task_run, "strong")
    model, training = task_run.config.strong, task_run.config.strong_training
    examples = task_run.splits.weak_train
    return finetune(on_truth(task_run, model, training, examples, seed, "ceiling"))
