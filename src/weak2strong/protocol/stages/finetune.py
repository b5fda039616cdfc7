"""The stage beneath supervisor, ceiling and students: fit one model, let it answer each split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions
from weak2strong.losses import loss
from weak2strong.protocol.learned import Learned, Spread, ends, entropies
from weak2strong.protocol.stages.files import (
    CURVE,
    FILE,
    STATES,
    TRACE,
    write_fit,
    writer,
)
from weak2strong.protocol.stages.finetuning import PREDICTED, Finetuning, items_of
from weak2strong.protocol.stages.fitted import answered_items, fitted
from weak2strong.protocol.stages.keeping import copied, keeps, kept
from weak2strong.protocol.stages.learners import FOLLOWERS, LEARNERS, asked
from weak2strong.protocol.task_run import Write

TRACED = ("validation", "test")
"""Splits that a traced finetuning answers at every evaluation."""

LAST = -1
"""The layer number under which activations of a finetuned model are stored: its last layer."""


@dataclass(frozen=True)
class Trace:
    """What a training gave on its way, by evaluation.

    Attributes:
        fractions: shares of training done.
        losses: means since the evaluation before.
        evaluations: answers for `TRACED` by split.
    """

    fractions: tuple[float, ...]
    losses: tuple[float, ...]
    evaluations: tuple[Mapping[str, Predictions], ...]


def finetune(finetuning: Finetuning) -> Mapping[str, Predictions]:
    """The stage: fit, then answer every split of `PREDICTED`, and `ASIDE` where that is asked for.

    Raises:
        UserError: for a loss that cannot be computed for this kind of task.
    """
    task, items = finetuning.task_run.task, answered_items(finetuning)
    if task.kind in WRITTEN and finetuning.loss != loss("cross-entropy"):
        raise UserError(
            f"The loss {type(finetuning.loss).__name__} needs probabilities of classes, and task "
            f"{task.name} is answered in words: finetune with cross-entropy."
        )

    learn = LEARNERS[task.kind]

    def make(working: Path) -> Write:
        if keeps(finetuning):
            return copied(kept(finetuning))
        answers, fit = learn(finetuning, working, items)

        def write(folder: Path) -> None:
            writer(answers)(folder)
            write_fit(fit, folder)

        return write

    folder = fitted("finetune", finetuning, make)
    answers = load_predictions(folder / FILE)
    finetuning.task_run.learned.append(_learned(finetuning, folder, answers))
    return answers


def _learned(finetuning: Finetuning, folder: Path, answers: Mapping[str, Predictions]) -> Learned:
    """What a finetuning took up of its labels, from its stage."""
    import polars as pl

    losses = pl.read_parquet(folder / CURVE)["loss"].to_list()
    kept = json.loads((folder / TRACE).read_text())["kept"]
    targets, training = finetuning.train.targets, finetuning.training
    in_words = finetuning.task_run.task.kind in WRITTEN
    guessing, least = (None, None) if in_words else entropies(targets)
    # Where a head alone is trained, nothing learns at a rate of the trunk.
    trunk = None if finetuning.model.adaptation == "head" else training.learning_rate
    first, last = ends(losses, kept)
    return Learned(
        task=finetuning.task_run.task.name,
        role=finetuning.role,
        method=None,
        model=finetuning.model.name,
        seed=finetuning.seed,
        loss=type(finetuning.loss).__name__,
        rates=(trunk,) + (() if in_words else (training.head_rate,)),
        steps=len(losses),
        first=first,
        last=last,
        guessing=guessing,
        least=least,
        labels=None if in_words else Spread.of(targets),
        answers=None if in_words else Spread.of(answers["strong_train"].values),
    )


def traced(finetuning: Finetuning) -> Trace:
    """The stage of the same training, made once more, with the answers at every evaluation."""
    items, follow = items_of(finetuning.task_run, TRACED), FOLLOWERS[finetuning.task_run.task.kind]

    def make(working: Path) -> Write:
        fit = follow(finetuning, working, items, partial(_keep_evaluation, working))

        def write(folder: Path) -> None:
            for point in fit.trace:
                file = _evaluation_file(point.fraction)
                shutil.copyfile(working / file, folder / file)
            write_fit(fit, folder)

        return write

    folder = fitted("traced", finetuning, make)
    points = json.loads((folder / TRACE).read_text())["trace"]
    fractions = tuple(point["fraction"] for point in points)
    evaluations = tuple(
        load_predictions(folder / _evaluation_file(fraction)) for fraction in fractions
    )
    return Trace(fractions, tuple(point["loss"] for point in points), evaluations)


def _keep_evaluation(working: Path, fraction: float, answers: Mapping[str, Predictions]) -> None:
    """Write the answers of an evaluation into a folder that outlives a kill."""
    writer(answers, _evaluation_file(fraction))(working)


def _evaluation_file(fraction: float) -> str:
    return f"look-{fraction:.9f}.parquet"


def finetuned_activations(finetuning: Finetuning) -> Mapping[str, Activations]:
    """The stage of the same training, made once more, with what the head reads of every text.

    Weights are not kept, so this is a fit of its own.
    """
    items = items_of(finetuning.task_run, PREDICTED)

    def make(working: Path) -> Write:
        from weak2strong.training.lesson import states

        values, _ = asked(finetuning, working, partial(states, items))
        by_split = {
            split: Activations(tuple(i.id for i in items[split]), of_split)
            for split, of_split in values.items()
        }
        return lambda folder: save_activations(folder / STATES, {LAST: by_split})

    return load_activations(fitted("finetuned-activations", finetuning, make) / STATES)[LAST]
