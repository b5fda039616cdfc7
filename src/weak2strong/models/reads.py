"""What a model reads, by its name alone: texts, images, or the ids of rows of features."""

from __future__ import annotations

from pathlib import PurePath

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Inputs

OF_VECTORS = (".safetensors", ".npy", ".parquet")
"""Endings of files that hold a vector by id."""


def reads(spec: ModelSpec) -> Inputs:
    """What a model reads; its files are not looked at where the name tells it."""
    if PurePath(spec.name).suffix in OF_VECTORS:
        return "features"
    return "text"


def is_given(spec: ModelSpec) -> bool:
    """Whether a model is no more than a file of what it gives of each item."""
    return SORTS[reads(spec)].are_given


def check_reads(spec: ModelSpec, task: str, inputs: Inputs) -> None:
    """Refuse a model that does not read what a task consists of.

    Raises:
        UserError: for such a model.
    """
    if (found := reads(spec)) != inputs:
        of_task = SORTS[inputs].title
        raise UserError(
            f"Model {spec.name} reads {SORTS[found].title}, and task {task} is one of {of_task}: "
            f"choose a model that reads {of_task} (--weak, --strong)."
        )
