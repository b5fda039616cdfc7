"""The stages of the protocol: supervisor, ceiling, student, and two checks.

Stages pull what they need: a student asks for its weak labels, and these for
the supervisor. What the store has is read, the rest is computed, so the order
in which an engine asks only decides who waits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from weak2strong.errors import UserError
from weak2strong.losses import Loss, loss
from weak2strong.methods import METHODS
from weak2strong.models.spec import ModelSpec, fingerprint
from weak2strong.predictions import (
    Predictions,
    joined,
    load_predictions,
    read_weak_labels,
    save_predictions,
)
from weak2strong.study.desk import Desk, Write
from weak2strong.tasks.kinds import hardened, true_targets
from weak2strong.tasks.splits import digest, hold_out
from weak2strong.tasks.task import Example, Item, Kind
from weak2strong.training.settings import Training

PREDICTED = ("strong_train", "validation", "test")
"""Splits that every finetuned model answers."""

HELD_OUT = 0.1
"""Share of its own ground truth on which a supervisor or ceiling stops."""

FILE = "predictions.parquet"


@dataclass(frozen=True)
class Lesson:
    """What one finetuning learns from and stops on: items with targets (n, classes)."""

    items: Sequence[Item]
    targets: np.ndarray
    validation_items: Sequence[Item]
    validation_targets: np.ndarray


def supervisor(desk: Desk, seed: int) -> Mapping[str, Predictions]:
    """The weak model finetuned on ground truth of ``weak_train``: weak labels, and the floor."""
    lesson = _true_lesson(desk, desk.splits.weak_train)
    training = desk.config.weak_training
    return _finetune(desk, desk.config.weak, training, loss("cross-entropy"), lesson, seed)


def weak_labels(desk: Desk, seed: int) -> Mapping[str, Predictions]:
    """The supervisor's predictions, or the user's own from a file, by split."""
    path = desk.config.weak_labels
    if path is None:
        return supervisor(desk, seed)
    given = read_weak_labels(path, len(desk.task.classes))
    found = {}
    for split in PREDICTED:
        ids = tuple(item.id for item in desk.splits.items(split))
        try:
            found[split] = Predictions(ids, given.at(ids), desk.task.kind)
        except UserError as e:
            raise UserError(
                f"Weak labels {path}, split {split} of {desk.task.name}: {e} "
                f"`w2s export {desk.reference}` with the same flags writes the ids to be labelled "
                "(the labels of the test split give the floor)."
            ) from e
    return found


def ceiling(desk: Desk, seed: int) -> Mapping[str, Predictions]:
    """The strong model finetuned on ground truth of ``strong_train``."""
    lesson = _true_lesson(desk, desk.splits.strong_train)
    training = desk.config.strong_training
    return _finetune(desk, desk.config.strong, training, loss("cross-entropy"), lesson, seed)


def student(desk: Desk, method: str, seed: int) -> Mapping[str, Predictions]:
    """What a method makes of the strong model and the weak labels."""
    labels = weak_labels(desk, seed)
    shown = joined(labels["strong_train"], labels["validation"])
    if desk.config.labels == "hard":
        certain = hardened(desk.task.kind, shown.probabilities)
        shown = replace(shown, probabilities=certain)
    items = {split: desk.splits.items(split) for split in PREDICTED}
    classes, truth = len(desk.task.classes), None
    if desk.config.strong_training.stopping == "oracle":
        # The one place where a student's training sees ground truth, and only since asked to.
        truth = true_targets(desk.task.kind, desk.splits.validation, classes)

    def finetune(targets: Predictions, of: Loss) -> Mapping[str, Predictions]:
        labelled = set(targets.ids)
        learn = [item for item in items["strong_train"] if item.id in labelled]
        lesson = Lesson(
            learn,
            targets.at([i.id for i in learn]),
            items["validation"],
            targets.at([i.id for i in items["validation"]]) if truth is None else truth,
        )
        return _finetune(desk, desk.config.strong, desk.config.strong_training, of, lesson, seed)

    context = StudentContext(classes, seed, shown, items, finetune)
    inputs = {
        "weights": fingerprint(desk.config.strong),
        "weak_labels": _digest(shown),
        **desk.item_digests(PREDICTED),
    }
    if truth is not None:
        inputs["truth"] = _array_digest(truth)
    entry = desk.stage(
        "student",
        {
            "method": method,
            "seed": seed,
            "training": asdict(desk.config.strong_training),
            "model": desk.config.strong.settings,
        },
        inputs,
        lambda working: _writer(METHODS.get(method).run(context)),
    )
    return load_predictions(entry.path / FILE)


def probe_ceiling(desk: Desk) -> Predictions:
    """Test answers of a logistic probe with ground truth on the frozen strong model.

    A check on the ceiling: where the probe is better, finetuning fell short.
    """
    train, test = desk.splits.strong_train, desk.splits.items("test")

    def make(working: Path) -> Write:
        from weak2strong.models.load import load_model
        from weak2strong.probes import fit_logistic, select_penalty
        from weak2strong.training.predict import pooled_activations

        classes = len(desk.task.classes)
        frozen = replace(desk.config.strong, adaptation="head")
        model = load_model(frozen, desk.task.kind, classes, seed=0)
        features = pooled_activations(model, [e.item for e in train])
        labels = np.array([e.label for e in train])
        groups = np.array([e.item.group for e in train])
        penalty = select_penalty(features, labels, groups, seed=0)
        probe = fit_logistic(features, labels, penalty=penalty, classes=classes)
        answers = probe.predict(pooled_activations(model, test))
        return _writer({"test": Predictions(tuple(i.id for i in test), answers, desk.task.kind)})

    inputs = {
        "weights": fingerprint(desk.config.strong),
        "train": digest(train),
        **desk.item_digests(("test",)),
    }
    fields = {"model": desk.config.strong.settings}
    return load_predictions(desk.stage("probe", fields, inputs, make).path / FILE)["test"]


def name_baseline(desk: Desk) -> Predictions:
    """Test answers of a character n-gram model with the ceiling's labels: what spelling tells."""
    train, test = desk.splits.strong_train, desk.splits.items("test")

    def make(working: Path) -> Write:
        labels, classes = np.array([e.label for e in train]), len(desk.task.classes)
        answers = _spelling(desk.task.kind, [e.item for e in train], labels, test, classes)
        return _writer({"test": Predictions(tuple(i.id for i in test), answers, desk.task.kind)})

    inputs = {"train": digest(train), **desk.item_digests(("test",))}
    return load_predictions(desk.stage("names", {}, inputs, make).path / FILE)["test"]


