"""What a run is checked by: a probe with ground truth, and what the spelling gives away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from weak2strong.models.spec import fingerprint
from weak2strong.predictions import Predictions, load_predictions
from weak2strong.study.desk import Desk, Write
from weak2strong.study.stages.finetuning import FILE, writer
from weak2strong.study.stages.frozen import activations
from weak2strong.tasks.splits import digest
from weak2strong.tasks.task import Item, Kind


def probe_ceiling(desk: Desk) -> Predictions:
    """Test answers of a logistic probe with ground truth on the frozen strong model.

    A check on the ceiling: where the probe is better, finetuning fell short.
    """
    train = desk.splits.strong_train

    def make(working: Path) -> Write:
        from weak2strong.probes import fit_logistic, select_penalty

        states = activations(desk, desk.config.strong, "last")
        features, asked = states["strong_train"].at([e.item.id for e in train]), states["test"]
        labels = np.array([e.label for e in train])
        groups = np.array([e.item.group for e in train])
        penalty = select_penalty(features, labels, groups, seed=0)
        classes = len(desk.task.classes)
        probe = fit_logistic(features, labels, penalty=penalty, classes=classes)
        answers = probe.predict(asked.values)
        return writer({"test": Predictions(asked.ids, answers, desk.task.kind)})

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
        return writer({"test": Predictions(tuple(i.id for i in test), answers, desk.task.kind)})

    inputs = {"train": digest(train), **desk.item_digests(("test",))}
    return load_predictions(desk.stage("names", {}, inputs, make).path / FILE)["test"]


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
