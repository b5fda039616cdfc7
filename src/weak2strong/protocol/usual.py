"""What the tasks of a study decide where it says nothing: the models, and how much they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from weak2strong.config.study import StudyConfig
from weak2strong.protocol.pair import with_pair
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Task


def with_usual(config: StudyConfig, tasks: Sequence[Task]) -> StudyConfig:
    """The study, with what is usual for its tasks where it says nothing of that.

    Args:
        config: the study.
        tasks: those of its tasks that are on this machine.

    Raises:
        UserError: where no pair of models is usual for these tasks (see `with_pair`).
    """
    sort = SORTS[tasks[0].inputs if tasks else "text"]
    amount = (sort.epochs, sort.batch_size)
    config = replace(
        config,
        weak_training=config.weak_training.with_amount(*amount),
        strong_training=config.strong_training.with_amount(*amount),
    )
    return with_pair(config, tasks)
