"""Supervisor and ceiling: the two that ground truth finetunes."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions
from weak2strong.methods.reference import settings_in
from weak2strong.models.resolve import usual_rates
from weak2strong.protocol.stages.finetuning import finetune, on_truth
from weak2strong.protocol.stages.frozen import after_reading
from weak2strong.protocol.task_run import TaskRun


def supervisor(
    task_run: TaskRun, seed: int, model: ModelSpec | None = None
) -> Mapping[str, Predictions]:
    """The weak model finetuned on ground truth of ``weak_train``: weak labels, and the floor.

    Another model than the study's is trained alike, at its own usual rates.
    """
    training = task_run.config.weak_training
    if model is not None:
        training = training.at_usual_rates(usual_rates(model))
    model = model or task_run.config.weak
    return finetune(on_truth(task_run, model, training, task_run.splits.weak_train, seed))


def ceiling(task_run: TaskRun, seed: int, reading: str | None = None) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of ``strong_train``.

    Args:
        task run: of the task.
        seed: of the finetuning.
        reading: the step ``generative`` as a method's reference has it: the model then reads
            the texts first, as that method's students do.
    """
    model, training = task_run.config.strong, task_run.config.strong_training
    if reading:
        texts = task_run.splits.items("strong_train")
        model = after_reading(task_run, model, texts, settings_in(reading)["epochs"], seed)
    return finetune(on_truth(task_run, model, training, task_run.splits.strong_train, seed))
