"""The strong model, finetuned on a few trusted labels alone: their worth without weak labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from weak2strong.ground.predictions import Predictions
from weak2strong.protocol.stages.finetune import finetune
from weak2strong.protocol.stages.finetuning import on_truth
from weak2strong.protocol.stages.rates import at_rates
from weak2strong.protocol.task_run import TaskRun


def trusted_alone(task_run: TaskRun, seed: int, ids: Sequence[str]) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of some validation examples.

    It takes as many optimiser steps as the ceiling and keeps the last weights: with the epochs of
    the ceiling, ten examples would be learnt in a few steps, which is too short for any model.

    Args:
        task_run: of the task.
        seed: of the finetuning.
        ids: of the examples.
    """
    task_run = at_rates(task_run, "strong")
    config, wanted = task_run.config, set(ids)
    examples = [e for e in task_run.splits.validation if e.item.id in wanted]
    steps = config.ceiling_training.steps_on(len(task_run.splits.strong_train))
    training = replace(config.ceiling_training, steps=steps, stopping="none")
    return finetune(on_truth(task_run, config.strong, training, examples, seed, "trusted"))
