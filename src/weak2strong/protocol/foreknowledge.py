"""Whether a pretrained model knows anything of a task, told in seconds and before any training.

A logistic probe on the frozen model is compared with letters alone (the baseline of n-grams) and
with the commonest class, by cross-validation on a sample of ``weak_train``. Nothing of it reaches a
student, and no result depends on it. A model whose features tell no more than the letters do may
learn the task all the same, but what it learns was not in it before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from weak2strong.config.model import ModelSpec
from weak2strong.ground.predictions import WRITTEN
from weak2strong.models.given import is_given
from weak2strong.tasks.inputs import SORTS
from weak2strong.tasks.task import Example, Item, Task

MOST = 300
"""Examples of the sample, at most."""

LEAST = 60
"""Examples below which nothing is told: the interval would hold anything."""

LONGEST = 256
"""Tokens of a text that are read."""

LETTERS = 4
"""Of a token, about, where nothing is read yet."""

OPERATIONS = {"cpu": 2e12, "other": 1e15}
"""Floating-point operations that reading the sample may take: some seconds, or fewer examples."""

FOLDS = 3

PENALTY = 0.1
"""Of the probe; it is not searched for, which would take more seconds than it tells."""

QUANTILE = 2.0
"""Standard errors on each side of an interval."""


@dataclass(frozen=True)
class Foreknowledge:
    """How much of a sample is answered right, examples that a classifier did not learn.

    Attributes:
        task: its name.
        model: its name.
        examples: of the sample.
        features: accuracy of a probe on the frozen model.
        letters: accuracy of the baseline of n-grams.
        commonest: accuracy of always answering the commonest class.
        low: the lower end of a 95% interval of the features' accuracy less the better one of the
            other two.
    """

    task: str
    model: str
    examples: int
    features: float
    letters: float
    commonest: float
    low: float

    @property
    def knows(self) -> bool:
        """Whether the features are clearly better than both."""
        return self.low > 0

    @property
    def numbers(self) -> str:
        """What was found, as a clause."""
        return (
            f"a probe on {self.model} as it is answers {self.features:.1%} of {self.examples} "
            f"examples right, spelling alone (n-grams) {self.letters:.1%}, the commonest class "
            f"{self.commonest:.1%}"
        )

    @property
    def sentence(self) -> str:
        """What was found, and what follows from it."""
        if self.knows:
            return f"{self.task}: before training, {self.numbers}: it knows something of the task."
        return (
            f"{self.task}: before training, {self.numbers}. So nothing shows that this model knows "
            "the task, and the results may say little: name models that have read such texts "
            "(--weak, --strong; `w2s models --check MODEL --task TASK` asks one of them)."
        )


def sample_of(model: ModelSpec, task: Task, train: Sequence[Example], device: str) -> list[Example]:
    """The examples to ask a model about; empty where nothing can be told.

    Args:
        model: that is asked.
        task: of texts that have classes, or of preferences; anything else gives an empty sample.
        train: ``weak_train``, which is in the order of its ids, and so in none.
        device: where the model would read them: "cpu", "cuda" or "mps".
    """
    if task.kind in WRITTEN or not SORTS[task.inputs].has_words or is_given(model):
        return []
    from weak2strong.models.rates import shape_of

    texts = [sum(map(len, e.item.texts)) for e in train[:MOST]]
    tokens = min(LONGEST, np.mean(texts) / LETTERS) if texts else 0.0
    each = 2 * shape_of(model).multiplied * max(tokens, 1.0)
    most = min(MOST, int(OPERATIONS["cpu" if device == "cpu" else "other"] / max(each, 1.0)))
    sample = list(train[:most])
    enough = len(sample) >= LEAST and len({e.label for e in sample}) > 1
    return sample if enough and len({e.item.group for e in sample}) >= 2 * FOLDS else []


def reader_of(model: ModelSpec) -> ModelSpec:
    """The model as it reads a sample: nothing of it is trained, and long texts are cut."""
    longest = LONGEST if model.max_length == "auto" else min(LONGEST, model.max_length)
    return replace(model, adaptation="head", head_start="random", answers=(), max_length=longest)


def foreknowledge(
    model: ModelSpec, task: Task, sample: Sequence[Example], features: np.ndarray
) -> Foreknowledge:
    """What a model's states and letters alone tell of a sample.

    Args:
        model: that gave the features.
        task: of the sample.
        sample: ``n`` examples (see `sample_of`).
        features: of the frozen model, ``(n, width)``.
    """
    from weak2strong.probes import fit_logistic
    from weak2strong.probes.selection import folds_by_group

    labels = np.array([e.label for e in sample])
    fold = folds_by_group([e.item.group for e in sample], FOLDS, 0)
    right = {name: np.zeros(len(sample)) for name in ("features", "letters", "commonest")}
    for part in range(FOLDS):
        train, held = np.flatnonzero(fold != part).tolist(), np.flatnonzero(fold == part).tolist()
        known = labels[train]
        probe = fit_logistic(
            features[train],
            known,
            penalty=PENALTY,
            classes=len(task.classes),
            tolerance=1e-4,
        )
        of_letters = _by_letters(task, [sample[i] for i in train], [sample[i].item for i in held])
        answers = {
            "features": probe.predict(features[held]).argmax(axis=1),
            "letters": of_letters.argmax(axis=1),
            "commonest": np.bincount(known).argmax(),
        }
        for name, of_part in answers.items():
            right[name][held] = of_part == labels[held]
    others = max(right["letters"], right["commonest"], key=np.mean)
    difference = right["features"] - others
    error = _standard_error(difference, [e.item.group for e in sample])
    means = {name: float(values.mean()) for name, values in right.items()}
    low = float(difference.mean() - QUANTILE * error)
    return Foreknowledge(task.name, model.name, len(sample), **means, low=low)


def _by_letters(task: Task, train: Sequence[Example], held: Sequence[Item]) -> np.ndarray:
    from weak2strong.probes.ngrams import ngram_baseline, ngram_comparison

    labels = np.array([e.label for e in train])
    if task.kind == "preference":
        pairs = [e.item.completions for e in train]
        return ngram_comparison(pairs, labels, [item.completions for item in held])
    texts = [e.item.text for e in train]
    return ngram_baseline(texts, labels, [item.text for item in held], len(task.classes))


def _standard_error(values: np.ndarray, groups: Sequence[str]) -> float:
    """Of a mean over examples, of which those of one group go together."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, weights=values - values.mean())
    return float(np.sqrt(np.sum(sums**2)) / len(values))
