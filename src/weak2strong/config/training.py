"""Settings of one fit; every field is part of the key of what it makes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from weak2strong.ground.errors import UserError

Schedule = Literal["cosine", "linear", "constant"]
Stopping = Literal["none", "weak-validation", "oracle"]


@dataclass(frozen=True)
class Training:
    """How a model is finetuned, by AdamW."""

    epochs: int = 3
    """Passes over the training examples."""
    steps: int | None = None
    """Optimiser steps, in place of epochs."""
    batch_size: int = 32
    """Examples per optimiser step."""
    learning_rate: float | None = None
    """Peak learning rate; the model's own default if not given."""
    head_rate: float | None = None
    """Peak learning rate of the fresh head; the model's own default if neither
    rate is given, and the same as the trunk's if only that is."""
    schedule: Schedule = "cosine"
    """Shape of the learning rate after the warm-up."""
    warmup: float = 0.1
    """Share of the steps in which the learning rate rises."""
    warmup_steps: int | None = None
    """Steps in which it rises, in place of a share."""
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    beta1: float = 0.9
    """First-moment decay of AdamW."""
    beta2: float = 0.95
    """Second-moment decay of AdamW."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    dropout: bool = False
    """Use the dropout that comes with the model, while training."""
    stopping: Stopping = "weak-validation"
    """Keep the weights of the last step (none), or of the best evaluation: of a
    student on weak labels of the validation split, or on its ground truth (oracle:
    an upper bound, and said to be one). Supervisor and ceiling look at a held-out
    tenth of their own ground truth in either case."""
    stopping_metric: str | None = None
    """Metric of the evaluations, against the most probable class of each label; the usual one
    of the task if not given."""
    evaluations: int = 6
    """Evaluations during training, evenly spaced; the last is at its end."""
    evaluate_every: int | None = None
    """Steps from one evaluation to the next, in place of a number of evaluations."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "evaluations"):
            value = getattr(self, name)
            self._need(name, isinstance(value, int) and value >= 1, "must be at least 1")
        for name in ("steps", "evaluate_every", "warmup_steps"):
            value = getattr(self, name)
            sound = value is None or (isinstance(value, int) and value >= 1)
            self._need(name, sound, "must be at least 1")
        for name in ("learning_rate", "head_rate"):
            value = getattr(self, name)
            self._need(name, value is None or _is_number(value), "must be a number")
            self._need(name, value is None or value > 0, "must be above 0")
        for name in ("clip", "weight_decay", "warmup", "beta1", "beta2"):
            self._need(name, _is_number(getattr(self, name)), "must be a number")
        self._need("clip", self.clip > 0, "must be above 0")
        self._need("weight_decay", self.weight_decay >= 0, "must be 0 or more")
        self._need("warmup", 0 <= self.warmup <= 1, "is a share from 0 to 1")
        for name in ("beta1", "beta2"):
            self._need(name, 0 <= getattr(self, name) < 1, "must be from 0 to below 1")
        self._need("dropout", isinstance(self.dropout, bool), "must be true or false")
        for name, choices in (("schedule", get_args(Schedule)), ("stopping", get_args(Stopping))):
            known = getattr(self, name) in choices
            self._need(name, known, f"must be one of {', '.join(choices)}")
        if self.stopping_metric is not None:
            # NumPy comes with the metrics, and few studies name one.
            from weak2strong.ground.metrics import LESS_IS_BETTER

            rises = self.stopping_metric not in LESS_IS_BETTER
            self._need("stopping_metric", rises, "must be one of which more is better")

    def _need(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise UserError(f"Training: {name} {what}, not {getattr(self, name)!r}.")

    def steps_on(self, examples: int) -> int:
        """Optimiser steps on so many examples."""
        return self.steps or self.epochs * math.ceil(examples / self.batch_size)

    def evaluation_steps(self, steps: int) -> set[int]:
        """The steps after which to evaluate, of so many; the last is one of them."""
        if self.evaluate_every:
            return {*range(self.evaluate_every, steps, self.evaluate_every), steps}
        return {round(steps * (i + 1) / self.evaluations) for i in range(self.evaluations)} - {0}

    def warmup_share(self, steps: int) -> float:
        """The share of so many steps in which the rate rises; above 1 if that is past the end."""
        return self.warmup if self.warmup_steps is None else self.warmup_steps / steps

    def with_rates(self, rates: tuple[float, float]) -> Training:
        """The same settings with both rates filled in; ``rates`` are a model's defaults."""
        if self.learning_rate is None:
            return replace(self, learning_rate=rates[0], head_rate=self.head_rate or rates[1])
        return replace(self, head_rate=self.head_rate or self.learning_rate)

    def at_usual_rates(self, rates: tuple[float, float]) -> Training:
        """The same settings for another model, whose default rates these are."""
        return replace(self, learning_rate=None, head_rate=None).with_rates(rates)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
