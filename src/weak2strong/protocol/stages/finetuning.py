"""A finetuning of supervisor, ceiling or student: all that decides what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Stopping, Training
from weak2strong.ground.draws import draw_seed
from weak2strong.losses import Loss, loss
from weak2strong.protocol.task_run import TaskRun
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.splits import hold_out
from weak2strong.tasks.task import Example, Item
from weak2strong.training.training_set import TrainingSet

PREDICTED = ("strong_train", "validation", "test")
"""Splits that every finetuned model answers."""

HELD_OUT = 0.1
"""Share of its own ground truth on which a supervisor or ceiling stops."""

ASIDE = "aside"
"""The name in place of a split of what a supervisor answers of its own that it has not learnt."""


def items_of(task_run: TaskRun, splits: Sequence[str]) -> Mapping[str, Sequence[Item]]:
    """The items of some splits, without labels."""
    return {split: task_run.splits.items(split) for split in splits}


@dataclass(frozen=True)
class Finetuning:
    """All that decides the result of a finetuning.

    Attributes:
        task_run: of the task whose splits the model answers.
        model: what is finetuned.
        training: its settings.
        loss: what is minimised.
        train: what the model learns.
        validation: what the stopping rule compares the model's answers with; None without one.
        seed: of the cell.
        role: who is trained. Each role has draws of its own: of the fresh head, the order of
            examples, and dropout.
        aside: further items that the model answers, under the name `ASIDE`.
    """

    task_run: TaskRun
    model: ModelSpec
    training: Training
    loss: Loss
    train: TrainingSet
    validation: TrainingSet | None
    seed: int
    role: str
    aside: tuple[Item, ...] = ()

    @property
    def draws(self) -> int:
        """The seed of all that is drawn at random."""
        return draw_seed(self.seed, self.role)


def truth_parts(
    task_run: TaskRun, training: Training, examples: Sequence[Example], aside: bool = False
) -> tuple[Sequence[Example], Sequence[Example]]:
    """What a model that learns ground truth is trained on, and what is held out of its split.

    The second part is a tenth of the groups where the training stops on it (``weak-validation``) or
    something else needs answers ``aside``, and otherwise nothing.
    The checks on the ceiling learn from the first part, too: they are to be better by what they
    are, and not by more examples.
    """
    if training.stopping == "weak-validation" or aside:
        return hold_out(examples, HELD_OUT, task_run.split_seed)
    return examples, ()


def on_truth(
    task_run: TaskRun,
    model: ModelSpec,
    training: Training,
    examples: Sequence[Example],
    seed: int,
    role: str,
    aside: bool = False,
) -> Finetuning:
    """How a model learns ground truth (see `truth_parts`); ``aside`` it answers what is held out.

    A training that keeps its last weights is not told the ground truth of what is held out; with
    ``oracle`` it stops on that of the validation split.
    """
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    learnt, held_out = truth_parts(task_run, training, examples, aside)
    stopped_on: Mapping[Stopping, Sequence[Example]] = {
        "none": (),
        "weak-validation": held_out,
        "oracle": task_run.splits.validation,
    }
    train, validation = (
        TrainingSet([e.item for e in part], true_targets(kind, part, classes)) if part else None
        for part in (learnt, stopped_on[training.stopping])
    )
    assert train is not None, "a task has examples in every split"
    of, answered = loss("cross-entropy"), tuple(e.item for e in held_out) if aside else ()
    return Finetuning(task_run, model, training, of, train, validation, seed, role, answered)
