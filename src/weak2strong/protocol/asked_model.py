"""A model that is asked about a task outside of any study: what its frozen states tell."""

from __future__ import annotations

from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.protocol.foreknowledge import (
    LEAST,
    Foreknowledge,
    foreknowledge,
    reader_of,
    sample_of,
)
from weak2strong.tasks.find import find_task
from weak2strong.tasks.splits import make_splits
from weak2strong.tasks.task import Example, Task


def asked_about(model: ModelSpec, reference: str, data: DataOptions | None = None) -> Foreknowledge:
    """What a frozen model knows of a task.

    Args:
        model: of texts.
        reference: of the task, as a study names it.
        data: the options that it is read by.

    Raises:
        UserError: where there is no such task, or nothing can be told of it.
    """
    from weak2strong.models.loaded import best_device

    task = find_task(reference, data or DataOptions())
    sample = sample_of(model, task, make_splits(task).weak_train, best_device().type)
    if not sample:
        raise UserError(
            f"Whether {model.name} knows anything of {task.name} cannot be told: that takes texts "
            f"with classes, or preferences, {LEAST} examples of weak_train at least, and a model "
            "that reads these within seconds."
        )
    return read_and_told(model, task, sample)


def read_and_told(model: ModelSpec, task: Task, sample: list[Example]) -> Foreknowledge:
    """Let a frozen model read a sample, and say what its states tell.

    Args:
        model: that reads.
        task: of the sample.
        sample: see `weak2strong.protocol.foreknowledge.sample_of`.
    """
    from weak2strong.models.layers import layers_of
    from weak2strong.training.activations import pretrained_activations

    reader, last = reader_of(model), layers_of(model)
    items = {"sample": [e.item for e in sample]}
    states = pretrained_activations(
        reader, task.kind, items, [last], on_step=lambda step, steps: None
    )
    return foreknowledge(model, task, sample, states["sample"][last])
