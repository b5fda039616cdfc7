"""How a model of each kind of task is finetuned, and how it answers afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from weak2strong.config.training import Training
from weak2strong.ground.metrics import metric
from weak2strong.ground.predictions import Predictions
from weak2strong.protocol.stages.finetuning import Finetuning
from weak2strong.tasks.task import Item, Kind

if TYPE_CHECKING:
    from weak2strong.models.load import LoadedModel
    from weak2strong.training.fit import Fit, OnEvaluation

Answer = Callable[[Sequence[Item]], Predictions]
"""How a finetuned model answers items."""


def found_by_name(kind: Kind, training: Training) -> tuple[Callable, ...]:
    """For keys of stages that finetune among other things: what `finetune` finds by the kind of a
    task, and by the name of a metric."""
    return LEARNERS[kind], metric(kind, training.stopping_metric)


def fitted(
    finetuning: Finetuning,
    working: Path,
    items: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
) -> tuple[LoadedModel, Fit]:
    """A finetuned model with a head, ready to answer.

    At every evaluation of the training it answers ``items``, and ``on_evaluation`` is told.
    """
    from weak2strong.models.load import load_model
    from weak2strong.training.fit import fit

    task_run = finetuning.task_run
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    model = load_model(finetuning.model, kind, classes, finetuning.draws)
    result = fit(
        model,
        finetuning.train,
        finetuning.loss,
        finetuning.training,
        finetuning.draws,
        finetuning.validation,
        evaluated=items,
        on_evaluation=on_evaluation,
        on_step=task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
    )
    task_run.note = result.note
    model.freeze()
    return model, result


def _with_head(finetuning: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a finetuned model with a head answers."""
    from weak2strong.training.predict import predict

    model, result = fitted(finetuning, working)
    return partial(predict, model), result


def _in_words(finetuning: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a finetuned language model answers."""
    from weak2strong.models.language import load_language_model
    from weak2strong.training.writing import fit_writing

    model = load_language_model(finetuning.model, finetuning.draws)
    writing, result = fit_writing(
        model,
        finetuning.train,
        finetuning.training,
        finetuning.draws,
        finetuning.validation,
        on_step=finetuning.task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
    )
    finetuning.task_run.note = result.note
    model.freeze()
    return writing.answers, result


LEARNERS: dict[Kind, Callable[[Finetuning, Path], tuple[Answer, Fit]]] = {
    "classification": _with_head,
    "preference": _with_head,
    "generation": _in_words,
}
