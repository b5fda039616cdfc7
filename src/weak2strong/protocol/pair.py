"""The pair of models of a study whose tasks have one of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.models.given import is_given
from weak2strong.models.reads import reads
from weak2strong.protocol.choice import ROLES, Role
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Task


def with_pair(config: StudyConfig, tasks: Sequence[Task]) -> StudyConfig:
    """The study, with the pair of its tasks in place of models that it does not name.

    The usual pair of a study reads texts. Where the tasks are no texts, and a model of the study is
    still the usual one, the tasks say which it is: a folder of features has files called weak and
    strong, for instance.

    Raises:
        UserError: where such tasks have no pair, or different ones.
    """
    usual = StudyConfig()
    others = [task for task in tasks if not SORTS[task.inputs].has_words]
    for role in ROLES:
        model: ModelSpec = getattr(config, role)
        if not others or model.name != getattr(usual, role).name:
            continue
        if role == "weak" and config.given_labels:
            # Nobody trains it; the strong one, which comes after it, is as good a name as any.
            continue
        name = _of_tasks(others, role)
        config = replace(config, **{role: replace(model, name=name)})
    if others and config.given_labels and reads(config.weak) != others[0].inputs:
        config = replace(config, weak=config.strong)
    return config


def _of_tasks(tasks: Sequence[Task], role: Role) -> str:
    """The name of the model that tasks have for a role."""
    for task in tasks:
        if not task.pair or not task.pair[ROLES.index(role)]:
            raise UserError(
                f"Task {task.name} is one of {SORTS[task.inputs].title}, and has no {role} model "
                f"of its own: name one with --{role}."
            )
    names = {task.pair[ROLES.index(role)]: task.name for task in tasks}
    if len(names) > 1:
        raise UserError(
            f"The tasks {' and '.join(names.values())} have different models ({', '.join(names)}): "
            f"name one for all with --{role}, or give each a study of its own."
        )
    return next(iter(names))


def check_items(models: Sequence[ModelSpec], tasks: Sequence[Task]) -> None:
    """Refuse files of what models give that lack an item of a task, or have no number for it.

    Raises:
        UserError: for such a file.
    """
    for model in dict.fromkeys(filter(is_given, models)):
        # What holds rows of numbers takes NumPy, which a study of texts need not have by now.
        from weak2strong.models.vectors import vectors_of

        for task in tasks:
            vectors_of(model).check([example.item.id for example in task.load()])
