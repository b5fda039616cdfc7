"""Prompting: ask the pretrained student in words, and compare the probabilities of answers."""

from __future__ import annotations

from collections.abc import Mapping

from weak2strong.ground.predictions import Predictions
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import Context
from weak2strong.tasks.task import Item

_SOURCE = "Burns et al. 2023, section 5.2.1"


@method(
    "zero-shot",
    "asks the pretrained student in words",
    _SOURCE,
    needs=("decoder",),
    kinds=("classification",),
    trait="zero-shot",
)
def zero_shot(
    context: Context, *, calibrate: bool = False, template: str | None = None
) -> Mapping[str, Predictions]:
    """The question alone: the student answers from its pretraining."""
    return context.prompted([[]], calibrate=calibrate, template=template)


@method(
    "few-shot",
    "asks it after 5 examples with ground truth, 3 draws averaged",
    _SOURCE,
    needs=("truth", "decoder"),
    kinds=("classification",),
    trait="few-shot",
)
def few_shot(
    context: Context,
    *,
    k: int = 5,
    draws: int = 3,
    calibrate: bool = False,
    template: str | None = None,
) -> Mapping[str, Predictions]:
    """Before the question, k examples of ``weak_train`` with their true answers."""
    shots = _shots(context, context.items("weak_train"), context.truth("weak_train"), k, draws)
    return context.prompted(shots, calibrate=calibrate, template=template)


@method(
    "few-shot-weak",
    "asks it after 5 examples with weak labels, 3 draws averaged",
    _SOURCE,
    needs=("decoder",),
    kinds=("classification",),
)
def few_shot_weak(
    context: Context,
    *,
    k: int = 5,
    draws: int = 3,
    calibrate: bool = False,
    template: str | None = None,
) -> Mapping[str, Predictions]:
    """Before the question, k examples of ``strong_train`` with the supervisor's answers."""
    items = context.items("strong_train")
    shots = _shots(context, items, labels_of(context, "strong_train"), k, draws)
    return context.prompted(shots, calibrate=calibrate, template=template)


def _shots(
    context: Context, items: tuple[Item, ...], labels: Predictions, k: int, draws: int
) -> list[list[tuple[Item, int]]]:
    """Several random draws of k examples, each example with its most probable class."""
    from weak2strong.training.prompting import draw_shots

    ids, groups = [item.id for item in items], [item.group for item in items]
    targets = labels.at(ids)
    answers = targets.argmax(axis=1).tolist()
    shots = []
    for draw in range(draws):
        positions = draw_shots(ids, targets, k, seed=1000 * context.seed + draw, groups=groups)
        shots.append([(items[i], answers[i]) for i in positions])
    return shots
