"""What a study must be for its supervisor to answer by its neighbours (adaptation knn)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.ground.errors import UserError

USUAL = next(f.default for f in fields(ModelSpec) if f.name == "k")


def supervisors_of(config: StudyConfig) -> tuple[ModelSpec, ...]:
    """The supervisor of a study, and its further ones."""
    return (config.weak, *config.supervisors)


def check_roles(config: StudyConfig, between: Sequence[ModelSpec]) -> None:
    """Refuse neighbours for models that are trained, and a number of them where there are none.

    Args:
        config: the study.
        between: its intermediates.

    Raises:
        UserError: for such a model.
    """
    for model in (config.strong, *between):
        if not model.is_trained:
            raise UserError(
                f"Model {model.name}: a supervisor alone can have the adaptation knn; for a "
                "student that answers by its neighbours take the method probe-predict:knn."
            )
    for model in supervisors_of(config):
        if model.is_trained and model.k != USUAL:
            raise UserError(
                f"Model {model.name}: k is how many neighbours a supervisor looks at whose "
                "adaptation is knn: add --weak-adaptation knn, or leave --weak-k out."
            )


def check_points(task: str, model: ModelSpec, points: int) -> None:
    """Refuse more neighbours than there are examples.

    Args:
        task: its name.
        model: a supervisor.
        points: examples of ``weak_train`` that can be neighbours.

    Raises:
        UserError: with both numbers.
    """
    if not model.is_trained and model.k > points:
        raise UserError(
            f"Task {task}: the supervisor looks for {model.k} neighbours among {points} examples "
            "of weak_train: choose a smaller number (--weak-k), or take more examples."
        )