@dataclass(frozen=True)
class StudentContext:
    """What a method sees (see `weak2strong.methods.method.Context`): no label of any example."""

    classes: int
    seed: int
    weak_labels: Predictions
    _items: Mapping[str, tuple[Item, ...]]
    _finetune: Callable[[Predictions, Loss], Mapping[str, Predictions]]

    def items(self, split: str) -> tuple[Item, ...]:
        """The label-free examples of a split."""
        return self._items[split]

    def finetune(self, labels: Predictions, loss: Loss) -> Mapping[str, Predictions]:
        """Finetune the student model on labels by id; cached."""
        return self._finetune(labels, loss)


def _true_lesson(desk: Desk, examples: Sequence[Example]) -> Lesson:
    """Ground truth as targets, a tenth of the groups held out for stopping."""
    train, held = hold_out(examples, HELD_OUT, desk.config.split_seed)
    kind, classes = desk.task.kind, len(desk.task.classes)
    return Lesson(
        [e.item for e in train],
        true_targets(kind, train, classes),
        [e.item for e in held],
        true_targets(kind, held, classes),
    )


def _finetune(
    desk: Desk, model: ModelSpec, training: Training, of: Loss, lesson: Lesson, seed: int
) -> Mapping[str, Predictions]:
    """The stage beneath supervisor, ceiling and students: fit, then predict every split."""
    asked = {split: desk.splits.items(split) for split in PREDICTED}
    classes = len(desk.task.classes)

    def make(working: Path) -> Write:
        from weak2strong.models.load import load_model
        from weak2strong.training.fit import Labelled, fit
        from weak2strong.training.predict import predict

        loaded = load_model(model, desk.task.kind, classes, seed)
        done = fit(
            loaded,
            Labelled(lesson.items, lesson.targets),
            of,
            training,
            seed,
            Labelled(lesson.validation_items, lesson.validation_targets),
            desk.on_step,
            checkpoint=working / "checkpoint.safetensors",
        )
        desk.note = done.note
        loaded.freeze()
        answers = {split: predict(loaded, items) for split, items in asked.items()}

        def write(folder: Path) -> None:
            _writer(answers)(folder)
            (folder / "trace.json").write_text(json.dumps(asdict(done), indent=1))

        return write

    entry = desk.stage(
        "finetune",
        {
            "kind": desk.task.kind,
            "classes": classes,
            "loss": {"name": type(of).__qualname__, **asdict(of)},  # pyright: ignore
            "training": asdict(training),
            "model": model.settings,
            "seed": seed,
        },
        {
            "weights": fingerprint(model),
            "train": digest(lesson.items),
            "targets": _array_digest(lesson.targets),
            "validation": digest(lesson.validation_items),
            "validation_targets": _array_digest(lesson.validation_targets),
            **{f"asked_{s}": d for s, d in desk.item_digests(PREDICTED).items()},
        },
        make,
    )
    return load_predictions(entry.path / FILE)


def _spelling(
    kind: Kind, train: Sequence[Item], labels: np.ndarray, test: Sequence[Item], classes: int
) -> np.ndarray:
    """What the letters of a text say of its class, or those of two completions of which is better.

    A prompt is left out: it is the same for both, so that no sum over letters can use it.
    """
    from weak2strong.probes import ngram_baseline, ngram_comparison

    answers = {
        "classification": lambda: ngram_baseline(
            [item.text for item in train], labels, [item.text for item in test], classes
        ),
        "preference": lambda: ngram_comparison(
            [item.completions for item in train], labels, [item.completions for item in test]
        ),
    }
    return answers[kind]()


def _writer(answers: Mapping[str, Predictions]) -> Write:
    return lambda folder: save_predictions(folder / FILE, dict(answers))


def _digest(p: Predictions) -> str:
    sha = hashlib.sha256(json.dumps([p.kind, p.ids]).encode())
    sha.update(_array_digest(p.probabilities).encode())
    return sha.hexdigest()


def _array_digest(values: np.ndarray) -> str:
    """SHA-256 of shape and float64 values."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    return hashlib.sha256(str(values.shape).encode() + values.tobytes()).hexdigest()
