"""Settings of one fit; every field is part of the key of what it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from weak2strong.errors import UserError
from weak2strong.training.schedule import Schedule

Stopping = Literal["none", "validation"]


@dataclass(frozen=True)
class Training:
    """How a model is finetuned (AdamW, dropout off)."""

    epochs: int = 3
    """Passes over the training examples."""
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
    weight_decay: float = 0.0
    """Decoupled weight decay."""
    beta2: float = 0.95
    """Second-moment decay of AdamW; the first is 0.9."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    stopping: Stopping = "validation"
    """Keep the best of the evaluations, or the weights of the last step. What is
    validated on differs: supervisor and ceiling hold out a tenth of their own
    ground truth, students have weak labels only."""
    stopping_metric: str = "accuracy"
    """Metric of the evaluations, against the most probable class of each label."""
    evaluations: int = 10
    """Evaluations during training, evenly spaced; the last is at its end."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "evaluations"):
            if getattr(self, name) < 1:
                raise UserError(f"Training: {name} must be at least 1, not {getattr(self, name)}.")
        for name in ("learning_rate", "head_rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"Training: {name} must be above 0, not {value:g}.")
        if not 0 <= self.warmup <= 1:
            raise UserError(f"Training: warmup is a share from 0 to 1, not {self.warmup:g}.")

    def with_rates(self, rates: tuple[float, float]) -> Training:
        """The same settings with both rates filled in; ``rates`` are a model's defaults."""
        if self.learning_rate is None:
            return replace(self, learning_rate=rates[0], head_rate=self.head_rate or rates[1])
        return replace(self, head_rate=self.head_rate or self.learning_rate)
