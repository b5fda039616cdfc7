"""Prompting: ask the pretrained student in words, and compare the probabilities of answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from weak2strong.ground.errors import UserError, unknown_name
from weak2strong.ground.predictions import WRITTEN, Predictions
from weak2strong.methods.decorators import method
from weak2strong.methods.labels import labels_of
from weak2strong.methods.method import Context, Given
from weak2strong.tasks.prompt import FORMS, PLAIN
from weak2strong.tasks.task import Item

_SOURCE = "Burns et al. 2023, section 5.2.1"

KINDS = ("classification", "preference", "generation")


def _check_form(form: str = PLAIN, **others: Any) -> None:
    """Refuse a form of prompts that nobody knows."""
    if form not in FORMS:
        raise unknown_name("form of prompts", form, FORMS)


def _check_shots(given: Given, split: str, k: int = 5, **others: Any) -> None:
    """Refuse more shots than there are groups, of each of which one example is shown."""
    groups = len({item.group for item in given.items(split)})
    if k > groups:
        raise UserError(
            f"There are only {groups} examples of different groups to show, not {k}: ask for fewer "
            "shots."
        )


@method(
    "zero-shot",
    "asks the pretrained student in words",
    _SOURCE,
    needs=("decoder",),
    kinds=KINDS,
    check_settings=_check_form,
    trait="zero-shot",
    uses=("student",),
)
def zero_shot(
    context: Context,
    *,
    calibrate: bool = False,
    template: str | None = None,
    form: str = PLAIN,
    system: str | None = None,
) -> Mapping[str, Predictions]:
    """The question alone: the student answers from its pretraining."""
    _check(context, calibrate, template, form, system)
    return context.prompted([[]], calibrate=calibrate, template=template, form=form, system=system)


@method(
    "few-shot",
    "asks it after 5 examples with ground truth, 3 draws averaged",
    _SOURCE,
    needs=("truth", "decoder"),
    kinds=KINDS,
    check_settings=_check_form,
    check_given=partial(_check_shots, split="weak_train"),
    trait="few-shot",
    uses=("student",),
)
def few_shot(
    context: Context,
    *,
    k: int = 5,
    draws: int = 3,
    calibrate: bool = False,
    template: str | None = None,
    form: str = PLAIN,
    system: str | None = None,
) -> Mapping[str, Predictions]:
    """Before the question, k examples of ``weak_train`` with their true answers.

    ``form=headed`` writes questions and answers of a generation beneath headings, after a
    text that says what is asked (``system``, or one of ours): with k=3 and draws=1 it
    is the form of prompts of Lin et al. 2023, "The Unlocking Spell on Base LLMs", section 3.
    """
    _check(context, calibrate, template, form, system)
    shots = _shots(context, context.items("weak_train"), context.truth("weak_train"), k, draws)
    return context.prompted(shots, calibrate=calibrate, template=template, form=form, system=system)


@method(
    "few-shot-weak",
    "asks it after 5 examples with weak labels, 3 draws averaged",
    _SOURCE,
    needs=("decoder",),
    kinds=KINDS,
    check_settings=_check_form,
    check_given=partial(_check_shots, split="strong_train"),
    uses=("labels", "student"),
)
def few_shot_weak(
    context: Context,
    *,
    k: int = 5,
    draws: int = 3,
    calibrate: bool = False,
    template: str | None = None,
    form: str = PLAIN,
    system: str | None = None,
) -> Mapping[str, Predictions]:
    """Before the question, k examples of ``strong_train`` with the supervisor's answers."""
    _check(context, calibrate, template, form, system)
    items = context.items("strong_train")
    shots = _shots(context, items, labels_of(context, "strong_train"), k, draws)
    return context.prompted(shots, calibrate=calibrate, template=template, form=form, system=system)


def _check(
    context: Context, calibrate: bool, template: str | None, form: str, system: str | None
) -> None:
    """Refuse settings that are for another kind of task."""
    if context.weak_labels.kind in WRITTEN:
        if calibrate or template is not None:
            raise UserError(
                "calibrate and template are for answers to choose from, and this task is answered "
                "in words: leave them out."
            )
    elif form != PLAIN or system is not None:
        raise UserError(
            "form and system are for tasks that are answered in words: write a template, or leave "
            "them out."
        )


def _shots(
    context: Context, items: tuple[Item, ...], labels: Predictions, k: int, draws: int
) -> list[list[tuple[Item, Any]]]:
    """Several random draws of k examples, each with its most probable class, or its text."""
    from weak2strong.training.prompting import draw_shots

    ids, groups = [item.id for item in items], [item.group for item in items]
    targets = labels.at(ids)
    in_words = labels.kind in WRITTEN
    answers = targets.tolist() if in_words else targets.argmax(axis=1).tolist()
    # Texts are no classes, of which as many as possible would be drawn.
    strata = np.zeros((len(ids), 1)) if in_words else targets
    shots = []
    for draw in range(draws):
        positions = draw_shots(ids, strata, k, seed=1000 * context.seed + draw, groups=groups)
        shots.append([(items[i], answers[i]) for i in positions])
    return shots
