"""What the tasks of a study decide where it says nothing: the models, and how much they learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from weak2strong.config.model import READING, ModelSpec, Unnamed
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError
from weak2strong.protocol.choice import ROLES
from weak2strong.protocol.own_texts import Paired, SplitsOf, with_pair_of_texts
from weak2strong.protocol.pair import with_pair
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Task


def with_usual(
    config: StudyConfig,
    tasks: Sequence[Task],
    splits_of: SplitsOf,
    ask_hub: bool = True,
    away: bool = False,
) -> Paired:
    """The study, with what is usual for its tasks where it says nothing of that.

    Args:
        config: the study.
        tasks: those of its tasks that are on this machine.
        splits_of: gives the splits of a task of the study.
        ask_hub: as in `with_pair_of_texts`.
        away: likewise.

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
    paired = Paired(with_pair(config, tasks))
    if sort.has_words:
        paired = with_pair_of_texts(paired.config, tasks, splits_of, ask_hub, away)
    config = paired.config
    if not sort.has_words:
        for model in (config.weak, config.strong, *config.supervisors):
            _check_settings(model, sort.title)
    for role in ROLES:
        # From here on nobody can tell, nor need to.
        if isinstance(model := getattr(config, role), Unnamed):
            config = replace(config, **{role: model.named()})
    return replace(paired, config=config)


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
