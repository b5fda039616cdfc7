"""The supervisor: the weak model, finetuned on ground truth, or with it as neighbours."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import Predictions
from weak2strong.models.rates import usual_rates
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import Finetuning, on_truth
from weak2strong.protocol.stages.neighbours import neighbours
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.task_run import TaskRun


def supervisor(
    task_run: TaskRun, seed: int, model: ModelSpec | None = None
) -> Mapping[str, Predictions]:
    """The weak model finetuned on ground truth of ``weak_train``, or as its adaptation says with
    that as neighbours: weak labels, and the floor."""
    if not (chosen := model or task_run.config.weak).is_trained:
        return neighbours(task_run, chosen)
    return finetune(supervisor_finetuning(task_run, seed, model))


def supervisor_finetuning(
    task_run: TaskRun, seed: int, model: ModelSpec | None = None
) -> Finetuning:
    """How a supervisor learns.

    Another model than the study's is trained alike, at its own usual rates. Where a temperature is
    to be fitted, there are answers `ASIDE`, too: of the tenth that the supervisor does not learn.
    """
    task_run = at_rates(task_run, "weak")
    training = task_run.config.weak_training
    if model is not None:
        training = training.at_usual_rates(usual_rates(model))
    model = model or task_run.config.weak
    examples = task_run.splits.weak_train
    aside = task_run.config.weak_label_temperature == "fit"
    return on_truth(task_run, model, training, examples, seed, "supervisor", aside)
