"""A supervisor that is not trained: it answers by the nearest examples of its ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions, load_predictions
from weak2strong.models.load import loader_of
from weak2strong.models.resolve import fingerprint
from weak2strong.probes.knn import knn_labels
from weak2strong.protocol.neighbours import check_points
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.stages.files import FILE, writer
from weak2strong.protocol.stages.finetuning import ASIDE, PREDICTED, truth_parts
from weak2strong.protocol.stages.frozen import all_activations, frozen_settings
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.kinds import true_targets

TRUTH = "weak_train"
"""The split whose examples are the neighbours."""


def neighbours(task_run: TaskRun, model: ModelSpec) -> Mapping[str, Predictions]:
    """The stage: shares of the classes among the k nearest examples of ``weak_train``.

    Distances are Euclidean, between the last activations of the frozen model (see
    `weak2strong.probes.knn`). Nothing is drawn, so that seeds with the same splits share the
    answers. Where a temperature is to be fitted, a tenth of ``weak_train`` is no neighbour, and is
    answered as `ASIDE`.

    Raises:
        UserError: where there are fewer examples than neighbours.
    """
    config, task = task_run.config, task_run.task
    aside = config.weak_label_temperature == "fit"
    unstopped = replace(config.weak_training, stopping="none")
    learnt, held_out = truth_parts(task_run, unstopped, task_run.splits.weak_train, aside)
    check_points(task.name, model, len(learnt))
    kind, classes = task.kind, len(task.classes)

    def make(working: Path) -> Write:
        from weak2strong.models.layers import layers_of

        last = layers_of(model)
        states = all_activations(task_run, model, [last], (*PREDICTED, TRUTH))[last]
        points = states[TRUTH].at([e.item.id for e in learnt])
        labels = true_targets(kind, learnt, classes)
        queries = {split: (states[split].ids, states[split].values) for split in PREDICTED}
        if held_out:
            ids = tuple(e.item.id for e in held_out)
            queries[ASIDE] = (ids, states[TRUTH].at(ids))
        return writer(
            {
                split: Predictions(ids, knn_labels(points, labels, values, k=model.k), kind)
                for split, (ids, values) in queries.items()
            }
        )

    fields = {"kind": kind, "classes": classes, "model": frozen_settings(model), "k": model.k}
    inputs = {
        "weights": fingerprint(model),
        "truth": read_digest(learnt, model),
        **task_run.item_digests(PREDICTED, model),
    }
    if held_out:
        inputs[f"asked_{ASIDE}"] = read_digest([e.item for e in held_out], model)
    entry = task_run.stage("neighbours", fields, inputs, make, (loader_of(model),))
    return load_predictions(entry.path / FILE)
