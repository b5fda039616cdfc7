"""One probe at many settings on many layers of the frozen student."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from weak2strong.ground.predictions import Predictions
from weak2strong.models.load import loader_of
from weak2strong.models.resolve import fingerprint
from weak2strong.probes import sweep_knn, sweep_logistic
from weak2strong.protocol.stages.files import labels_digest
from weak2strong.protocol.stages.finetuning import PREDICTED
from weak2strong.protocol.stages.frozen import all_activations, frozen_settings
from weak2strong.protocol.stages.labels import student_labels, weak_labels
from weak2strong.protocol.stages.students import true_labels_of
from weak2strong.protocol.task_run import TaskRun, Write

SCORED = ("validation", "test")
"""Splits that the probes of a sweep answer."""

FILE = "answers.safetensors"

Probed = Literal["knn", "logistic"]

_SWEEPS: Mapping[Probed, Callable[..., np.ndarray]] = {
    "knn": sweep_knn,
    "logistic": sweep_logistic,
}


@dataclass(frozen=True)
class Sweep:
    """A probe at each of its settings on each of some layers.

    Attributes:
        probe: its name.
        settings: numbers of neighbours, or penalties.
        layers: numbers, 0 for the embeddings.
    """

    probe: Probed
    settings: tuple[float, ...]
    layers: tuple[int, ...]


def sweep(
    task_run: TaskRun, probes: Sweep, seed: int | None
) -> Mapping[int, Mapping[str, np.ndarray]]:
    """Answers by layer and split, ``(settings, items of the split, classes)``.

    The probes learn the weak labels of ``strong_train`` that students of the seed learn, or
    ground truth where the seed is None.
    """
    if seed is None:
        labels = true_labels_of(task_run, "strong_train")
    else:
        both = student_labels(task_run, weak_labels(task_run, seed))
        labels = both.only([item.id for item in task_run.splits.items("strong_train")])
    return {layer: _of_layer(task_run, probes, layer, labels) for layer in probes.layers}


def _of_layer(
    task_run: TaskRun, probes: Sweep, layer: int, labels: Predictions
) -> Mapping[str, np.ndarray]:
    """The stage: every setting on one layer, so that a layer that was swept before is read."""
    from safetensors.numpy import load_file, save_file

    model, answered_by = task_run.config.strong, _SWEEPS[probes.probe]

    def make(working: Path) -> Write:
        # All layers are gathered in one pass, and read after that.
        by_split = all_activations(task_run, model, probes.layers)[layer]
        features = by_split["strong_train"].at(labels.ids)
        queries = np.concatenate([by_split[split].values for split in SCORED])
        answers = answered_by(features, labels.probabilities, queries, probes.settings)
        parts = np.split(answers, [len(by_split[SCORED[0]].ids)], axis=1)
        tensors = {s: np.ascontiguousarray(p) for s, p in zip(SCORED, parts, strict=True)}
        return lambda folder: save_file(tensors, folder / FILE)

    fields = {
        "model": frozen_settings(model),
        "layer": layer,
        "probe": probes.probe,
        "settings": probes.settings,
    }
    inputs = {
        "weights": fingerprint(model),
        "labels": labels_digest(labels),
        **task_run.item_digests(PREDICTED, model),
    }
    entry = task_run.stage("probe-sweep", fields, inputs, make, (answered_by, loader_of(model)))
    return load_file(entry.path / FILE)
