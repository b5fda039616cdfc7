"""What the stages of a study take of a task: operations, seconds, and bytes in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weak2strong.config.training import Training
from weak2strong.engine.sizes import TaskSize
from weak2strong.models.guess import FORWARD, TRAINING, Guessed
from weak2strong.protocol.choice import lattice_of
from weak2strong.protocol.halving import HELD_OUT as SCORED
from weak2strong.protocol.halving import passes
from weak2strong.protocol.stages import HELD_OUT, PREDICTED, is_read_once

ROW_BYTES = 10
"""Bytes on disk of a stored answer besides its probabilities: id, split and all overhead."""


@dataclass(frozen=True)
class Cost:
    """What one stage takes of a task whose sizes are known; None where that is not known.

    Attributes:
        flops: floating-point operations.
        seconds: on this device, as measured.
        stored: bytes of answers or activations.
    """

    flops: Callable[[TaskSize], float | None]
    seconds: Callable[[TaskSize], float | None]
    stored: Callable[[TaskSize], int]


def finetuning_cost(
    model: Guessed,
    training: Training,
    split: str,
    step_seconds: float | None,
    fits: int = 1,
    stored: int = 1,
    aside: bool = False,
) -> Cost:
    """What finetunings take that learn a split.

    Args:
        model: that is finetuned.
        training: its settings.
        split: ``weak_train``, or ``strong_train`` for the ceiling, of which a stopping rule may
            hold out a tenth. "weak labels" for a student, which learns all of ``strong_train``
            and may stop on ``validation``.
        step_seconds: of an optimiser step; None where it was not measured.
        fits: how many finetunings.
        stored: how many times answers are stored.
        aside: whether a tenth is held out in any case, and answered.
    """

    def seconds(task: TaskSize) -> float | None:
        if fits == 0:
            return 0.0
        if step_seconds is None:
            return None
        return (
            fits
            * step_seconds
            * training.steps_on(_learnt_and_held_out(task, split, training, aside)[0])
        )

    def flops(task: TaskSize) -> float | None:
        if model.multiplied is None:
            return None
        return fits * _fit_flops(model, training, task, split, aside)

    return Cost(
        flops,
        seconds,
        lambda task: stored * answer_bytes(task, *PREDICTED),
    )


def search_cost(model: Guessed, training: Training, step_seconds: float | None) -> Cost:
    """What a search for the rates of a model takes; it stores no answers.

    Args:
        model: whose rates are searched.
        training: the settings of its finetunings.
        step_seconds: of an optimiser step; None where it was not measured.
    """

    def tried(task: TaskSize) -> list[int]:
        return passes(
            lattice_of(task.kind, model.adaptation), training, task.together("weak_train") or 0
        )

    def flops(task: TaskSize) -> float | None:
        if model.multiplied is None:
            return None
        tokens = model.multiplied * task.tokens[model.name]
        examples = task.together("weak_train") or 0
        if is_read_once(task.inputs, model):
            return FORWARD * tokens * examples
        if model.adaptation == "head":
            return FORWARD * tokens * examples * len(tried(task))
        of_part = FORWARD * SCORED * examples * len(tried(task))
        return tokens * (TRAINING[model.adaptation or "full"] * sum(tried(task)) + of_part)

    def seconds(task: TaskSize) -> float | None:
        return step_seconds and step_seconds * sum(tried(task)) / training.batch

    return Cost(flops, seconds, lambda task: 0)


def neighbours_cost(model: Guessed, seconds: float | None) -> Cost:
    """What a supervisor of neighbours takes, which reads its own split, too, and learns nothing.

    Args:
        model: that reads.
        seconds: of such a stage; None where none was measured.
    """
    splits = ("weak_train", *PREDICTED)

    def stored(task: TaskSize) -> int:
        states = 0 if model.trunk == 0 else activation_bytes(model, 1, task, splits)
        return states + answer_bytes(task, *PREDICTED)

    return Cost(lambda task: reading_flops(model, task, splits), lambda task: seconds, stored)


def prompting_cost(fits: Cost, model: Guessed, texts: int) -> Cost:
    """What a method takes that reads so many texts for each answer, besides its finetunings."""

    def flops(task: TaskSize) -> float | None:
        once, rest = reading_flops(model, task), fits.flops(task)
        return None if once is None or rest is None else texts * once + rest

    return Cost(flops, lambda task: None, fits.stored)


def _learnt_and_held_out(
    task: TaskSize, split: str, training: Training, aside: bool
) -> tuple[int, int]:
    """How many examples a finetuning learns, and on how many others it stops or is asked aside."""
    if split == "weak labels":
        return task.together("strong_train") or 0, task.together("validation") or 0
    whole = task.together(split) or 0
    held_out = round(HELD_OUT * whole) if training.stopping == "weak-validation" or aside else 0
    return whole - held_out, held_out


def _fit_flops(
    model: Guessed, training: Training, task: TaskSize, split: str, aside: bool
) -> float:
    """Operations of one finetuning, its evaluations, and its answers to every split and aside."""
    learnt, held_out = _learnt_and_held_out(task, split, training, aside)
    steps = training.steps_on(learnt)
    evaluations = len(training.evaluation_steps(steps)) if training.stopping != "none" else 0
    stopped_on = (task.together("validation") or 0) if training.stopping == "oracle" else held_out
    answered = (task.together(*PREDICTED) or 0) + (held_out if aside else 0)
    tokens = (model.multiplied or 0) * task.tokens[model.name]
    if is_read_once(task.inputs, model):
        # What the trunk gives is a stage of its own.
        return 0.0
    if model.adaptation == "head":
        # A frozen trunk reads every text once, whatever the epochs.
        return FORWARD * tokens * (learnt + (stopped_on if evaluations else 0) + answered)
    passed = steps * training.batch
    if training.steps is None:
        passed = training.passes * learnt
    forward = FORWARD * (evaluations * stopped_on + answered)
    return tokens * (TRAINING[model.adaptation or "full"] * passed + forward)


def reading_flops(
    model: Guessed, task: TaskSize, splits: Sequence[str] = PREDICTED
) -> float | None:
    """Operations of reading some splits once, by default every one that is answered."""
    texts = task.together(*splits)
    if model.multiplied is None or texts is None:
        return None
    return FORWARD * model.multiplied * task.tokens[model.name] * texts


def answer_bytes(task: TaskSize, *splits: str) -> int:
    """Bytes of stored answers to some splits."""
    return (task.together(*splits) or 0) * (ROW_BYTES + 8 * task.classes)


def activation_bytes(
    model: Guessed, layers: int, task: TaskSize, splits: Sequence[str] = PREDICTED
) -> int:
    """Bytes of stored activations of some layers; 0 for a model whose width is not known."""
    return layers * 4 * (model.width or 0) * (task.together(*splits) or 0)


def total(values: Sequence[float | None]) -> float | None:
    """The sum of all values; None where one is not known."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
