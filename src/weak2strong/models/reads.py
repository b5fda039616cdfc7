"""What a model reads: texts, images, or the ids of rows of features."""

from __future__ import annotations

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.given import is_given
from weak2strong.models.image_types import is_known, reads_images
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Inputs


def reads(spec: ModelSpec) -> Inputs:
    """What a model reads; its files are not looked at where the name tells it."""
    if is_given(spec):
        return "features"
    return "images" if reads_images(spec) else "text"


def reads_words(spec: ModelSpec) -> bool:
    """Whether what a model reads is words."""
    return SORTS[reads(spec)].has_words


def check_reads(
    spec: ModelSpec, task: str, inputs: Inputs, flags: str = "--weak, --strong"
) -> None:
    """Refuse a model that does not read what a task consists of, if its files are here to tell it.

    Args:
        spec: the model.
        task: the name of the task.
        inputs: what its items are.
        flags: by which models are named.

    Raises:
        UserError: for such a model.
    """
    if not is_given(spec) and not is_known(spec):
        return
    if (found := reads(spec)) != inputs:
        of_task = SORTS[inputs].title
        raise UserError(
            f"Model {spec.name} reads {SORTS[found].title}, and task {task} is one of {of_task}: "
            f"choose a model that reads {of_task} ({flags})."
        )
