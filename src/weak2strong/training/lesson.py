"""A finetuning from the model's files to what is asked of the trained model, by one process or
several that hold the model together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.errors import DivergedError
from weak2strong.ground.predictions import Predictions
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.loaded import LoadedModel
from weak2strong.models.ranks import ALONE, Ranks
from weak2strong.models.stored_states import StoredStates
from weak2strong.tasks.task import Item, Kind
from weak2strong.training.fit import OnEvaluation, fit
from weak2strong.training.loss import Loss
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.record import Fit
from weak2strong.training.training_set import TrainingSet
from weak2strong.training.writing import Writer, fit_writing, target_probabilities

Asked = TypeVar("Asked")

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Lesson:
    """What a model learns, and how.

    Attributes:
        model: what is finetuned.
        kind: of the task.
        classes: how many it has.
        train: what the model learns.
        loss: what is minimised; answers in words are learnt by their cross-entropy.
        training: settings.
        draws: the seed of all that is drawn at random.
        validation: what the stopping rule compares the model's answers with, if there is one.
        checkpoint: a file, by which the training goes on after a break.
        states: what the frozen trunk of a model of images gave before, if that is kept: it does not
            pass these images again.
    """

    model: ModelSpec
    kind: Kind
    classes: int
    train: TrainingSet
    loss: Loss
    training: Training
    draws: int
    validation: TrainingSet | None
    checkpoint: Path
    states: StoredStates | None = None


def with_head(
    lesson: Lesson,
    ask: Callable[[LoadedModel], Asked],
    evaluated: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
    *,
    on_step: OnStep,
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> tuple[Asked, Fit]:
    """Finetune a model with a head, and ask it something.

    Args:
        lesson: what it learns.
        ask: what is asked of the trained model.
        evaluated: items that it answers at every evaluation, by split.
        on_evaluation: receives these answers.
        on_step: called with steps done and steps in all.
        ranks: the processes that hold the model together.
        token_budget: padded tokens of a micro-batch; by default as many as fit into memory.
    """
    model = load_model(lesson.model, lesson.kind, lesson.classes, lesson.draws, ranks)
    if lesson.states is not None:
        # Readers of images have a place for them.
        reader = replace(model.reader, stored=lesson.states)  # pyright: ignore
        model = replace(model, reader=reader)
    result = fit(
        model,
        lesson.train,
        lesson.loss,
        lesson.training,
        lesson.draws,
        lesson.validation,
        token_budget,
        evaluated,
        on_evaluation if ranks.rank == 0 else _unheard,
        on_step=on_step,
        checkpoint=lesson.checkpoint,
    )
    return ask(model), result


def in_words(
    lesson: Lesson,
    ask: Callable[[Writer], Asked],
    evaluated: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
    *,
    on_step: OnStep,
    ranks: Ranks = ALONE,
    token_budget: int | None = None,
) -> tuple[Asked, Fit]:
    """Finetune a language model to answer in words, and ask it something; see `with_head`."""
    model = load_language_model(lesson.model, lesson.draws, ranks)
    writer, result = fit_writing(
        model,
        lesson.train,
        lesson.training,
        lesson.draws,
        lesson.validation,
        token_budget,
        evaluated,
        on_evaluation if ranks.rank == 0 else _unheard,
        on_step=on_step,
        checkpoint=lesson.checkpoint,
    )
    return ask(writer), result


def _unheard(fraction: float, answers: Mapping[str, Predictions]) -> None:
    """What is done with the evaluations of a rank that is not the first."""


def answers(items: Mapping[str, Sequence[Item]], model: LoadedModel) -> Mapping[str, Predictions]:
    """To ask a model with a head: its answers by split, now that its training is over.

    Raises:
        DivergedError: where they are not finite.
    """
    model.freeze()
    found = {split: predict(model, of_split) for split, of_split in items.items()}
    for split, of_split in found.items():
        if not np.isfinite(of_split.values).all():
            raise DivergedError(f"after its last step, answers to {split} are no finite numbers")
    return found


def written(items: Mapping[str, Sequence[Item]], writer: Writer) -> Mapping[str, Predictions]:
    """To ask a language model: what it writes by split, now that its training is over."""
    writer.model.freeze()
    return {split: writer.answers(of_split) for split, of_split in items.items()}


def states(items: Mapping[str, Sequence[Item]], model: LoadedModel) -> Mapping[str, np.ndarray]:
    """To ask a model with a head: what the head reads of items by split (see
    `pooled_activations`)."""
    model.freeze()
    return {split: pooled_activations(model, of_split) for split, of_split in items.items()}


def probabilities(items: Sequence[Item], targets: Sequence[str], writer: Writer) -> np.ndarray:
    """To ask a language model: how probable targets are (see `target_probabilities`)."""
    return target_probabilities(writer.model, items, targets)
