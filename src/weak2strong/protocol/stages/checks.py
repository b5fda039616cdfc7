"""The checks of a run: a probe with ground truth, and how much the spelling alone tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from weak2strong.ground.predictions import WRITTEN, Predictions, load_predictions, texts
from weak2strong.models.load import loader_of
from weak2strong.models.quantisation import settings_in_keys
from weak2strong.models.resolve import fingerprint
from weak2strong.protocol.read import read_digest
from weak2strong.protocol.stages.files import FILE, writer
from weak2strong.protocol.stages.finetuning import truth_parts
from weak2strong.protocol.stages.frozen import activations
from weak2strong.protocol.task_run import TaskRun, Write
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Example, Inputs, Item, Kind


def probe_ceiling(task_run: TaskRun) -> Predictions:
    """Test answers of a logistic probe with ground truth on the frozen strong model.

    A check on the ceiling: where the probe is better, finetuning fell short. It learns from the
    examples that the ceiling is trained on.
    """
    training = task_run.config.ceiling_training
    train, _ = truth_parts(task_run, training, task_run.splits.strong_train)
    kind, classes = task_run.task.kind, len(task_run.task.classes)

    def make(working: Path) -> Write:
        from weak2strong.probes import fit_logistic, select_penalty

        states = activations(task_run, task_run.config.strong, "last")
        features = states["strong_train"].at([e.item.id for e in train])
        labels = np.array([e.label for e in train])
        groups = np.array([e.item.group for e in train])
        penalty = select_penalty(features, labels, groups, seed=0)
        probe = fit_logistic(features, labels, penalty=penalty, classes=classes)
        test = states["test"]
        answers = Predictions(test.ids, probe.predict(test.values), kind)
        return writer({"test": answers})

    inputs = {
        "weights": fingerprint(task_run.config.strong),
        "train": read_digest(train, task_run.config.strong),
        **task_run.item_digests(("test",), task_run.config.strong),
    }
    fields = {"kind": kind, "classes": classes, "model": settings_in_keys(task_run.config.strong)}
    entry = task_run.stage("probe", fields, inputs, make, (loader_of(task_run.config.strong),))
    return load_predictions(entry.path / FILE)["test"]


def has_probe(kind: Kind) -> bool:
    """Whether a task of that kind has a probe as a check: it has one if it has classes."""
    return kind not in WRITTEN


def has_ngrams(inputs: Inputs) -> bool:
    """Whether a task with such items has the baseline of n-grams as a check: if they are words."""
    return SORTS[inputs].has_words


def ngrams(task_run: TaskRun) -> Predictions:
    """Test answers of a character n-gram model with the ceiling's labels: what spelling tells."""
    training = task_run.config.ceiling_training
    train, _ = truth_parts(task_run, training, task_run.splits.strong_train)
    test = task_run.splits.items("test")
    kind, classes = task_run.task.kind, len(task_run.task.classes)
    answered_by = _SPELLING[kind]

    def make(working: Path) -> Write:
        answers = answered_by(train, test, classes)
        return writer({"test": Predictions(tuple(i.id for i in test), answers, kind)})

    fields = {"kind": kind, "classes": classes}
    inputs = {"train": digest(train), **task_run.item_digests(("test",))}
    entry = task_run.stage("ngrams", fields, inputs, make, (answered_by,), "processor")
    return load_predictions(entry.path / FILE)["test"]


def _class_by_spelling(train: Sequence[Example], test: Sequence[Item], classes: int) -> np.ndarray:
    from weak2strong.probes import ngram_baseline

    labels = np.array([e.label for e in train])
    return ngram_baseline(
        [e.item.text for e in train], labels, [item.text for item in test], classes
    )


def _preferred_by_spelling(
    train: Sequence[Example], test: Sequence[Item], classes: int
) -> np.ndarray:
    """The prompt is left out: it is the same for both completions, so that a sum over n-grams
    cannot use it."""
    from weak2strong.probes import ngram_comparison

    labels = np.array([e.label for e in train])
    return ngram_comparison(
        [e.item.completions for e in train], labels, [item.completions for item in test]
    )


def _text_by_spelling(train: Sequence[Example], test: Sequence[Item], classes: int) -> np.ndarray:
    from weak2strong.probes import ngram_neighbour

    targets = [str(e.label) for e in train]
    return texts(
        ngram_neighbour([e.item.text for e in train], targets, [item.text for item in test])
    )


_SPELLING: dict[Kind, Callable[[Sequence[Example], Sequence[Item], int], np.ndarray]] = {
    "classification": _class_by_spelling,
    "preference": _preferred_by_spelling,
    "generation": _text_by_spelling,
}
