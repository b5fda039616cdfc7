"""Supervisor and ceiling: the two that ground truth finetunes."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.methods.reference import settings_in
from weak2strong.models.spec import ModelSpec
from weak2strong.predictions import Predictions
from weak2strong.study.desk import Desk
from weak2strong.study.stages.finetuning import finetune, on_truth
from weak2strong.study.stages.frozen import after_reading


def supervisor(desk: Desk, seed: int, model: ModelSpec | None = None) -> Mapping[str, Predictions]:
    """The weak model finetuned on ground truth of ``weak_train``: weak labels, and the floor.

    Another model than the study's is trained alike, at its own usual rates.
    """
    training = desk.config.weak_training
    if model is not None:
        training = training.at_usual_rates(model.rates)
    model = model or desk.config.weak
    return finetune(on_truth(desk, model, training, desk.splits.weak_train, seed))


def ceiling(desk: Desk, seed: int, reading: str | None = None) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of ``strong_train``.

    Args:
        desk: of the task.
        seed: of the finetuning.
        reading: the step ``generative`` as a method's reference has it: the model then reads
            the texts first, as that method's students do.
    """
    model, training = desk.config.strong, desk.config.strong_training
    if reading:
        texts = desk.splits.items("strong_train")
        model = after_reading(desk, model, texts, settings_in(reading)["epochs"], seed)
    return finetune(on_truth(desk, model, training, desk.splits.strong_train, seed))
