"""A stand-in for a study, which trains nothing and notes what a method asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from weak2strong.ground.activations import Activations
from weak2strong.ground.predictions import Predictions
from weak2strong.losses import Loss, loss
from weak2strong.methods.method import Context
from weak2strong.methods.reference import find_method
from weak2strong.protocol.stages import PREDICTED
from weak2strong.tasks.task import Item

EXAMPLES = {"weak_train": 256, "strong_train": 256, "validation": 64, "test": 64}
"""Enough for every method to find what it looks for, such as 50 neighbours."""

WIDTH = 4


def trial_run(method: str, between: int = 1) -> StandIn:
    """Run a method on a stand-in, which then has noted what the method asks for.

    Two methods that ask for the same loss and the same labels get the same string among their
    fits: their students share that fit.

    Args:
        method: as in a study.
        between: how many models there are between supervisor and student.
    """
    context = StandIn(intermediates=tuple(f"intermediate {i}" for i in range(between)))
    find_method(method).run(context)
    return context


@dataclass
class StandIn:
    """A context (see `weak2strong.methods.method.Context`) whose answers are random numbers.

    Attributes:
        fits: the finetunings that were asked for, in order: equal ones are equal strings.
        weak_labels: two classes, the same in every stand-in.
        texts_read: texts that prompts read to answer one example, shots included.
        consistency: the weight of the term by which answers to pairs agree; 0 for none.
    """

    fits: list[str] = field(default_factory=list)
    weak_labels: Predictions = field(
        default_factory=lambda: _answers("weak", ("strong_train", "validation"))
    )
    texts_read: int = 0
    student: str = "student"
    consistency: float = 0.0
    classes: int = 2
    seed: int = 0
    intermediates: tuple[str, ...] = ("intermediate 0",)

    def items(self, split: str) -> tuple[Item, ...]:
        """Items without texts; of ``strong_train`` those that have labels."""
        labelled = set(self.weak_labels.ids)
        return tuple(
            Item(id, id, id)
            for id in _ids(split)
            if id in labelled or split in ("weak_train", "test")
        )

    def finetune(
        self,
        labels: Predictions,
        loss: Loss | str = "cross-entropy",
        *,
        model: str | None = None,
        fresh: int = 0,
    ) -> Mapping[str, Predictions]:
        """Note the fit; equal fits get the same answers, and other fits get others."""
        trained = model or self.student
        return _by_split(self._note(labels, loss, f"{trained} {fresh}" if fresh else trained))

    def finetuned_activations(
        self, labels: Predictions, loss: Loss | str = "cross-entropy"
    ) -> Mapping[str, Activations]:
        """Note a fit of its own."""
        return _states(self._note(labels, loss, f"{self.student}, for its activations"))

    def activations(self, layer: int | str = "usual") -> Mapping[str, Activations]:
        """Random numbers."""
        return _states(f"{self.student} {layer}")

    def prompted(
        self,
        draws: Sequence[Sequence[tuple[Item, Any]]],
        *,
        calibrate: bool,
        template: str | None = None,
        form: str = "plain",
        system: str | None = None,
    ) -> Mapping[str, Predictions]:
        """Random answers; note how many texts are read for them."""
        self.texts_read += sum(1 + len(draw) for draw in draws)
        return _by_split("prompted")

    def supervisors(self, seeds: int) -> tuple[Predictions, ...]:
        """Note a fit for each but the first supervisor, which is there in any case."""
        others = [f"supervisor {seed}" for seed in range(1, seeds)]
        self.fits.extend(others)
        labels = [_answers(name, ("strong_train", "validation")) for name in others]
        return (self.weak_labels, *labels)

    def truth(self, split: str) -> Predictions:
        """Random answers, made hard."""
        soft = _answers("truth", (split,))
        return replace(soft, values=np.eye(2)[soft.probabilities.argmax(axis=1)])

    def with_labels(self, labels: Predictions) -> Context:
        """The same stand-in with other labels; both note their fits in one list."""
        return replace(self, weak_labels=labels)

    def with_consistency(self, weight: float) -> Context:
        """The same stand-in whose fits are other ones; both note them in one list."""
        return replace(self, consistency=weight)

    def after_reading(self, epochs: int) -> Context:
        """Note the reading."""
        student = f"{self.student} that has read {epochs}"
        self.fits.append(student)
        return replace(self, student=student)

    def _note(self, labels: Predictions, of: Loss | str, model: str) -> str:
        of = loss(of) if isinstance(of, str) else of
        settings = asdict(of)  # pyright: ignore
        term = f"consistent by {self.consistency} " if self.consistency else ""
        fit = f"{model} {term}{type(of).__qualname__} {settings} {labels.ids} "
        self.fits.append(fit + str(labels.probabilities.tolist()))
        return self.fits[-1]


def _ids(split: str) -> tuple[str, ...]:
    return tuple(f"{split} {i}" for i in range(EXAMPLES[split]))


def _by_split(name: str) -> Mapping[str, Predictions]:
    return {split: _answers(name, (split,)) for split in PREDICTED}


def _answers(name: str, splits: Sequence[str]) -> Predictions:
    """Answers for the splits that only depend on the name."""
    ids = tuple(id for split in splits for id in _ids(split))
    p = _generator(f"{name} {splits}").uniform(size=len(ids))
    return Predictions(ids, np.stack([1 - p, p], axis=1))


def _states(name: str) -> Mapping[str, Activations]:
    """Activations that only depend on the name."""
    states = {}
    for split in PREDICTED:
        rng = _generator(f"{name} {split}")
        values = rng.normal(size=(EXAMPLES[split], WIDTH)).astype(np.float32)
        states[split] = Activations(_ids(split), values)
    return states


def _generator(name: str) -> np.random.Generator:
    """Numbers that only depend on the name, which may be long: the names of fits hold labels."""
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()))
