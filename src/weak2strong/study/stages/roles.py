"""Supervisor and ceiling: the two that ground truth finetunes, and the labels of the first."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.errors import UserError
from weak2strong.losses import loss
from weak2strong.methods.reference import settings_in
from weak2strong.models.spec import ModelSpec
from weak2strong.predictions import Predictions, read_weak_labels
from weak2strong.study.desk import Desk
from weak2strong.study.stages.finetuning import PREDICTED, finetune, true_lesson
from weak2strong.study.stages.frozen import after_reading


def supervisor(desk: Desk, seed: int, model: ModelSpec | None = None) -> Mapping[str, Predictions]:
    """The weak model finetuned on ground truth of ``weak_train``: weak labels, and the floor.

    Another model than the study's is trained alike, at its own usual rates.
    """
    lesson = true_lesson(desk, desk.splits.weak_train)
    training = desk.config.weak_training
    if model is not None:
        training = training.at_usual_rates(model.rates)
    model = model or desk.config.weak
    return finetune(desk, model, training, loss("cross-entropy"), lesson, seed)


def weak_labels(desk: Desk, seed: int) -> Mapping[str, Predictions]:
    """The supervisor's predictions, or the user's own from a file, by split."""
    path = desk.config.weak_labels
    if path is None:
        return supervisor(desk, seed)
    given = read_weak_labels(path, len(desk.task.classes), desk.task.kind)
    found = {}
    for split in PREDICTED:
        ids = tuple(item.id for item in desk.splits.items(split))
        try:
            found[split] = given.only(ids)
        except UserError as e:
            raise UserError(
                f"Weak labels {path}, split {split} of {desk.task.name}: {e} "
                f"`w2s export {desk.reference}` with the same flags writes the ids to be labelled "
                "(the labels of the test split give the floor)."
            ) from e
    return found


def ceiling(desk: Desk, seed: int, reading: str | None = None) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of ``strong_train``.

    Args:
        desk: of the task.
        seed: of the finetuning.
        reading: the step ``generative`` as a method's reference has it: the model then reads
            the texts first, as that method's students do.
    """
    model, lesson = desk.config.strong, true_lesson(desk, desk.splits.strong_train)
    if reading:
        texts = desk.splits.items("strong_train")
        model = after_reading(desk, model, texts, settings_in(reading)["epochs"], seed)
    return finetune(desk, model, desk.config.strong_training, loss("cross-entropy"), lesson, seed)
