"""The stage beneath supervisor, ceiling and students: fit one model, let it answer every split."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.ground.activations import Activations, load_activations, save_activations
from weak2strong.ground.errors import UserError
from weak2strong.ground.plugins import digest_of
from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions, save_predictions
from weak2strong.losses import Loss, loss
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.kinds import true_targets
from weak2strong.tasks.splits import digest, hold_out
from weak2strong.tasks.task import Example, Item, Kind

if TYPE_CHECKING:
    from weak2strong.models.load import LoadedModel
    from weak2strong.training.fit import Fit, OnEvaluation

PREDICTED = ("strong_train", "validation", "test")
"""Splits that every finetuned model answers."""

HELD_OUT = 0.1
"""Share of its own ground truth on which a supervisor or ceiling stops."""

FILE = "predictions.parquet"
STATES = "activations.safetensors"
TRACE = "trace.json"

TRACED = ("validation", "test")
"""Splits that are answered at every evaluation where these are asked for."""

Answer = Callable[[Sequence[Item]], Predictions]
"""What a finetuned model says of items."""

LAST = -1
"""Under which activations of a finetuned model are stored: it has one layer of interest."""


@dataclass(frozen=True)
class Lesson:
    """What one finetuning learns from and stops on: items with targets (see `true_targets`)."""

    items: Sequence[Item]
    targets: np.ndarray
    validation_items: Sequence[Item]
    validation_targets: np.ndarray


@dataclass(frozen=True)
class Trace:
    """What a training gave on its way, by evaluation.

    Attributes:
        fractions: shares of training done.
        losses: means since the evaluation before.
        looks: answers for `TRACED` by split.
    """

    fractions: tuple[float, ...]
    losses: tuple[float, ...]
    evaluations: tuple[Mapping[str, Predictions], ...]


@dataclass(frozen=True)
class Finetuning:
    """A model that learns a lesson at the task run of a task: all that decides what comes of it."""

    task_run: TaskRun
    model: ModelSpec
    training: Training
    loss: Loss
    lesson: Lesson
    seed: int


def on_truth(
    task_run: TaskRun, model: ModelSpec, training: Training, examples: Sequence[Example], seed: int
) -> Finetuning:
    """How a model learns ground truth: a tenth of the groups is held out for stopping."""
    train, held = hold_out(examples, HELD_OUT, task_run.config.split_seed)
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    lesson = Lesson(
        [e.item for e in train],
        true_targets(kind, train, classes),
        [e.item for e in held],
        true_targets(kind, held, classes),
    )
    return Finetuning(task_run, model, training, loss("cross-entropy"), lesson, seed)


def finetune(one: Finetuning) -> Mapping[str, Predictions]:
    """The stage beneath supervisor, ceiling and students: fit, then predict every split.

    Raises:
        UserError: for a loss that the kind of task has no use for.
    """
    task, asked = one.task_run.task, _asked(one.task_run, PREDICTED)
    if task.kind in WRITTEN and one.loss != loss("cross-entropy"):
        raise UserError(
            f"The loss {type(one.loss).__name__} needs probabilities of classes, and task "
            f"{task.name} is answered in words: finetune with cross-entropy."
        )

    def make(working: Path) -> Write:
        answer, done = _LEARNERS[task.kind](one, working)
        answers = {split: answer(items) for split, items in asked.items()}

        def write(folder: Path) -> None:
            writer(answers)(folder)
            (folder / TRACE).write_text(json.dumps(asdict(done), indent=1))

        return write

    return load_predictions(_stage("finetune", one, make) / FILE)


def traced(one: Finetuning) -> Trace:
    """The same training, once more, with what the model says at every evaluation."""
    asked = _asked(one.task_run, TRACED)

    def make(working: Path) -> Write:
        def note(fraction: float, answers: Mapping[str, Predictions]) -> None:
            writer(answers, _evaluation_file(fraction))(working)

        _, done = _fitted(one, working, asked, note)

        def write(folder: Path) -> None:
            for point in done.trace:
                shutil.copyfile(
                    *(at / _evaluation_file(point.fraction) for at in (working, folder))
                )
            (folder / TRACE).write_text(json.dumps(asdict(done), indent=1))

        return write

    folder = _stage("traced", one, make)
    points = json.loads((folder / TRACE).read_text())["trace"]
    fractions = tuple(point["fraction"] for point in points)
    evaluations = tuple(
        load_predictions(folder / _evaluation_file(fraction)) for fraction in fractions
    )
    return Trace(fractions, tuple(point["loss"] for point in points), evaluations)


def _evaluation_file(fraction: float) -> str:
    return f"look-{fraction:.9f}.parquet"


def finetuned_activations(one: Finetuning) -> Mapping[str, Activations]:
    """The same training, once more, and what the head then reads of every split's texts.

    Weights are not kept, so this is a fit of its own.
    """
    asked = _asked(one.task_run, PREDICTED)

    def make(working: Path) -> Write:
        from weak2strong.training.predict import pooled_activations

        loaded, _ = _fitted(one, working)
        found = {
            split: Activations(tuple(i.id for i in items), pooled_activations(loaded, items))
            for split, items in asked.items()
        }
        return lambda folder: save_activations(folder / STATES, {LAST: found})

    return load_activations(_stage("finetuned-activations", one, make) / STATES)[LAST]


def _asked(task_run: TaskRun, splits: Sequence[str]) -> Mapping[str, Sequence[Item]]:
    """What a model is asked, by split."""
    return {split: task_run.splits.items(split) for split in splits}


def _stage(name: str, one: Finetuning, make: Callable[[Path], Write]) -> Path:
    """The folder of what a finetuning gives, under the key of all that decides it."""
    task_run, lesson, plugin = one.task_run, one.lesson, digest_of(type(one.loss))
    fields = {
        "kind": task_run.task.kind,
        "classes": len(task_run.task.classes),
        "loss": {"name": type(one.loss).__qualname__, **asdict(one.loss)},  # pyright: ignore
        "training": asdict(one.training),
        "model": one.model.settings,
        "seed": one.seed,
    }
    inputs = {
        "weights": fingerprint(one.model),
        "train": digest(lesson.items),
        "targets": array_digest(lesson.targets),
        "validation": digest(lesson.validation_items),
        "validation_targets": array_digest(lesson.validation_targets),
        **{f"asked_{s}": d for s, d in task_run.item_digests(PREDICTED).items()},
        **({"plugin": plugin} if plugin else {}),
    }
    return task_run.stage(name, fields, inputs, make).path


def _fitted(
    one: Finetuning,
    working: Path,
    asked: Mapping[str, Sequence[Item]] | None = None,
    on_evaluation: OnEvaluation = lambda fraction, answers: None,
) -> tuple[LoadedModel, Fit]:
    """A model that has learnt its lesson, ready to answer; `fit` says what is asked meanwhile."""
    from weak2strong.models.load import load_model
    from weak2strong.training.fit import Labelled, fit

    task_run, lesson = one.task_run, one.lesson
    loaded = load_model(one.model, task_run.task.kind, len(task_run.task.classes), one.seed)
    done = fit(
        loaded,
        Labelled(lesson.items, lesson.targets),
        one.loss,
        one.training,
        one.seed,
        Labelled(lesson.validation_items, lesson.validation_targets),
        task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
        asked=asked,
        on_evaluation=on_evaluation,
    )
    task_run.note = done.note
    loaded.freeze()
    return loaded, done


def _with_head(one: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a model with a head answers that has learnt its lesson."""
    from weak2strong.training.predict import predict

    loaded, done = _fitted(one, working)
    return partial(predict, loaded), done


