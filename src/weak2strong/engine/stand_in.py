"""A stand-in for a study, which trains nothing and takes note of what a method asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.predictions import Predictions
from weak2strong.losses import Loss, loss
from weak2strong.methods.method import Context
from weak2strong.tasks.task import Item

EXAMPLES = {"weak_train": 256, "strong_train": 256, "validation": 64, "test": 64}
"""Enough for every method to find what it looks for, such as 50 neighbours."""

WIDTH = 4


@dataclass
class Asked:
    """A context (see `weak2strong.methods.method.Context`) of stand-ins.

    Attributes:
        fits: the trainings that were asked for, in order: equal ones are equal strings.
        weak_labels: two classes, drawn once and for all.
        read: texts that are read to answer one example by prompts, shots included.
    """

    fits: list[str] = field(default_factory=list)
    weak_labels: Predictions = field(
        default_factory=lambda: _answers("weak", ("strong_train", "validation"))
    )
    read: int = 0
    student: str = "student"
    classes: int = 2
    seed: int = 0
    intermediates: tuple[str, ...] = ("intermediate",)

    def items(self, split: str) -> tuple[Item, ...]:
        """Stand-ins; of ``strong_train`` those that have labels."""
        labelled = set(self.weak_labels.ids)
        return tuple(
            Item(id, id, id)
            for id in _ids(split)
            if id in labelled or split in ("weak_train", "test")
        )

    def finetune(
        self, labels: Predictions, loss: Loss | str = "cross-entropy", *, model: str | None = None
    ) -> Mapping[str, Predictions]:
        """Note the fit; the answers are new ones for every fit, and always the same."""
        fit = self._note(labels, loss, model or self.student)
        return {split: _answers(fit, (split,)) for split in ("strong_train", "validation", "test")}

    def finetuned_activations(
        self, labels: Predictions, loss: Loss | str = "cross-entropy"
    ) -> Mapping[str, Activations]:
        """Note a fit of its own."""
        return _states(self._note(labels, loss, f"{self.student}, for its activations"))

    def activations(self, layer: int | str = "usual") -> Mapping[str, Activations]:
        """Drawn numbers."""
        return _states(f"{self.student} {layer}")

    def prompted(
        self,
        draws: Sequence[Sequence[tuple[Item, int]]],
        *,
        calibrate: bool,
        template: str | None = None,
    ) -> Mapping[str, Predictions]:
        """Drawn answers; note how much is read for them."""
        self.read += sum(1 + len(draw) for draw in draws)
        return {s: _answers("prompted", (s,)) for s in ("strong_train", "validation", "test")}

    def supervisors(self, seeds: int) -> tuple[Predictions, ...]:
        """Note a fit of each but the first, which is there in any case."""
        others = [f"supervisor {seed}" for seed in range(1, seeds)]
        self.fits.extend(others)
        drawn = [_answers(name, ("strong_train", "validation")) for name in others]
        return (self.weak_labels, *drawn)

    def truth(self, split: str) -> Predictions:
        """Drawn answers, made hard."""
        drawn = _answers("truth", (split,))
        return replace(drawn, values=np.eye(2)[drawn.probabilities.argmax(axis=1)])

    def with_labels(self, labels: Predictions) -> Context:
        """The same stand-in with other labels, which notes in the same place."""
        return replace(self, weak_labels=labels)

    def after_reading(self, epochs: int) -> Context:
        """Note the reading."""
        student = f"{self.student} that has read {epochs}"
        self.fits.append(student)
        return replace(self, student=student)

    def _note(self, labels: Predictions, of: Loss | str, model: str) -> str:
        of = loss(of) if isinstance(of, str) else of
        settings = asdict(of)  # pyright: ignore
        fit = f"{model} {type(of).__qualname__} {settings} {labels.ids} "
        self.fits.append(fit + str(labels.probabilities.tolist()))
        return self.fits[-1]


def _ids(split: str) -> tuple[str, ...]:
    return tuple(f"{split} {i}" for i in range(EXAMPLES[split]))


def _answers(name: str, splits: Sequence[str]) -> Predictions:
    """Answers for the splits that only depend on the name."""
    ids = tuple(id for split in splits for id in _ids(split))
    p = np.random.default_rng(list(f"{name} {splits}".encode())).uniform(size=len(ids))
    return Predictions(ids, np.stack([1 - p, p], axis=1))


def _states(name: str) -> Mapping[str, Activations]:
    return {
        split: Activations(
            _ids(split),
            np.random.default_rng(list(f"{name} {split}".encode()))
            .normal(size=(EXAMPLES[split], WIDTH))
            .astype(np.float32),
        )
        for split in ("strong_train", "validation", "test")
    }
