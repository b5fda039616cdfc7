"""The ceiling: the strong model, finetuned on ground truth as students are on weak labels."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import Predictions
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import Finetuning, on_truth
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.stages.students import after_step
from weak2strong.protocol.task_run import TaskRun


def ceiling(task_run: TaskRun, seed: int, reading: str | None = None) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of ``strong_train`` (see `ceiling_finetuning`)."""
    return finetune(ceiling_finetuning(task_run, seed, reading))


def ceiling_finetuning(task_run: TaskRun, seed: int, reading: str | None = None) -> Finetuning:
    """How a ceiling learns.

    Args:
        task_run: of the task.
        seed: of the finetuning.
        reading: a step that reads, such as ``generative:epochs=2``: the model then takes that
            step before it is finetuned, as the students do whose method begins with it.
    """
    task_run = at_rates(task_run, "strong")
    config, examples = task_run.config, task_run.splits.strong_train
    model = after_step(task_run, reading, seed) if reading else config.strong
    return on_truth(task_run, model, config.ceiling_training, examples, seed, "ceiling")
