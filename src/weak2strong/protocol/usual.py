"""What the tasks of a study decide where it says nothing: the models, and how much they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from weak2strong.config.model import READING, ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.protocol.pair import with_pair
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Task


def with_usual(config: StudyConfig, tasks: Sequence[Task]) -> StudyConfig:
    """The study, with what is usual for its tasks where it says nothing of that.

    Args:
        config: the study.
        tasks: those of its tasks that are on this machine.

    Raises:
        UserError: where no pair of models is usual for these tasks (see `with_pair`), or settings
            of models are about texts, and the tasks have none.
    """
    sort = SORTS[tasks[0].inputs if tasks else "text"]
    amount = (sort.epochs, sort.batch_size)
    config = replace(
        config,
        weak_training=config.weak_training.with_amount(*amount),
        strong_training=config.strong_training.with_amount(*amount),
    )
    config = with_pair(config, tasks)
    if not sort.has_words:
        for model in (config.weak, config.strong, *config.supervisors):
            _check_settings(model, sort.title)
    return config


def _check_settings(model: ModelSpec, title: str) -> None:
    """Refuse settings about texts for a model that reads none.

    Raises:
        UserError: for such a setting.
    """
    for field in fields(model):
        value = getattr(model, field.name)
        if field.name in (*READING, "packing") and value != field.default:
            raise UserError(
                f"Model {model.name} reads {title}, and {field.name} is about texts: leave "
                f"{field.name} {value} out."
            )
