"""The stage beneath supervisor, ceiling and students: fit one model, let it answer each split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.metrics import metric
from weak2strong.ground.plugins import digest_of
from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions
from weak2strong.losses import loss
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.learned import Learned, Spread, ends, entropies
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.stages.files import (
    CURVE,
    FILE,
    STATES,
    TRACE,
    array_digest,
    write_fit,
    writer,
)
from weak2strong.protocol.stages.finetuning import ASIDE, PREDICTED, Finetuning
from weak2strong.protocol.stages.learners import LEARNERS, asked, gpus_of
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.task import Item

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
    task, items = finetuning.task_run.task, items_of(finetuning.task_run, PREDICTED)
    if finetuning.aside:
        items = {**items, ASIDE: finetuning.aside}
    if task.kind in WRITTEN and finetuning.loss != loss("cross-entropy"):
        raise UserError(
            f"The loss {type(finetuning.loss).__name__} needs probabilities of classes, and task "
            f"{task.name} is answered in words: finetune with cross-entropy."
        )

    learn = LEARNERS[task.kind]

    def make(working: Path) -> Write:
        answers, fit = learn(finetuning, working, items)

        def write(folder: Path) -> None:
            writer(answers)(folder)
            write_fit(fit, folder)

        return write

    folder = _stage("finetune", finetuning, make)
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
    first, last = ends(losses, kept)
    return Learned(
        task=finetuning.task_run.task.name,
        role=finetuning.role,
        method=None,
        model=finetuning.model.name,
        seed=finetuning.seed,
        loss=type(finetuning.loss).__name__,
        rates=(training.learning_rate,) + (() if in_words else (training.head_rate,)),
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
    items = items_of(finetuning.task_run, TRACED)

    def make(working: Path) -> Write:
        keep = partial(_keep_evaluation, working)
        _, fit = asked(finetuning, working, _nothing, items, keep)

        def write(folder: Path) -> None:
            for point in fit.trace:
                file = _evaluation_file(point.fraction)
                shutil.copyfile(working / file, folder / file)
            write_fit(fit, folder)

        return write

    folder = _stage("traced", finetuning, make)
    points = json.loads((folder / TRACE).read_text())["trace"]
    fractions = tuple(point["fraction"] for point in points)
    evaluations = tuple(
        load_predictions(folder / _evaluation_file(fraction)) for fraction in fractions
    )
    return Trace(fractions, tuple(point["loss"] for point in points), evaluations)


def _keep_evaluation(working: Path, fraction: float, answers: Mapping[str, Predictions]) -> None:
    """Write the answers of an evaluation into a folder that outlives a kill."""
    writer(answers, _evaluation_file(fraction))(working)


def _nothing(model: object) -> None:
    """To ask a trained model: nothing."""


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

    return load_activations(_stage("finetuned-activations", finetuning, make) / STATES)[LAST]


def items_of(task_run: TaskRun, splits: Sequence[str]) -> Mapping[str, Sequence[Item]]:
    """The items of some splits, without labels."""
    return {split: task_run.splits.items(split) for split in splits}


def _stage(name: str, finetuning: Finetuning, make: Callable[[Path], Write]) -> Path:
    """The folder of a stage whose key has all that decides the result of a finetuning."""
    task_run, plugin = finetuning.task_run, digest_of(type(finetuning.loss))
    settings = asdict(finetuning.loss)  # pyright: ignore
    fields = {
        "kind": task_run.task.kind,
        "classes": len(task_run.task.classes),
        "loss": {"name": type(finetuning.loss).__qualname__, **settings},
        "training": asdict(finetuning.training),
        "model": finetuning.model.settings,
        "seed": finetuning.seed,
        "role": finetuning.role,
    }
    inputs = {
        "weights": fingerprint(finetuning.model),
        "train": read_digest(finetuning.train.items, finetuning.model),
        "targets": array_digest(finetuning.train.targets),
        **_stopped_on(finetuning),
        **{f"asked_{s}": d for s, d in task_run.item_digests(PREDICTED, finetuning.model).items()},
        **_aside(finetuning),
        **({"plugin": plugin} if plugin else {}),
    }
    judged_by = metric(task_run.task.kind, finetuning.training.stopping_metric)
    named, gpus = (finetuning.loss, judged_by), gpus_of(finetuning)
    return task_run.stage(name, fields, inputs, make, named, gpus=gpus).path


def _aside(finetuning: Finetuning) -> dict[str, str]:
    """For keys: what is answered beside the splits, if there is anything."""
    if not finetuning.aside:
        return {}
    return {f"asked_{ASIDE}": read_digest(finetuning.aside, finetuning.model)}


def _stopped_on(finetuning: Finetuning) -> dict[str, str]:
    """For keys: what the stopping rule compares answers with, if there is anything."""
    validation = finetuning.validation
    if validation is None:
        return {}
    return {
        "validation": read_digest(validation.items, finetuning.model),
        "validation_targets": array_digest(validation.targets),
    }
