"""Weak labels from any source, and the students' task run that goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import Predictions, joined
from weak2strong.ground.temperature import at_temperature, fitted_temperature
from weak2strong.ground.weak_labels import read_weak_labels
from weak2strong.protocol.stages.annotated import annotated_labels
from weak2strong.protocol.stages.finetuning import ASIDE, PREDICTED
from weak2strong.protocol.stages.simulated import simulated_labels
from weak2strong.protocol.stages.supervisor import supervisor
from weak2strong.protocol.task_run import TaskRun
from weak2strong.simulators import SIMULATORS
from weak2strong.simulators.hints import with_hints
from weak2strong.tasks.kinds import hardened
from weak2strong.tasks.splits import Splits
from weak2strong.tasks.task import Task


def weak_labels(task_run: TaskRun, seed: int) -> Mapping[str, Predictions]:
    """Weak labels by split: a supervisor's, simulated ones, annotators', or those of a file."""
    if task_run.config.weak_labels is not None:
        return labels_in_file(
            task_run.config.weak_labels, task_run.reference, task_run.task, task_run.splits
        )
    if task_run.config.simulated is not None:
        return simulated_labels(task_run, seed)
    if task_run.config.data.weak_label_columns:
        return annotated_labels(task_run)
    return supervisor(task_run, seed)


def student_labels(task_run: TaskRun, labels: Mapping[str, Predictions]) -> Predictions:
    """The weak labels that a student learns from and stops on, by the study's settings.

    They are hard ones, or at another temperature, where the study says so.
    """
    both = joined(labels["strong_train"], labels["validation"])
    if task_run.config.labels == "hard":
        return replace(both, values=hardened(task_run.task.kind, both.values))
    temperature = temperature_of(task_run, labels)
    if temperature is None:
        return both
    return replace(both, values=at_temperature(both.probabilities, temperature))


def temperature_of(task_run: TaskRun, labels: Mapping[str, Predictions]) -> float | None:
    """The temperature of the labels of one supervisor; None where the study sets none.

    Args:
        task_run: of the task.
        labels: of the supervisor, by split.

    Raises:
        UserError: where there is no ground truth that the supervisor has not learnt.
    """
    temperature = task_run.config.weak_label_temperature
    if temperature != "fit":
        return temperature
    if ASIDE not in labels:
        raise UserError(
            f"Task {task_run.task.name}: all of weak_train is one group, so that no ground truth "
            "can be held out to fit a temperature on: give a number (--weak-label-temperature)."
        )
    answers = labels[ASIDE]
    truth = {e.item.id: int(e.label) for e in task_run.splits.weak_train}
    return fitted_temperature(answers.probabilities, np.array([truth[id] for id in answers.ids]))


def student_task_run(task_run: TaskRun, labels: Mapping[str, Predictions]) -> TaskRun:
    """The task run for students: where their texts end in the weak labels, with these texts."""
    kind = task_run.config.simulated
    if kind is None or not SIMULATORS.get(kind).hints:
        return task_run
    hinted = {}
    for split in PREDICTED:
        examples = task_run.splits.examples(split)
        classes = labels[split].at([e.item.id for e in examples]).argmax(axis=1).tolist()
        names = task_run.task.classes
        hinted[split] = with_hints(task_run.task.kind, examples, classes, names)
    # The list of used stages stays the same one; digests of other texts are others.
    return replace(task_run, splits=replace(task_run.splits, **hinted), _digests={})


def labels_in_file(
    path: Path, reference: str, task: Task, splits: Splits
) -> Mapping[str, Predictions]:
    """The user's own weak labels by split.

    Args:
        path: of the file.
        reference: of the task, as the user wrote it.
        task: that is labelled.
        splits: of the task.

    Raises:
        UserError: for a file that cannot be read, or that lacks labels of examples.
    """
    labels = read_weak_labels(path, len(task.classes), task.kind)
    by_split = {}
    for split in PREDICTED:
        ids = tuple(item.id for item in splits.items(split))
        try:
            by_split[split] = labels.only(ids)
        except UserError as e:
            raise UserError(
                f"Weak labels {path}, split {split} of {task.name}: {e} "
                f"`w2s export {reference}` with the same flags writes the ids to be "
                "labelled (the labels of the test split give the floor)."
            ) from e
    return by_split