def _in_words(one: Finetuning, working: Path) -> tuple[Answer, Fit]:
    """How a language model answers that has learnt its lesson."""
    from weak2strong.models.language import load_language_model
    from weak2strong.training.fit import Labelled
    from weak2strong.training.writing import fit_writing

    task_run, lesson = one.task_run, one.lesson
    loaded = load_language_model(one.model, one.seed)
    writer, done = fit_writing(
        loaded,
        Labelled(lesson.items, lesson.targets),
        one.training,
        one.seed,
        Labelled(lesson.validation_items, lesson.validation_targets),
        task_run.on_step,
        checkpoint=working / "checkpoint.safetensors",
    )
    task_run.note = done.note
    loaded.freeze()
    return writer.answers, done


_LEARNERS: dict[Kind, Callable[[Finetuning, Path], tuple[Answer, Fit]]] = {
    "classification": _with_head,
    "preference": _with_head,
    "generation": _in_words,
}


def writer(answers: Mapping[str, Predictions], file: str = FILE) -> Write:
    """Writes predictions by split, where `load_predictions` finds them."""
    return lambda folder: save_predictions(folder / file, dict(answers))


def labels_digest(p: Predictions) -> str:
    """SHA-256 of ids, in their order, and labels."""
    sha = hashlib.sha256(json.dumps([p.kind, p.ids]).encode())
    sha.update(array_digest(p.values).encode())
    return sha.hexdigest()


def array_digest(values: np.ndarray) -> str:
    """SHA-256 of shape and float64 values, or of texts."""
    if values.dtype == object:
        return hashlib.sha256(json.dumps(values.tolist()).encode()).hexdigest()
    values = np.ascontiguousarray(values, dtype=np.float64)
    return hashlib.sha256(str(values.shape).encode() + values.tobytes()).hexdigest()
